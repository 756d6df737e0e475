from ._errors import EvenhandError as EvenhandError
from ._errors import EvenhandWarning as EvenhandWarning
from ._version import __version__ as __version__
from .audits.error_analysis import ErrorAnalysis as ErrorAnalysis
from .audits.error_analysis import analyze_run as analyze_run
from .audits.pipeline import Audit as Audit
from .audits.pipeline import audit as audit
from .backbones.base import Backbone as Backbone
from .backbones.load import load_backbone as load_backbone
from .backbones.openclip import load_openclip as load_openclip
from .backbones.tiny import load_tiny as load_tiny
from .comparison.run import compare as compare
from .data.head import Head as Head
from .data.manifest import Manifest as Manifest
from .data.own_embeddings import import_embeddings as import_embeddings
from .data.store import load_store as load_store
from .data.store import read_store as read_store
from .data.table import FeatureTable as FeatureTable
from .evaluation.results import Results as Results
from .exports.run import export as export
from .extract.embed_images import embed as embed
from .methods._training.loop import SGD as SGD
from .methods.afr import AFR as AFR
from .methods.auto.estimator import Auto as Auto
from .methods.base import Method as Method
from .methods.cfr.estimator import CFR as CFR
from .methods.cfr.published import PublishedCFR as PublishedCFR
from .methods.cfr.recipe import Recipe as Recipe
from .methods.cnc import CnC as CnC
from .methods.contrastive_adapter import ContrastiveAdapter as ContrastiveAdapter
from .methods.dfr import DFR as DFR
from .methods.erm import ERM as ERM
from .methods.evals import EVaLS as EVaLS
from .methods.group_dro import GroupDRO as GroupDRO
from .methods.jtt import JTT as JTT
from .methods.linear_probe import LinearProbe as LinearProbe
from .methods.orth_cal import OrthCal as OrthCal
from .methods.ppa import PPA as PPA
from .methods.roboshot import RoboShot as RoboShot
from .methods.self_ import SelectiveFinetuning as SelectiveFinetuning
from .methods.ula import ULA as ULA
from .methods.wise_ft import WiSEFT as WiSEFT
from .methods.xrm import XRM as XRM
from .methods.zero_shot import ZeroShot as ZeroShot
from .reports.page import report as report
from .runs.demo import run_demo as run_demo
from .runs.fit import fit as fit
from .runs.load import FittedRun as FittedRun
from .runs.load import load_run as load_run
from .runs.predict import predict as predict

__all__ = [
    "AFR",
    "CFR",
    "DFR",
    "ERM",
    "JTT",
    "PPA",
    "SGD",
    "ULA",
    "XRM",
    "Audit",
    "Auto",
    "Backbone",
    "CnC",
    "ContrastiveAdapter",
    "EVaLS",
    "ErrorAnalysis",
    "EvenhandError",
    "EvenhandWarning",
    "FeatureTable",
    "FittedRun",
    "GroupDRO",
    "Head",
    "LinearProbe",
    "Manifest",
    "Method",
    "OrthCal",
    "PublishedCFR",
    "Recipe",
    "Results",
    "RoboShot",
    "SelectiveFinetuning",
    "WiSEFT",
    "ZeroShot",
    "__version__",
    "analyze_run",
    "audit",
    "compare",
    "embed",
    "export",
    "fit",
    "import_embeddings",
    "load_backbone",
    "load_openclip",
    "load_run",
    "load_store",
    "load_tiny",
    "predict",
    "read_store",
    "report",
    "run_demo",
]
