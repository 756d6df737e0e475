from .engine import Engine as Engine
from .local import embed as embed
from .local import iter_features as iter_features
from .ray_engine import RayEngine as RayEngine

__all__ = [
    "Engine",
    "RayEngine",
    "embed",
    "iter_features",
]
