"""One training part: its unit embeddings, its prototypes, and the weights of its rows."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from evenhand._typing import Floats, Ints
from evenhand.functional.row_products import RowSource
from evenhand.methods.auto.projected import ProjectedRows, UnitRows, scaled_to_unit, unit_rows

ROWS = 200_000
"""Most rows that a cross-fit trains on."""
LOGITS = 20_000_000
"""Most rows × classes that a cross-fit trains on, but never fewer than a tenth of `ROWS` rows."""


@dataclass(frozen=True)
class Part:
    """Training rows.

    Attributes
    ----------
    z : RowSource
        Unit embeddings [n, D].
    y : int64 [n]
        Class codes.
    weights : float [n]
        Rows of its class that a sampled row stands for; 1 if no row was left out.
    numbers : int64 [n]
        Row numbers among all training rows.
    center : float32 [D] or None
        What was subtracted before rows were normalized; None if there is text.
    prototypes : float32 [C, D]
        Text, or the part's class centroids.
    device : str
        Where products with the rows are made.
    """

    z: RowSource
    y: Ints
    weights: Floats
    numbers: Ints
    center: Floats | None
    prototypes: Floats
    device: str = "cpu"

    @classmethod
    def of(
        cls,
        projected: RowSource,
        y: Ints,
        rows: Ints,
        prototypes: Floats,
        generator: np.random.Generator,
        *,
        has_text: bool,
        centered: bool = False,
        device: str = "cpu",
    ) -> Part:
        """Return the part of `rows` among all rows; a class-balanced sample of them if they are too many.

        Without text the part has its own center and class centroids, which contain no held-out row. Rows
        that are already `centered` on the part keep the given ones.
        """
        n_classes = len(prototypes)
        numbers, weights = sampled(y, rows, most_rows(n_classes), generator)
        x = _take(projected, numbers)
        codes = y[numbers]
        if has_text or centered:
            return cls(scaled_to_unit(x), codes, weights, numbers, None, prototypes, device)
        center = np.average(x, axis=0, weights=weights).astype(np.float32)
        z = scaled_to_unit(x, center)
        sums = np.zeros((n_classes, z.shape[1]))
        np.add.at(sums, codes, z * weights[:, None])
        return cls(z, codes, weights, numbers, center, unit_rows(sums.astype(np.float32)), device)

    def balanced(self) -> Floats:
        """Return weights [n] that give all classes the same total."""
        mass = np.bincount(self.y, self.weights, minlength=len(self.prototypes))
        out: Floats = self.weights / mass[self.y]
        return out


def most_rows(n_classes: int) -> int:
    """Return how many rows a cross-fit trains on at most."""
    return max(ROWS // 10, min(ROWS, LOGITS // n_classes))


def sampled(y: Ints, rows: Ints, most: int, generator: np.random.Generator) -> tuple[Ints, Floats]:
    """Return a class-balanced sample of at most `most` rows, and how many rows each one stands for.

    Parameters
    ----------
    y : int64 [N]
        Codes of all rows.
    rows : int64 [n]
        Row numbers in ascending order.
    most : int
        Limit of the sample; exceeded only if there are more classes.
    generator : Generator
        Source of the draws.

    Returns
    -------
    numbers, weights : int64 [m], float64 [m]
        Row numbers in ascending order; rows of the class divided by rows drawn from it.
    """
    if len(rows) <= most:
        return rows, np.ones(len(rows))
    codes = y[rows]
    counts = np.bincount(codes)
    # The largest number per class that keeps the total under the bound: small classes are taken whole.
    size, left, room = 0, np.sort(counts[counts > 0]), most
    for place, count in enumerate(left):
        size = max(1, room // (len(left) - place))
        if count > size:
            break
        room -= int(count)
    order = generator.permutation(len(rows))
    order = order[np.argsort(codes[order], kind="stable")]
    starts = np.cumsum(counts) - counts
    within = np.arange(len(rows)) - np.repeat(starts, counts)
    chosen = np.sort(order[within < size])
    weights = counts / np.maximum(1, np.minimum(counts, size))
    return rows[chosen], weights[codes[chosen]]


def _take(projected: RowSource, numbers: Ints) -> Floats:
    if isinstance(projected, np.ndarray):
        out: Floats = projected[numbers]
        return out
    assert isinstance(projected, ProjectedRows)
    return projected.take(numbers)[:]


def all_rows(projected: RowSource, y: Ints, part: Part) -> Part:
    """Return all rows, centered as those of a part, read in slices."""
    numbers = np.arange(len(y))
    return replace(part, z=UnitRows(projected, part.center), y=y, weights=np.ones(len(y)), numbers=numbers)
