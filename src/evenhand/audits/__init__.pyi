from .error_analysis import ErrorAnalysis as ErrorAnalysis
from .error_analysis import analyze_run as analyze_run
from .gate import failures as failures
from .gate import read_bounds as read_bounds
from .pipeline import Audit as Audit
from .pipeline import audit as audit

__all__ = [
    "Audit",
    "ErrorAnalysis",
    "analyze_run",
    "audit",
    "failures",
    "read_bounds",
]
