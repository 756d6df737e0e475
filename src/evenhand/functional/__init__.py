"""Pure functions from tensor to tensor, one per equation."""
