"""Arrays of numbers in files."""
