from .load import FittedRun as FittedRun
from .load import load_run as load_run

__all__ = [
    "FittedRun",
    "load_run",
]
