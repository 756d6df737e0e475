"""Public checks for methods and backbones of third parties."""
