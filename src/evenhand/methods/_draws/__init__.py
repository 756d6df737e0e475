"""Row draws that CFR, CnC and the contrastive adapter share."""
