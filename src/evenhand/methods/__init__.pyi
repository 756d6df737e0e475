from ._draws.negatives import NearestNegatives as NearestNegatives
from ._draws.negatives import NegativeRule as NegativeRule
from ._draws.negatives import RandomNegatives as RandomNegatives
from ._draws.positives import Centroid as Centroid
from ._draws.positives import DrawnRows as DrawnRows
from ._draws.positives import PositiveRule as PositiveRule
from ._training.loop import SGD as SGD
from ._training.model import Model as Model
from .afr import AFR as AFR
from .auto.estimator import Auto as Auto
from .base import Method as Method
from .bundle import read_bundle as read_bundle
from .bundle import write_bundle as write_bundle
from .cfr.calibration_set import CalibrationRule as CalibrationRule
from .cfr.calibration_set import CalibrationSet as CalibrationSet
from .cfr.calibration_set import Misclassified as Misclassified
from .cfr.estimator import CFR as CFR
from .cfr.loss_terms import AnchorCrossEntropy as AnchorCrossEntropy
from .cfr.loss_terms import BatchCrossEntropy as BatchCrossEntropy
from .cfr.loss_terms import Calibration as Calibration
from .cfr.loss_terms import CentroidContrast as CentroidContrast
from .cfr.loss_terms import Similarity as Similarity
from .cfr.loss_terms import TargetedContrast as TargetedContrast
from .cfr.loss_terms import Term as Term
from .cfr.presets import CENTROIDS as CENTROIDS
from .cfr.presets import GRID as GRID
from .cfr.presets import NEAREST as NEAREST
from .cfr.presets import PRESETS as PRESETS
from .cfr.presets import PUBLISHED_CODE as PUBLISHED_CODE
from .cfr.presets import PUBLISHED_SIMILARITY as PUBLISHED_SIMILARITY
from .cfr.presets import STABLE as STABLE
from .cfr.published import PublishedCFR as PublishedCFR
from .cfr.recipe import Recipe as Recipe
from .cfr.references import CrossFittedErm as CrossFittedErm
from .cfr.references import ErmReference as ErmReference
from .cfr.references import Reference as Reference
from .cfr.references import ShortcutReference as ShortcutReference
from .cfr.references import ZeroShotReference as ZeroShotReference
from .cnc import CnC as CnC
from .contrastive_adapter import ContrastiveAdapter as ContrastiveAdapter
from .dfr import DFR as DFR
from .erm import ERM as ERM
from .evals import EVaLS as EVaLS
from .group_dro import GroupDRO as GroupDRO
from .jtt import JTT as JTT
from .linear_probe import LinearProbe as LinearProbe
from .orth_cal import OrthCal as OrthCal
from .ppa import PPA as PPA
from .registry import make as make
from .registry import method_class as method_class
from .registry import names as names
from .roboshot import RoboShot as RoboShot
from .self_ import SelectiveFinetuning as SelectiveFinetuning
from .ula import ULA as ULA
from .wise_ft import WiSEFT as WiSEFT
from .xrm import XRM as XRM
from .zero_shot import ZeroShot as ZeroShot

__all__ = [
    "AFR",
    "CENTROIDS",
    "CFR",
    "DFR",
    "ERM",
    "GRID",
    "JTT",
    "NEAREST",
    "PPA",
    "PRESETS",
    "PUBLISHED_CODE",
    "PUBLISHED_SIMILARITY",
    "SGD",
    "STABLE",
    "ULA",
    "XRM",
    "AnchorCrossEntropy",
    "Auto",
    "BatchCrossEntropy",
    "Calibration",
    "CalibrationRule",
    "CalibrationSet",
    "Centroid",
    "CentroidContrast",
    "CnC",
    "ContrastiveAdapter",
    "CrossFittedErm",
    "DrawnRows",
    "EVaLS",
    "ErmReference",
    "GroupDRO",
    "LinearProbe",
    "Method",
    "Misclassified",
    "Model",
    "NearestNegatives",
    "NegativeRule",
    "OrthCal",
    "PositiveRule",
    "PublishedCFR",
    "RandomNegatives",
    "Recipe",
    "Reference",
    "RoboShot",
    "SelectiveFinetuning",
    "ShortcutReference",
    "Similarity",
    "TargetedContrast",
    "Term",
    "WiSEFT",
    "ZeroShot",
    "ZeroShotReference",
    "make",
    "method_class",
    "names",
    "read_bundle",
    "write_bundle",
]
