from evenhand._errors import EvenhandError as EvenhandError
from evenhand._errors import EvenhandWarning as EvenhandWarning
from evenhand._version import __version__ as __version__
from evenhand.audits.pipeline import audit_table as audit_table
from evenhand.backbones.base import Backbone as Backbone
from evenhand.backbones.openclip import load_openclip as load_openclip
from evenhand.backbones.tiny import load_tiny as load_tiny
from evenhand.comparison.run import compare_methods as compare_methods
from evenhand.data.embeddings import import_embeddings as import_embeddings
from evenhand.data.head import Head as Head
from evenhand.data.manifest import Manifest as Manifest
from evenhand.data.store import read_store as read_store
from evenhand.data.table import FeatureTable as FeatureTable
from evenhand.evaluation.results import Results as Results
from evenhand.exports.run import export_run as export_run
from evenhand.extract.local import embed as embed
from evenhand.methods.afr import AFR as AFR
from evenhand.methods.balanced_probe import BalancedProbe as BalancedProbe
from evenhand.methods.cfr.estimator import CFR as CFR
from evenhand.methods.cnc import CnC as CnC
from evenhand.methods.contrastive_adapter import ContrastiveAdapter as ContrastiveAdapter
from evenhand.methods.dfr import DFR as DFR
from evenhand.methods.erm import ERM as ERM
from evenhand.methods.evals import EVaLS as EVaLS
from evenhand.methods.group_dro import GroupDRO as GroupDRO
from evenhand.methods.jtt import JTT as JTT
from evenhand.methods.linear_probe import LinearProbe as LinearProbe
from evenhand.methods.orth_cal import OrthCal as OrthCal
from evenhand.methods.ppa import PPA as PPA
from evenhand.methods.roboshot import RoboShot as RoboShot
from evenhand.methods.self_ import SelectiveFinetuning as SelectiveFinetuning
from evenhand.methods.zero_shot import ZeroShot as ZeroShot
from evenhand.reports.page import render_report as render_report
from evenhand.runs.demo import run_demo as run_demo
from evenhand.runs.fit import fit_run as fit_run
from evenhand.runs.load import load as load
from evenhand.runs.predict import predict_run as predict_run

__all__ = [
    "AFR",
    "CFR",
    "DFR",
    "ERM",
    "JTT",
    "PPA",
    "Backbone",
    "BalancedProbe",
    "CnC",
    "ContrastiveAdapter",
    "EVaLS",
    "EvenhandError",
    "EvenhandWarning",
    "FeatureTable",
    "GroupDRO",
    "Head",
    "LinearProbe",
    "Manifest",
    "OrthCal",
    "Results",
    "RoboShot",
    "SelectiveFinetuning",
    "ZeroShot",
    "__version__",
    "audit_table",
    "compare_methods",
    "embed",
    "export_run",
    "fit_run",
    "import_embeddings",
    "load",
    "load_openclip",
    "load_tiny",
    "predict_run",
    "read_store",
    "render_report",
    "run_demo",
]
