"""EVaLS (arXiv 2410.05345): the last layer again, on held-out rows of the highest and the lowest loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from evenhand._random import child_seed
from evenhand._ranges import COUNT, POSITIVE, Each, Ranges
from evenhand._typing import Floats, Ints
from evenhand.data.head import Head
from evenhand.data.splits import hold_out
from evenhand.methods._training.last_layer import HeldOutFeatures, LastLayer, hold_out_and_train
from evenhand.methods._training.logistic import logistic
from evenhand.methods._training.loop import SGD
from evenhand.methods._training.model import Model
from evenhand.methods._training.problem import Problem
from evenhand.methods._training.train_erm import erm_sgd
from evenhand.methods.base import Method
from evenhand.selection.held_out import HeldOutPredictions
from evenhand.selection.rules import WORST_ENVIRONMENT

GRID = (20, 50, 100, 10, 200)
"""Numbers k of rows that are tried, the usual one first."""


class EVaLS(Method):
    """Logistic regression on the k highest-loss and the k lowest-loss held-out rows of every class.

    ERM is trained on four fifths of training. Half of the other fifth gives the rows: high losses are richer
    in minority rows than the whole, low ones in majority rows, and classes are balanced by construction. A
    new last layer (see `methods._last_layer`) is fitted to them with inverse penalty C. The other half
    judges: its rows are split by environments inferred from ERM's logits (EIIL), and the k whose worst
    accuracy over class × environment is the highest is kept. Given validation rows judge in its place.

    A k of which the smallest class has no 2 k rows is cut to half of that class's rows.

    Parameters
    ----------
    head : Head, optional
        Projection and prototypes of the store.
    ks : sequence of int
        Numbers k that are tried; ties go to the one that comes first.
    C : float
        Inverse penalty of scikit-learn's logistic regression on u; the middle of the grid that DFR published.
    erm : SGD, optional
        How the first stage is trained; ERM's own way by default.
    random_state : int
        Seeds hold-out, halves and shuffles.

    Attributes
    ----------
    grid_ : list of dict
        Each tried k with its worst accuracy over environments; empty where no environment has 5 rows.
    k_ : int
        The one kept.
    """

    selection = "worst_environment"
    configurations: ClassVar[tuple[Mapping[str, Any], ...]] = tuple({"ks": (k,)} for k in GRID)
    paper = "Ghaznavi et al., 2024, arXiv 2410.05345"
    ranges: ClassVar[Ranges] = {
        "ks": Each(COUNT),
        "C": POSITIVE,
    }

    def __init__(
        self,
        head: Head | None = None,
        ks: Sequence[int] = GRID,
        C: float = 0.1,
        erm: SGD | None = None,
        random_state: Any = 0,
    ) -> None:
        self.head = head
        self.ks = ks
        self.C = C
        self.erm = erm
        self.random_state = random_state

    def _learn(self, problem: Problem) -> Model:
        base = hold_out_and_train(problem, self.erm or erm_sgd(problem), self.history_)
        sampled, judged = hold_out(base.y, seed=child_seed(problem.seed, "evals", "halves"), share=0.5)
        u, y, losses = base.seen.u[sampled], base.y[sampled], base.losses()[sampled]
        most = max(1, int(np.bincount(y).min()) // 2)
        sizes = list(dict.fromkeys(min(k, most) for k in self.ks))
        layers = [_fitted(u, y, extremes(losses, y, k), self.C) for k in sizes]
        if len(problem.y_val):
            seen, y_judged = HeldOutFeatures.of(base.erm, problem), problem.y_val.numpy()
        else:
            seen, y_judged = HeldOutFeatures(base.seen.u[judged], base.seen.layer), base.y[judged]
        scores = worst_environment(seen, y_judged, layers)
        self.grid_ = [{"k": k, "worst_environment": score} for k, score in zip(sizes, scores, strict=False)]
        best = int(np.argmax(scores)) if scores else 0
        self.k_ = sizes[best]
        return base.model(layers[best])


def extremes(losses: Floats, y: Ints, k: int) -> Ints:
    """Return the positions of each class's k highest and k lowest of losses [M], with codes y [M]."""
    chosen = []
    for code in np.unique(y):
        rows = np.flatnonzero(y == code)
        order = rows[np.argsort(losses[rows], kind="stable")]
        chosen += [order[:k], order[-k:]]
    return np.unique(np.concatenate(chosen))


def _fitted(u: Floats, y: Ints, rows: Ints, C: float) -> LastLayer:
    return LastLayer(*logistic(u[rows], y[rows], C))


def worst_environment(seen: HeldOutFeatures, y: Ints, layers: Sequence[LastLayer]) -> list[float]:
    """Return each layer's worst accuracy over class × environment, [K]; nothing where no cell has 5 rows.

    Parameters
    ----------
    seen : HeldOutFeatures
        The judged rows, with the layer of ERM that environments are inferred from.
    y : int64 [M]
        Their codes.
    layers : sequence of K LastLayer
        Candidates.
    """
    erm = seen.logits
    cells = WORST_ENVIRONMENT.partition(HeldOutPredictions(y=y, zero_shot=y, erm_logits=erm, shortcut=y))
    if not cells.members:
        return []
    right = np.stack([layer.logits(seen.u).argmax(axis=1) == y for layer in layers])
    scores: list[float] = WORST_ENVIRONMENT.reduce(cells.rates(right), cells.classes).tolist()
    return scores
