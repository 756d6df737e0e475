from .cells import Partition as Partition
from .environments import infer_environments as infer_environments
from .erm_guard import Choice as Choice
from .erm_guard import Evidence as Evidence
from .held_out import HeldOutPredictions as HeldOutPredictions
from .probe_check import ProbeDiagnostics as ProbeDiagnostics
from .probe_check import ProbeSanityCheck as ProbeSanityCheck
from .rules import RULES as RULES
from .rules import Rule as Rule
from .rules import find_rule as find_rule

__all__ = [
    "RULES",
    "Choice",
    "Evidence",
    "HeldOutPredictions",
    "Partition",
    "ProbeDiagnostics",
    "ProbeSanityCheck",
    "Rule",
    "find_rule",
    "infer_environments",
]
