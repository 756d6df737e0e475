"""Deep feature reweighting (DFR): a last layer from validation rows that are balanced by group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import numpy as np
import sklearn
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from evenhand._errors import EvenhandError
from evenhand._random import child_seed, numpy_stream
from evenhand._ranges import COUNT, POSITIVE, Each, Ranges
from evenhand._typing import Floats, Ints
from evenhand.data.head import Head
from evenhand.data.splits import hold_out
from evenhand.methods._training.folds import with_validation
from evenhand.methods._training.model import Model
from evenhand.methods._training.problem import Problem
from evenhand.methods.base import Method

GRID = (0.01, 0.03, 0.07, 0.1, 0.3, 0.7, 1.0)
"""Values of C in the published code."""

# scikit-learn 1.8 replaced penalty= by l1_ratio=, which earlier versions ignore under liblinear.
_L1 = (
    {"l1_ratio": 1.0} if tuple(map(int, sklearn.__version__.split(".")[:2])) >= (1, 8) else {"penalty": "l1"}
)


class DFR(Method):
    """Average L1 logistic regressions on standardized z over group-balanced subsets of the validation rows.

    A group is a class crossed with a group label. Rows with an unknown label are left out.

    1. Choose C: fit on a balanced subset of half of the validation rows, and take the C with the highest
       worst-group accuracy on the other half.
    2. Fit `n_refits` balanced subsets of all validation rows, with z standardized on the training rows, and
       average the coefficients.

    With more than two classes, each is fitted against the rest, and the logits are the decision values.

    Parameters
    ----------
    head : Head or None, default=None
        Projection of the store; None takes X itself as the embedding.
    Cs : sequence of float, default=(0.01, 0.03, 0.07, 0.1, 0.3, 0.7, 1)
        Values of C, scikit-learn's inverse of the L1 penalty. Ties go to the largest C, which is the weakest
        penalty, as in the authors' code.
    n_refits : int, default=20
        Number of balanced subsets to average over.
    random_state : int, default=0
        Seed of held-out rows, halves and subsets.

    Attributes
    ----------
    C_ : float
        The chosen C.
    grid_ : list of dict
        Each C with its worst-group accuracy, the weakest penalty first.
    notes_ : tuple of str
        Notes for the user, one sentence each.

    References
    ----------
    P. Kirichenko, P. Izmailov, A. G. Wilson, Last Layer Re-Training is Sufficient for Robustness to
    Spurious Correlations, ICLR 2023, arXiv 2204.02937.

    Examples
    --------
    >>> import numpy as np
    >>> X, y = np.random.default_rng(0).normal(size=(80, 3)) + np.eye(2, 3)[[0, 1] * 40] * 3, [0, 1] * 40
    >>> groups = ["red", "red", "blue", "blue"] * 20
    >>> DFR(n_refits=3).fit(X, y, validation=(X, y, groups)).score(X, y) > 0.9
    True
    """

    group_labels_used: ClassVar[Literal["none", "validation", "train"]] = "validation"
    needs: ClassVar[tuple[str, ...]] = ("groups",)
    selection: ClassVar[str] = "worst_group"
    paper: ClassVar[str] = "Kirichenko et al., ICLR 2023, arXiv 2204.02937"
    ranges: ClassVar[Ranges] = {
        "Cs": Each(POSITIVE),
        "n_refits": COUNT,
    }

    def __init__(
        self,
        head: Head | None = None,
        Cs: Sequence[float] = GRID,
        n_refits: int = 20,
        random_state: Any = 0,
    ) -> None:
        self.head = head
        self.Cs = Cs
        self.n_refits = n_refits
        self.random_state = random_state

    def _learn(self, problem: Problem) -> Model:
        problem = with_validation(problem)
        z, y, groups = self._known_rows(problem)
        self.C_ = self._choose(z, y, groups, problem)
        scaler = StandardScaler()
        for block in problem.h.blocks():
            scaler.partial_fit(problem.start.embed(block).numpy())
        z = scaler.transform(z)
        fits = []
        for number in range(self.n_refits):
            rows = _balanced(groups, problem.seed, "refit", number)
            fits.append(_one_vs_rest(z[rows], y[rows], problem.n_classes, self.C_, problem.seed))
        mean = np.mean(fits, axis=0)
        coefficients = mean[:, :-1] / scaler.scale_
        intercept = mean[:, -1] - coefficients @ scaler.mean_
        return Model.of_probe(problem, coefficients, intercept)

    def _known_rows(self, problem: Problem) -> tuple[Floats, Ints, Ints]:
        """Return z float64 [M, D_out], y [M] and group codes [M] of the validation rows of known group."""
        labels = problem.groups_val
        if labels is None or not (labels >= 0).any():
            raise EvenhandError(
                "validation: no row has a group label, but DFR balances validation by group; "
                "give (X_val, y_val, groups_val), or choose a method that uses no groups"
            )
        known = labels >= 0
        y = problem.y_val.numpy()[known]
        z = problem.start.embed(problem.h_val[torch.from_numpy(np.flatnonzero(known))]).double().numpy()
        self.notes_ = _absence(problem, y, labels[known])
        return z, y, _crossed(y, labels[known], self.classes_.tolist())

    def _choose(self, z: Floats, y: Ints, groups: Ints, problem: Problem) -> float:
        """Return the C with the highest worst-group accuracy on half of the rows; sets `grid_`."""
        fitting, scoring = hold_out(groups, seed=child_seed(problem.seed, "dfr", "halves"), share=0.5)
        rows = fitting[_balanced(groups[fitting], problem.seed, "choose")]
        scaler = StandardScaler().fit(z[rows])
        fitted, held_out = scaler.transform(z[rows]), scaler.transform(z[scoring])
        self.grid_: list[dict[str, float]] = []
        for C in sorted(self.Cs, reverse=True):
            fit = _one_vs_rest(fitted, y[rows], problem.n_classes, C, problem.seed)
            correct = (held_out @ fit[:, :-1].T + fit[:, -1]).argmax(axis=1) == y[scoring]
            hits, sizes = np.bincount(groups[scoring], correct), np.bincount(groups[scoring])
            self.grid_.append({"C": C, "worst_group": float((hits / sizes).min())})
        return max(self.grid_, key=lambda tried: tried["worst_group"])["C"]


def _absence(problem: Problem, y: Ints, labels: Ints) -> tuple[str, ...]:
    """Say how many groups of the training rows have no row among validation codes y [M] and labels [M]."""
    if problem.groups is None:
        return ()
    known = problem.groups >= 0
    trained = set(zip(problem.y.numpy()[known].tolist(), problem.groups[known].tolist(), strict=True))
    absent = trained - set(zip(y.tolist(), labels.tolist(), strict=True))
    if not absent:
        return ()
    return (
        f"validation has no row of {len(absent)} of the {len(trained)} groups of training: DFR "
        "neither balances nor scores them",
    )


def _crossed(y: Ints, labels: Ints, classes: list[Any]) -> Ints:
    """Return group codes [M] of class × label; only groups with rows are numbered, each with two or more."""
    absent = np.setdiff1d(np.arange(len(classes)), y)
    if len(absent):
        raise EvenhandError(
            f"validation: no row of class {classes[absent[0]]!r} has a group label; "
            "DFR needs at least 2 of every class and group, so label some"
        )
    span = int(labels.max()) + 1
    numbers: Ints
    cells, numbers, sizes = np.unique(y * span + labels, return_inverse=True, return_counts=True)
    if sizes.min() < 2:
        code = int(cells[sizes.argmin()]) // span
        raise EvenhandError(
            f"validation: a group of class {classes[code]!r} has 1 row; DFR needs at least 2, "
            "one to fit and one to score, so add such rows or leave that row's group unknown"
        )
    return numbers


def _balanced(groups: Ints, seed: int, *names: str | int) -> Ints:
    """Return row numbers with equally many rows of each group, drawn without replacement."""
    generator = numpy_stream(seed, "dfr", *names)
    size = np.bincount(groups).min()
    drawn = [
        generator.permutation(np.flatnonzero(groups == group))[:size] for group in range(groups.max() + 1)
    ]
    return np.concatenate(drawn)


def _one_vs_rest(z: Floats, y: Ints, n_classes: int, C: float, seed: int) -> Floats:
    """Return coefficients and intercepts, [C, D + 1]; two classes share the halves of one fit."""
    rows = []
    for code in [1] if n_classes == 2 else range(n_classes):
        regression = LogisticRegression(C=C, solver="liblinear", random_state=seed % 2**32, **_L1)
        regression.fit(z, y == code)
        rows.append(np.append(regression.coef_[0], regression.intercept_))
    return np.stack([-rows[0] / 2, rows[0] / 2] if n_classes == 2 else rows)
