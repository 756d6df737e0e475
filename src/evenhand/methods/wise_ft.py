"""WiSE-FT: weights on the straight line from zero-shot to ERM."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from evenhand._errors import EvenhandError
from evenhand._ranges import SHARE, Each, Ranges
from evenhand.data.head import Head
from evenhand.methods._training.folds import with_validation
from evenhand.methods._training.loop import SGD
from evenhand.methods._training.model import Model
from evenhand.methods._training.problem import Problem
from evenhand.methods._training.train_erm import erm_sgd, train_erm
from evenhand.methods.base import Method
from evenhand.methods.cfr.held_out import ReferenceModels, fit_probe
from evenhand.selection.rule_names import LabelFreeRule
from evenhand.selection.rules import SHORTCUT_CELL, find_rule

SHARES = tuple(round(0.1 * step, 1) for step in range(11))
"""0, 0.1, …, 1, as published."""


class WiSEFT(Method):
    """Interpolate between the pretrained and the ERM-trained projection, W = (1 − α) W0 + α W_ERM.

    The logarithm of the logit scale is interpolated likewise. ERM is trained on training rows without the
    validation rows, and a rule without group labels chooses α on the validation rows. ERM is then trained on
    all training rows. With a single share, no row is held out. Without text features,
    W0 is the pretrained projection of centered rows, and the prototypes are class centroids.

    Parameters
    ----------
    head : Head or None, default=None
        Projection and prototypes of the store; None takes X itself as the embedding.
    shares : sequence of float, default=(0, 0.1, 0.2, …, 1)
        Values of α from 0, zero-shot, to 1, ERM. Ties go to the first. Without a choice, the authors use 0.5.
    rule : str, default="shortcut_cell"
        Name of the label-free rule that scores the shares; its cells come from a shortcut probe and an ERM
        trained on the same rows.
    erm : SGD or None, default=None
        Optimizer of ERM. None means that of `ERM`.
    random_state : int, default=0
        Seed of held-out rows and shuffles.

    Attributes
    ----------
    share_ : float
        The chosen α.
    grid_ : list of dict
        Each share with its score; empty with a single share.
    notes_ : tuple of str
        Notes for the user, one sentence each.

    References
    ----------
    M. Wortsman et al., Robust Fine-Tuning of Zero-Shot Models, CVPR 2022, arXiv 2109.01903.

    Examples
    --------
    >>> import numpy as np
    >>> X, y = np.array([[0.0, 1], [0, 2], [1, 0], [2, 0]] * 5), ["left", "left", "right", "right"] * 5
    >>> WiSEFT(shares=(0.5,)).fit(X, y).predict([[0, 3], [3, 0]]).tolist()
    ['left', 'right']
    """

    configurations: ClassVar[tuple[Mapping[str, Any], ...]] = tuple(
        {"shares": (share,)} for share in (0.5, 0.25, 0.75, 0.1, 0.9)
    )
    paper: ClassVar[str] = "Wortsman et al., CVPR 2022, arXiv 2109.01903"
    ranges: ClassVar[Ranges] = {"shares": Each(SHARE)}

    def __init__(
        self,
        head: Head | None = None,
        shares: Sequence[float] = SHARES,
        rule: LabelFreeRule = "shortcut_cell",
        erm: SGD | None = None,
        random_state: Any = 0,
    ) -> None:
        self.head = head
        self.shares = shares
        self.rule = rule
        self.erm = erm
        self.random_state = random_state

    @property
    def selection(self) -> str:  # type: ignore[override]
        """The rule that chooses the share; "none" with a single share."""
        return "none" if len(self.shares) == 1 else self.rule

    def check_ranges(self) -> None:
        """Refuse numbers out of range, and rules that are unknown or use group labels."""
        super().check_ranges()
        if find_rule(self.rule).group_labels_used != "none":
            raise EvenhandError(
                f"rule: {self.rule} uses group labels, which wise_ft never sees; choose a label-free rule "
                f"such as {SHORTCUT_CELL.name}"
            )

    def _learn(self, problem: Problem) -> Model:
        self.notes_: tuple[str, ...] = ()
        self.grid_: list[dict[str, float]] = []
        sgd = self.erm or erm_sgd(problem)
        self.share_ = self.shares[0] if len(self.shares) == 1 else self._choose(with_validation(problem), sgd)
        erm = train_erm(problem, sgd, self.history_)
        return Model.of_state(problem, problem.start.between(erm, self.share_))

    def _choose(self, problem: Problem, sgd: SGD) -> float:
        """Return the share with the highest score on the validation rows; sets `grid_`."""
        rule = find_rule(self.rule)
        erm = train_erm(problem, sgd, [])
        seen = ReferenceModels(erm, fit_probe(problem)).predict(problem, rule)
        cells = rule.partition(seen)
        if not cells.members:
            self.notes_ = ("too few rows are held out to score a share: the usual 0.5 is used",)
            return 0.5
        states = [problem.start.between(erm, share) for share in self.shares]
        codes = np.stack([state.codes(problem.h_val, problem.prototypes) for state in states])
        scores = rule.scores(codes == seen.y, cells).tolist()
        self.grid_ = [
            {"share": share, rule.name: score} for share, score in zip(self.shares, scores, strict=True)
        ]
        return self.shares[int(np.argmax(scores))]
