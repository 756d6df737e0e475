from .run import compare as compare

__all__ = [
    "compare",
]
