"""Correct-N-Contrast (arXiv 2203.01517): what rows are contrasted with, by what ERM takes them for."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from evenhand.methods._draws.sampling import RowsByClass


@dataclass(frozen=True)
class ContrastDraw:
    """Anchors of one step and the rows drawn for them, as row numbers.

    Attributes
    ----------
    anchors : int64 Tensor [A]
        Rows.
    positives, negatives : int64 Tensor [R, k], [S, k]
        Draws of rows, one a line, shared by anchors.
    positive_draw, negative_draw : int64 Tensor [A]
        Which draw of the positives and of the negatives each anchor uses.
    """

    anchors: Tensor
    positives: Tensor
    positive_draw: Tensor
    negatives: Tensor
    negative_draw: Tensor


@dataclass(frozen=True)
class RowsByPrediction:
    """Training rows by class and by what ERM takes them for.

    Attributes
    ----------
    y : int64 Tensor [N]
        Codes.
    taken_for : int64 Tensor [N]
        Of a row that ERM has wrong the predicted class, of one that it has right the runner-up.
    anchors : int64 Tensor [A]
        Rows that ERM has right.
    right, wrong : RowsByClass
        Rows of each class that ERM has right, and wrong.
    mistaken : RowsByClass
        Rows of other classes that ERM takes for each class.
    notes : tuple of str
        What stands in where a pool would be empty, for the user.
    """

    y: Tensor
    taken_for: Tensor
    anchors: Tensor
    right: RowsByClass
    wrong: RowsByClass
    mistaken: RowsByClass
    notes: tuple[str, ...]

    @classmethod
    def of(cls, logits: Tensor, y: Tensor) -> RowsByPrediction:
        """Part the rows by ERM's logits [N, C ≥ 2] and codes y [N], each class with a row.

        Where a class has no right row, or no wrong one, all of its rows stand in; where ERM takes no row for
        a class, all rows of other classes do; where it has no row right at all, all rows are anchors.
        """
        right = logits.argmax(dim=1) == y
        taken_for = logits.scatter(1, y[:, None], -torch.inf).argmax(dim=1)
        classes = range(logits.shape[1])
        errors = [y[~right].eq(code).any() for code in classes]
        bare = [code for code in classes if not errors[code]]
        notes = (
            (f"ERM misclassifies no row of {len(bare)} of {len(classes)} classes: right rows stand in there",)
            if bare
            else ()
        )
        return cls(
            y,
            taken_for,
            _rows(right, torch.ones_like(right)),
            RowsByClass([_rows(right & (y == code), y == code) for code in classes]),
            RowsByClass([_rows(~right & (y == code), y == code) for code in classes]),
            RowsByClass([_rows(~right & (taken_for == code), y != code) for code in classes]),
            notes,
        )

    def draw(self, anchors: Tensor, k: int, generator: torch.Generator) -> tuple[ContrastDraw, ContrastDraw]:
        """Return both sides of the contrast for right rows `anchors` [A].

        The positives of an anchor are wrong rows of its class, its negatives rows mistaken for its class. On
        the other side a wrong row of the same class is the anchor: its positives are right rows of its class,
        its negatives right rows of the class that it is taken for.
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
    """Return the row numbers of a mask [N], or of another one where it is empty."""
    return (chosen if bool(chosen.any()) else instead).nonzero().flatten()
