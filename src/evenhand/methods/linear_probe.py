"""Logistic regression on the pretrained embeddings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from sklearn.metrics import accuracy_score, balanced_accuracy_score

from evenhand._errors import NotAllowedError
from evenhand._ranges import POSITIVE, Each, Ranges
from evenhand._typing import Ints
from evenhand.data.head import Head
from evenhand.methods._training.folds import with_validation
from evenhand.methods._training.logistic import ClassWeight, logistic
from evenhand.methods._training.model import Model
from evenhand.methods._training.problem import Problem
from evenhand.methods.base import Method

GRID = tuple(float(c) for c in np.logspace(-3, 3, 7))
"""The usual values of C."""

SCORES: Mapping[str | None, tuple[str, Callable[[Ints, Ints], float]]] = {
    None: ("accuracy", accuracy_score),
    "balanced": ("class_mean", balanced_accuracy_score),
}
"""What chooses C, by class weight: with balanced weights, classes count alike in the choice too."""


class LinearProbe(Method):
    """Fit a logistic regression on the unit embeddings z, and choose C on validation rows.

    For each C of `Cs`, L-BFGS minimizes over the coefficients V and the intercepts d

        C Σ_i w_i · cross-entropy(V z_i + d, y_i) + ½ ‖V‖²

    with w_i = 1, or w_i = N / (number of classes · rows of class y_i) with balanced weights. The C with the
    highest validation accuracy wins; with balanced weights, the highest mean accuracy over classes. The probe
    is then fitted with that C on training and validation rows together. With a single C, no row is held out.
    The registry name `balanced_probe` stands for `LinearProbe(class_weight="balanced")`.

    Parameters
    ----------
    head : Head or None, default=None
        Projection of the store; None takes X itself as the embedding.
    Cs : sequence of float, default=(0.001, 0.01, 0.1, 1, 10, 100, 1000)
        Values of C, scikit-learn's inverse of the L2 penalty. Ties go to the largest C, which is the weakest
        penalty.
    class_weight : "balanced", mapping or None, default=None
        "balanced" gives every class the same total weight; None gives every row the same weight; a mapping of
        labels to weights gives the rows of each class that weight, 1 if a label is left out.
    random_state : int, default=0
        Seed of the split that holds out validation rows if `fit` receives none.

    Attributes
    ----------
    grid_ : list of dict
        Each C with its validation score, the weakest penalty first; empty with a single C.

    References
    ----------
    A. Radford et al., Learning Transferable Visual Models From Natural Language Supervision, ICML 2021.

    Examples
    --------
    >>> import numpy as np
    >>> X, y = np.array([[0.0, 1], [0, 2], [1, 0], [2, 0]] * 5), ["left", "left", "right", "right"] * 5
    >>> LinearProbe(class_weight="balanced").fit(X, y).predict([[0, 3], [3, 0]]).tolist()
    ['left', 'right']
    """

    configurations: ClassVar[tuple[Mapping[str, Any], ...]] = tuple(
        {"Cs": (c,)} for c in (1.0, 0.1, 10.0, 0.01, 100.0)
    )
    paper = "Radford et al., ICML 2021, arXiv 2103.00020"
    ranges: ClassVar[Ranges] = {"Cs": Each(POSITIVE)}

    def __init__(
        self,
        head: Head | None = None,
        Cs: Sequence[float] = GRID,
        class_weight: ClassWeight = None,
        random_state: Any = 0,
    ) -> None:
        self.head = head
        self.Cs = Cs
        self.class_weight = class_weight
        self.random_state = random_state

    @property
    def selection(self) -> str:  # type: ignore[override]
        """The score that chooses C."""
        return SCORES[self._scored_by()][0]

    def check_ranges(self) -> None:
        """Refuse numbers out of range and unknown class weights."""
        super().check_ranges()
        if not isinstance(self.class_weight, Mapping) and self.class_weight not in (None, "balanced"):
            allowed = ("balanced", "a mapping of labels to weights", "None")
            raise NotAllowedError.of("class_weight", self.class_weight, allowed)

    def _scored_by(self) -> str | None:
        return None if isinstance(self.class_weight, Mapping) else self.class_weight

    def _weight_of_codes(self) -> Mapping[int, float] | Literal["balanced"] | None:
        if not isinstance(self.class_weight, Mapping):
            return self.class_weight
        return {code: self.class_weight.get(label, 1.0) for code, label in enumerate(self.classes_.tolist())}

    def _learn(self, problem: Problem) -> Model:
        self.grid_: list[dict[str, float]] = []
        C = self.Cs[0] if len(self.Cs) == 1 else self._choose(with_validation(problem))
        parts = [(h, y) for h, y in ((problem.h, problem.y), (problem.h_val, problem.y_val)) if len(y)]
        z = np.concatenate([problem.start.embed_all(h).numpy() for h, _ in parts])
        y = np.concatenate([codes.numpy() for _, codes in parts])
        return Model.of_probe(problem, *logistic(z, y, C, self._weight_of_codes()))

    def _choose(self, problem: Problem) -> float:
        """Return the C with the highest score on the validation rows; sets `grid_`."""
        z, y = problem.start.embed_all(problem.h).numpy(), problem.y.numpy()
        z_val, y_val = problem.start.embed_all(problem.h_val).numpy(), problem.y_val.numpy()
        name, score = SCORES[self._scored_by()]
        for C in sorted(self.Cs, reverse=True):
            v, d = logistic(z, y, C, self._weight_of_codes())
            self.grid_.append({"C": C, name: float(score(y_val, (z_val @ v.T + d).argmax(axis=1)))})
        return max(self.grid_, key=lambda tried: tried[name])["C"]
