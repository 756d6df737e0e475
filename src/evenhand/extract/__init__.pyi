from .embed_images import embed as embed
from .embed_images import iter_features as iter_features
from .ray_engine import RayEngine as RayEngine
from .trunk import Engine as Engine
from .trunk import ImageReading as ImageReading

__all__ = [
    "Engine",
    "ImageReading",
    "RayEngine",
    "embed",
    "iter_features",
]
