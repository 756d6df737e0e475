"""Images through the trunk, once."""
