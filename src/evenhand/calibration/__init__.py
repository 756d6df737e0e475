"""Which rows calibrate, and what they are drawn against."""
