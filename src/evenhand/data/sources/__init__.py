"""What a source of images lists: its kind is resolved once."""
