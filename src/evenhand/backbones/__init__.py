"""Models that turn images and words into features."""
