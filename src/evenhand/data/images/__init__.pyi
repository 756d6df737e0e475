from .decode import UnreadableImage as UnreadableImage
from .decode import read_image as read_image

__all__ = [
    "UnreadableImage",
    "read_image",
]
