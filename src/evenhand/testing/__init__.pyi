from .backbones import check_backbone as check_backbone
from .datasets import check_dataset as check_dataset
from .methods import check_method as check_method

__all__ = [
    "check_backbone",
    "check_dataset",
    "check_method",
]
