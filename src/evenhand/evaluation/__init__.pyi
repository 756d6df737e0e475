from .class_figures import Figures as Figures
from .class_figures import figures as figures
from .metric_view import by_metric as by_metric
from .metrics import Averages as Averages
from .metrics import Evaluation as Evaluation
from .metrics import Rate as Rate
from .metrics import evaluate as evaluate
from .metrics import rate as rate
from .metrics import worst as worst
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
