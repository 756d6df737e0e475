"""Methods, seeds and data into results."""
