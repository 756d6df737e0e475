"""Draws of Correct-N-Contrast, by the predictions of ERM."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from evenhand.methods._draws.sampling import RowsByClass


@dataclass(frozen=True)
class ContrastDraw:
    """Row numbers of the anchors of one step, and of the rows drawn for them.

    Attributes
    ----------
    anchors : int64 Tensor [A]
        Anchors.
    positives, negatives : int64 Tensor [R, k], [S, k]
        One draw per row of the tensor; anchors share draws.
    positive_draw, negative_draw : int64 Tensor [A]
        Which draw of positives and of negatives each anchor uses.
    """

    anchors: Tensor
    positives: Tensor
    positive_draw: Tensor
    negatives: Tensor
    negative_draw: Tensor


@dataclass(frozen=True)
class RowsByPrediction:
    """Training rows by class and by ERM's prediction.

    Attributes
    ----------
    y : int64 Tensor [N]
        Class codes.
    taken_for : int64 Tensor [N]
        The class with the largest logit among those other than the true class.
    anchors : tuple of int64 Tensors [A_c]
        For each class that has them, the rows that ERM classifies correctly.
    right, wrong : RowsByClass
        Rows of each class that ERM classifies correctly, and incorrectly.
    mistaken : RowsByClass
        For each class, the rows of other classes that ERM predicts as this class.
    notes : tuple of str
        Notes for the user on classes in which other rows replace an empty set.
    """

    y: Tensor
    taken_for: Tensor
    anchors: tuple[Tensor, ...]
    right: RowsByClass
    wrong: RowsByClass
    mistaken: RowsByClass
    notes: tuple[str, ...]

    @classmethod
    def of(cls, logits: Tensor, y: Tensor) -> RowsByPrediction:
        """Split the rows by ERM's logits [N, C ≥ 2] and class codes y [N]; every class has a row.

        If a class has no correctly classified row, or no misclassified one, all rows of the class replace
        them. If ERM predicts a class for no row of another class, all rows of other classes replace them. If
        ERM misclassifies every row, all rows are anchors.
        """
        right = logits.argmax(dim=1) == y
        slices = [(right & (y == code)).nonzero().flatten() for code in range(logits.shape[1])]
        taken_for = logits.scatter(1, y[:, None], -torch.inf).argmax(dim=1)
        classes = range(logits.shape[1])
        errors = [y[~right].eq(code).any() for code in classes]
        bare = [code for code in classes if not errors[code]]
        notes = (
            (
                f"ERM misclassifies no row of {len(bare)} of {len(classes)} classes: "
                "their correct rows are used",
            )
            if bare
            else ()
        )
        return cls(
            y,
            taken_for,
            tuple(rows for rows in slices if len(rows)) or (torch.arange(len(y)),),
            RowsByClass([_rows(right & (y == code), y == code) for code in classes]),
            RowsByClass([_rows(~right & (y == code), y == code) for code in classes]),
            RowsByClass([_rows(~right & (taken_for == code), y != code) for code in classes]),
            notes,
        )

    @property
    def shortest(self) -> int:
        """Number of anchors of the class with the fewest."""
        return min(map(len, self.anchors))

    def deal(self, generator: torch.Generator) -> Tensor:
        """Return shuffled anchors of an epoch, [shortest, S]: equally many of each of S predicted classes."""
        shuffled = [rows[torch.randperm(len(rows), generator=generator)] for rows in self.anchors]
        return torch.stack([rows[: self.shortest] for rows in shuffled], dim=1)

    def draw(self, anchors: Tensor, k: int, generator: torch.Generator) -> tuple[ContrastDraw, ContrastDraw]:
        """Return both sides of the contrast for correctly classified rows `anchors` [A].

        The positives of an anchor are misclassified rows of its class, and its negatives are rows that ERM
        predicts as its class. On the other side, a misclassified row of the same class is the anchor. Its
        positives are correctly classified rows of its class, and its negatives are correctly classified rows
        of the class that ERM predicts for it.
        """
        codes = self.y[anchors]
        classes, draw = torch.unique(codes, return_inverse=True)
        positives = self.wrong.inside(classes, k, generator)
        negatives = self.mistaken.inside(classes, k, generator)
        others = self.wrong.inside(codes, 1, generator).squeeze(1)
        taken_for, other_draw = torch.unique(self.taken_for[others], return_inverse=True)
        return (
            ContrastDraw(anchors, positives, draw, negatives, draw),
            ContrastDraw(
                others,
                self.right.inside(classes, k, generator),
                draw,
                self.right.inside(taken_for, k, generator),
                other_draw,
            ),
        )


def _rows(chosen: Tensor, instead: Tensor) -> Tensor:
    """Return the row numbers of a mask [N], or of a second mask if the first is empty."""
    return (chosen if bool(chosen.any()) else instead).nonzero().flatten()
