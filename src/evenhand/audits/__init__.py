"""What a predictor gets wrong, and where."""
