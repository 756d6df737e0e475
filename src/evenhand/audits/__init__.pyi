from .gate import failures as failures
from .gate import read_bounds as read_bounds
from .pipeline import Audit as Audit
from .pipeline import audit as audit

__all__ = [
    "Audit",
    "audit",
    "failures",
    "read_bounds",
]
