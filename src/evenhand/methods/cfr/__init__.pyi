from .calibration_set import CalibrationRule as CalibrationRule
from .calibration_set import CalibrationSet as CalibrationSet
from .calibration_set import Misclassified as Misclassified
from .estimator import CFR as CFR
from .loss_terms import AnchorCrossEntropy as AnchorCrossEntropy
from .loss_terms import BatchCrossEntropy as BatchCrossEntropy
from .loss_terms import Calibration as Calibration
from .loss_terms import CentroidContrast as CentroidContrast
from .loss_terms import Similarity as Similarity
from .loss_terms import TargetedContrast as TargetedContrast
from .loss_terms import Term as Term
from .presets import CENTROIDS as CENTROIDS
from .presets import GRID as GRID
from .presets import NEAREST as NEAREST
from .presets import PRESETS as PRESETS
from .presets import PUBLISHED_CODE as PUBLISHED_CODE
from .presets import PUBLISHED_SIMILARITY as PUBLISHED_SIMILARITY
from .presets import STABLE as STABLE
from .recipe import Recipe as Recipe
from .references import CrossFittedErm as CrossFittedErm
from .references import ErmReference as ErmReference
from .references import Reference as Reference
from .references import ShortcutReference as ShortcutReference
from .references import ZeroShotReference as ZeroShotReference
from .shortcut_probe import ShortcutProbe as ShortcutProbe

__all__ = [
    "CENTROIDS",
    "CFR",
    "GRID",
    "NEAREST",
    "PRESETS",
    "PUBLISHED_CODE",
    "PUBLISHED_SIMILARITY",
    "STABLE",
    "AnchorCrossEntropy",
    "BatchCrossEntropy",
    "Calibration",
    "CalibrationRule",
    "CalibrationSet",
    "CentroidContrast",
    "CrossFittedErm",
    "ErmReference",
    "Misclassified",
    "Recipe",
    "Reference",
    "ShortcutProbe",
    "ShortcutReference",
    "Similarity",
    "TargetedContrast",
    "Term",
    "ZeroShotReference",
]
