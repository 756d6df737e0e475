from .base import Dataset as Dataset
from .registry import dataset_class as dataset_class
from .registry import make as make
from .registry import names as names

__all__ = [
    "Dataset",
    "dataset_class",
    "make",
    "names",
]
