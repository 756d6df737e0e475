"""The default: zero-shot, ERM and balanced heads, cross-fitted, and one of them kept on evidence."""
