"""Sources of images: what kind a path is, and the list of its images with labels and splits."""
