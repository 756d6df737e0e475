from .accuracy import Averages as Averages
from .accuracy import Evaluation as Evaluation
from .accuracy import Rate as Rate
from .accuracy import evaluate as evaluate
from .accuracy import rate as rate
from .accuracy import worst as worst
from .metric_view import by_metric as by_metric
from .metrics import Figures as Figures
from .metrics import figures as figures
from .results import KeptMethod as KeptMethod
from .results import MethodSummary as MethodSummary
from .results import ResultRow as ResultRow
from .results import Results as Results
from .results import results_schema as results_schema
from .results import summarize as summarize

__all__ = [
    "Averages",
    "Evaluation",
    "Figures",
    "KeptMethod",
    "MethodSummary",
    "Rate",
    "ResultRow",
    "Results",
    "by_metric",
    "evaluate",
    "figures",
    "rate",
    "results_schema",
    "summarize",
    "worst",
]
