"""CFR by the protocol of its published code: the checkpoint is chosen by validation groups. An oracle."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np

from evenhand._errors import EvenhandError
from evenhand.data.head import Head
from evenhand.methods._training.folds import with_validation
from evenhand.methods._training.loop import SGD
from evenhand.methods._training.model import Model
from evenhand.methods._training.problem import Problem
from evenhand.methods.base import Method
from evenhand.methods.cfr.estimator import CFR
from evenhand.methods.cfr.recipe import Recipe
from evenhand.methods.cfr.trajectory import follow
from evenhand.selection.rules import WORST_GROUP


class PublishedCFR(Method):
    """Calibrate by the published code's settings, and keep the epoch with the best validation worst group.

    The settings are those of `CFR(preset="published-code")`. The published code evaluates every epoch; here
    at most 25 of them are candidates, every fourth of 100. As in the published code, ERM is not a candidate.
    If `fit` receives no validation rows, a fifth of the training rows is held out, with their groups.

    Parameters
    ----------
    head : Head or None, default=None
        Projection and prototypes of the store; None takes X itself as the embedding.
    recipe : Recipe or None, default=None
        Loss terms, draws and optimizer of calibration. None means `PUBLISHED_CODE`.
    erm : SGD or None, default=None
        Optimizer of stage 1. None means the published one.
    random_state : int, default=0
        Seed of shuffles, draws and held-out rows.

    Attributes
    ----------
    epoch_ : int
        The epoch that was kept.
    grid_ : list of dict
        Each candidate epoch with its worst-group accuracy on the validation rows of known group.
    notes_ : tuple of str
        Notes for the user, one sentence each.

    References
    ----------
    C. You et al., Calibrating Multi-modal Representations: A Pursuit of Group Robustness without Annotations,
    CVPR 2024, arXiv 2403.07241: the selection of the published code.

    Examples
    --------
    >>> import numpy as np
    >>> from evenhand.methods import SGD
    >>> X, y = np.array([[0.0, 1], [0, 2], [1, 0], [2, 0]] * 5), ["left", "left", "right", "right"] * 5
    >>> model = PublishedCFR(erm=SGD(learning_rate=0.01, epochs=2))
    >>> model = model.fit(X, y, validation=(X, y, ["in", "out"] * 10))
    >>> model.predict([[0, 3], [3, 0]]).tolist()
    ['left', 'right']
    """

    group_labels_used: ClassVar[Literal["none", "validation", "train"]] = "validation"
    needs: ClassVar[tuple[str, ...]] = ("groups",)
    selection: ClassVar[str] = WORST_GROUP.name
    paper: ClassVar[str] = "You et al., CVPR 2024, arXiv 2403.07241, by its published code"

    def __init__(
        self,
        head: Head | None = None,
        recipe: Recipe | None = None,
        erm: SGD | None = None,
        random_state: Any = 0,
    ) -> None:
        self.head = head
        self.recipe = recipe
        self.erm = erm
        self.random_state = random_state

    def _learn(self, problem: Problem) -> Model:
        problem = with_validation(problem)
        if problem.groups_val is None or not (problem.groups_val >= 0).any():
            raise EvenhandError(
                "validation: no row has a group label, but the published selection is by worst group; give "
                "(X_val, y_val, groups_val), or use cfr, which uses no groups"
            )
        plan = CFR(preset="published-code", recipes=self.recipe, erm=self.erm)._plan(problem)
        path = follow(problem, plan, self.history_)
        self.notes_ = path.chosen.notes
        predictions, seen = path.predict(problem, WORST_GROUP)
        scores = WORST_GROUP.scores(predictions == seen.y, WORST_GROUP.partition(seen))
        epochs = {
            int(name.removeprefix("epoch ")): k
            for k, name in enumerate(path.names)
            if name.startswith("epoch ")
        }
        self.grid_ = [{"epoch": epoch, "worst_group": float(scores[k])} for epoch, k in epochs.items()]
        self.epoch_ = int(self.grid_[int(np.argmax([tried["worst_group"] for tried in self.grid_]))]["epoch"])
        return Model.of_state(problem, path.states[epochs[self.epoch_]])
