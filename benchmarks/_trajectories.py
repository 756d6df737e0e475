"""Candidates of one plan on one set, with what selection may see and what the test rows say, kept on disk."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch

from evenhand import CFR, DFR
from evenhand._files import atomic
from evenhand._typing import Floats, Ints
from evenhand.data import FeatureTable
from evenhand.methods._training.problem import Problem, build_problem
from evenhand.methods._training.rows import RowView
from evenhand.methods.cfr.candidates import Candidates, History, cross_fitted
from evenhand.methods.cfr.trajectory import CandidatePlan
from evenhand.selection import HeldOutPredictions, Rule
from evenhand.selection.rules import WORST_CLUSTER


@dataclass(frozen=True)
class Run:
    """What one plan leaves on one set.

    Attributes
    ----------
    names : list of K str
        Candidates.
    predictions, held_out : int64 [K, M], HeldOutPredictions
        On cross-fitted training rows.
    test : int64 [K + 2, n]
        Test codes predicted by zero-shot, ERM and the candidates.
    test_y, test_groups : int64 [n]
        True codes, group codes.
    seconds : float
        Of the fit.
    """

    names: list[str]
    predictions: Ints
    held_out: HeldOutPredictions
    test: Ints
    test_y: Ints
    test_groups: Ints
    seconds: float

    def worst_groups(self) -> Floats:
        """Return the test worst-group accuracy of zero-shot, ERM and the candidates, [K + 2]."""
        right = self.test == self.test_y
        known = np.unique(self.test_groups[self.test_groups >= 0])
        worst: Floats = np.min([right[:, self.test_groups == g].mean(axis=1) for g in known], axis=0)
        return worst

    def write(self, path: Path) -> None:
        """Write as npz."""
        fields = {f"held_out_{name}": value for name, value in vars(self.held_out).items()}
        rest = {name: value for name, value in vars(self).items() if name not in ("held_out", "names")}
        with atomic(path) as temporary, temporary.open("wb") as stream:
            np.savez_compressed(stream, names=np.array(self.names), **fields, **rest)

    @classmethod
    def read(cls, path: Path) -> Run:
        """Read what `write` wrote."""
        with np.load(path) as found:
            held_out = HeldOutPredictions(
                **{k.removeprefix("held_out_"): found[k] for k in found if k.startswith("held_out_")}
            )
            rest: dict[str, Any] = {
                k: found[k] for k in found if not k.startswith("held_out_") and k not in ("names", "seconds")
            }
            return cls(
                names=found["names"].tolist(), held_out=held_out, seconds=float(found["seconds"]), **rest
            )


Way: TypeAlias = Callable[[Problem, CandidatePlan, Rule, int, History], Candidates]
"""How candidates of a plan are made and scored: `cross_fitted`, or as it does."""


def follow_or_read(
    table: FeatureTable,
    seed: int,
    attribute: str,
    params: Mapping[str, Any],
    path: Path,
    way: Way = cross_fitted,
) -> Run:
    """Return the run of CFR with `params`, made when `path` does not hold it."""
    if path.exists():
        return Run.read(path)
    problem, test_h, test_y, test_groups = _problem(table, seed, attribute)
    method = CFR(**params)
    start = time.perf_counter()
    found = way(problem, method._plan(problem), WORST_CLUSTER, method.folds, [])
    seconds = time.perf_counter() - start
    states = [problem.start, found.erm, *found.states]
    test = np.stack([state.codes(test_h, problem.prototypes) for state in states])
    run = Run(found.names, found.predictions, found.scored, test, test_y, test_groups, seconds)
    path.parent.mkdir(parents=True, exist_ok=True)
    run.write(path)
    return run


def oracle_or_read(table: FeatureTable, seed: int, attribute: str, path: Path) -> float:
    """Return DFR's test worst-group accuracy where it may see the group labels of all training rows."""
    if not path.exists():
        train, test = table.rows("train"), table.rows("test")
        X, y, groups = table.features(train), table.labels(train), table.groups(attribute, train)
        method = DFR(table.head, random_state=seed).fit(X, y, validation=(X, y, groups))
        right = method.predict(table.features(test)) == table.labels(test)
        names = table.groups(attribute, test)
        value = min(float(right[names == name].mean()) for name in np.unique(names) if name)
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic(path) as temporary:
            temporary.write_text(json.dumps({"method": DFR.__name__, "worst_group": value}))
    return float(json.loads(path.read_text())["worst_group"])


def _problem(table: FeatureTable, seed: int, attribute: str) -> tuple[Problem, RowView, Ints, Ints]:
    train, test = table.rows("train"), table.rows("test")
    names = np.unique(table.attributes[attribute])
    groups = table.y * len(names) + np.searchsorted(names, table.attributes[attribute])
    X = table.features(train)
    empty = X[:0], table.y[:0]
    problem = build_problem(X, table.y[train], *empty, len(table.classes), table.head, seed)
    problem = Problem(**{**vars(problem), "groups": groups[train]})
    h = problem.coordinates.scaled(RowView(torch.from_numpy(table.features(test))))
    return problem, h, table.y[test], groups[test]
