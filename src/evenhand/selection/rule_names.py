"""The names of the selection rules, which the command line offers without importing the rules."""

from __future__ import annotations

from typing import Literal, TypeAlias

LabelFreeRule: TypeAlias = Literal[
    "accuracy",
    "worst_class",
    "worst_cell",
    "balanced_cell",
    "shortcut_cell",
    "worst_shortcut_cell",
    "worst_cluster",
    "worst_environment",
]
RuleName: TypeAlias = Literal[LabelFreeRule, "worst_group"]
