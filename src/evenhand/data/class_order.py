"""Whether text features stand in another order than the classes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evenhand._typing import Ints
from evenhand.data.labels import some

MOST_CLASSES = 2000
"""Above it no order is looked for: the search takes the cube of the number of classes."""
GAIN = 0.1
"""Accuracy that another order must add on rows that did not choose it."""
SURENESS = 3.0
"""Standard errors by which it must add that."""


def order_warning(predicted: Ints, y: Ints, classes: Sequence[str]) -> str | None:
    """Return a sentence where zero-shot is below chance or another order of the text features fits better.

    The order is found on every second row of each class, and evaluated on the others.

    Parameters
    ----------
    predicted, y : int64 [N]
        Codes that the text features predict, and those of the labels.
    classes : sequence of C str
        In the order of the codes.
    """
    n_classes = len(classes)
    chooses = np.zeros(len(y), dtype=bool)
    chooses[np.argsort(y, kind="stable")[::2]] = True
    rows = ~chooses
    if not rows.any() or n_classes > MOST_CLASSES:
        return None
    order = _best_order(predicted[chooses], y[chooses], n_classes)
    right, moved = predicted[rows] == y[rows], order[predicted[rows]] == y[rows]
    difference = moved.astype(np.float64) - right
    error = difference.std() / np.sqrt(len(difference))
    accuracy, chance = float((predicted == y).mean()), 1 / n_classes
    spread = SURENESS * np.sqrt(chance * (1 - chance) / len(rows))
    better = difference.mean() >= GAIN and difference.mean() > SURENESS * error
    fits = better and moved.mean() > chance + spread
    if not fits and accuracy >= chance - spread:
        return None
    where = f"{100 * accuracy:.1f} % of {len(y):,} rows, chance is {100 * chance:.1f} %"
    found = "far below chance" if accuracy < chance else "better in another order"
    told = (
        f"zero-shot is {found}: {where}; the rows of the text features must be in the order of the classes, "
        f"{some(classes)}"
    )
    if not fits:
        return told
    # Row k of the text features behaves as that of class order[k].
    fitting = [classes[code] for code in order]
    return f"{told}; they fit the order {some(fitting)} ({100 * moved.mean():.1f} %)"


def _best_order(predicted: Ints, y: Ints, n_classes: int) -> Ints:
    """Return for each row of the text features the class that it fits best, one to one."""
    counts = np.zeros((n_classes, n_classes), dtype=np.int64)
    np.add.at(counts, (predicted, y), 1)
    # Where nothing tells them apart, every row keeps its place.
    ties = np.eye(n_classes) / 2
    from scipy.optimize import linear_sum_assignment  # a third of a second, for text features alone

    order: Ints = linear_sum_assignment(counts + ties, maximize=True)[1].astype(np.int64)
    return order
