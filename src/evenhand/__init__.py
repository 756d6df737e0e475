"""evenhand: find and remove shortcuts in CLIP classifiers, without group labels.

The public names are loaded at first use, so that `import evenhand` costs milliseconds.
"""

from importlib import import_module
from typing import Any

from evenhand._errors import EvenhandError as EvenhandError
from evenhand._errors import EvenhandWarning as EvenhandWarning
from evenhand._version import __version__ as __version__

_LAZY = {
    "AFR": "evenhand.methods.afr",
    "Backbone": "evenhand.backbones.base",
    "BalancedProbe": "evenhand.methods.balanced_probe",
    "CFR": "evenhand.methods.cfr.estimator",
    "CnC": "evenhand.methods.cnc",
    "ContrastiveAdapter": "evenhand.methods.contrastive_adapter",
    "DFR": "evenhand.methods.dfr",
    "ERM": "evenhand.methods.erm",
    "EVaLS": "evenhand.methods.evals",
    "FeatureTable": "evenhand.data.table",
    "GroupDRO": "evenhand.methods.group_dro",
    "Head": "evenhand.data.head",
    "JTT": "evenhand.methods.jtt",
    "LinearProbe": "evenhand.methods.linear_probe",
    "Manifest": "evenhand.data.manifest",
    "OrthCal": "evenhand.methods.orth_cal",
    "PPA": "evenhand.methods.ppa",
    "Results": "evenhand.evaluation.results",
    "RoboShot": "evenhand.methods.roboshot",
    "SelectiveFinetuning": "evenhand.methods.self_",
    "ZeroShot": "evenhand.methods.zero_shot",
    "audit_table": "evenhand.audits.pipeline",
    "compare_methods": "evenhand.comparison.run",
    "embed": "evenhand.extract.local",
    "export_run": "evenhand.exports.run",
    "fit_run": "evenhand.runs.fit",
    "import_embeddings": "evenhand.data.embeddings",
    "load": "evenhand.runs.load",
    "load_openclip": "evenhand.backbones.openclip",
    "load_tiny": "evenhand.backbones.tiny",
    "predict_run": "evenhand.runs.predict",
    "read_store": "evenhand.data.store",
    "render_report": "evenhand.reports.page",
    "run_demo": "evenhand.runs.demo",
}

__all__ = sorted([*_LAZY, "EvenhandError", "EvenhandWarning", "__version__"])


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'evenhand' has no attribute {name!r}")
    value = getattr(import_module(_LAZY[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
