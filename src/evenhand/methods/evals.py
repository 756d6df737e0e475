"""EVaLS: the last layer retrained on held-out rows of the highest and the lowest loss."""

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
"""Usual values of k."""
FEW = 10
"""With fewer rows of a class, a note says that the last layer has few."""


class EVaLS(Method):
    """Fit a last layer to the k highest-loss and the k lowest-loss held-out rows of every class.

    1. Train ERM on four fifths of the training rows.
    2. For each k of `ks`, fit a logistic regression on rows of half of the other fifth. High losses are rich
       in minority rows and low losses in majority rows; the classes are balanced by construction.
    3. Infer environments from ERM's logits (EIIL) on the other half, or on the validation rows if `fit`
       receives any. Keep the k with the highest worst accuracy over class × environment.

    If the smallest class has fewer than 2 k rows, k is reduced to half of its rows.

    Parameters
    ----------
    head : Head or None, default=None
        Projection and prototypes of the store; None takes X itself as the embedding.
    ks : sequence of int, default=(20, 50, 100, 10, 200)
        Values of k, at least 1. Ties go to the first k.
    C : float, default=0.1
        scikit-learn's inverse of the L2 penalty; the default is the middle of the grid that DFR published.
    erm : SGD or None, default=None
        Optimizer of the first stage. None means that of `ERM`.
    random_state : int, default=0
        Seed of held-out rows, halves and shuffles.

    Attributes
    ----------
    grid_ : list of dict
        Each k with its worst accuracy over environments; empty if no environment has 5 rows.
    k_ : int
        The chosen k.
    notes_ : tuple of str
        A sentence if a class gives the last layer fewer than 10 rows.

    References
    ----------
    M. Ghaznavi et al., Trained Models Tell Us How to Make Them Robust to Spurious Correlation without Group
    Annotation, 2024, arXiv 2410.05345.

    Examples
    --------
    >>> import numpy as np
    >>> X, y = np.array([[0.0, 1], [0, 2], [1, 0], [2, 0]] * 20), ["left", "left", "right", "right"] * 20
    >>> EVaLS(ks=(2,)).fit(X, y).predict([[0, 3], [3, 0]]).tolist()
    ['left', 'right']
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
        seed, units = child_seed(problem.seed, "evals", "halves"), problem.units
        units = None if units is None else units[base.held]
        fitting, scoring = hold_out(base.y, seed=seed, share=0.5, units=units)
        u, y, losses = base.seen.u[fitting], base.y[fitting], base.losses()[fitting]
        smallest = int(np.bincount(y).min())
        self.notes_ = _note(smallest)
        most = max(1, smallest // 2)
        sizes = list(dict.fromkeys(min(k, most) for k in self.ks))
        layers = [
            LastLayer(*logistic(u[rows], y[rows], self.C)) for rows in (extremes(losses, y, k) for k in sizes)
        ]
        if len(problem.y_val):
            seen, y_scored = HeldOutFeatures.of(base.erm, problem), problem.y_val.numpy()
        else:
            seen, y_scored = HeldOutFeatures(base.seen.u[scoring], base.seen.layer), base.y[scoring]
        scores = worst_environment(seen, y_scored, layers)
        self.grid_ = [{"k": k, "worst_environment": score} for k, score in zip(sizes, scores, strict=False)]
        best = int(np.argmax(scores)) if scores else 0
        self.k_ = sizes[best]
        return base.model(layers[best])


def _note(smallest: int) -> tuple[str, ...]:
    """Say that the last layer has few rows, if so, by those of the smallest class."""
    if smallest >= FEW:
        return ()
    return (
        f"the last layer is fitted to {smallest} row{'s' if smallest > 1 else ''} of the smallest class, a "
        "tenth of training: it may be far behind ERM",
    )


def extremes(losses: Floats, y: Ints, k: int) -> Ints:
    """Return the positions of the k highest and the k lowest losses [M] of each class in codes y [M]."""
    chosen = []
    for code in np.unique(y):
        rows = np.flatnonzero(y == code)
        order = rows[np.argsort(losses[rows], kind="stable")]
        chosen += [order[:k], order[-k:]]
    return np.unique(np.concatenate(chosen))


def worst_environment(seen: HeldOutFeatures, y: Ints, layers: Sequence[LastLayer]) -> list[float]:
    """Return each layer's worst accuracy over class × environment, [K]; empty where no cell has 5 rows.

    Parameters
    ----------
    seen : HeldOutFeatures
        Held-out rows, with the layer of ERM that environments are inferred from.
    y : int64 [M]
        Class codes of the rows.
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
