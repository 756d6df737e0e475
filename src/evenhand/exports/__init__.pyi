from .run import export as export

__all__ = [
    "export",
]
