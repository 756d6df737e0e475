from .local import embed as embed
from .local import iter_features as iter_features
from .ray_engine import RayEngine as RayEngine
from .trunk import Engine as Engine

__all__ = [
    "Engine",
    "RayEngine",
    "embed",
    "iter_features",
]
