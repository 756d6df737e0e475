"""Labels and group labels as whole numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from evenhand._errors import EvenhandError
from evenhand._typing import Ints
from evenhand.data.head import Head


def class_codes(labels: Any, head: Head | None, width: int) -> tuple[Any, Ints]:
    """Return the classes [C], in the order of the head if there is one, and the code of each label [N]."""
    present = np.unique(labels)
    if len(present) < 2:
        raise EvenhandError(
            f"y: it has {len(present)} class; add rows of another, since at least 2 are needed"
        )
    if head is None:
        return present, np.searchsorted(present, labels).astype(np.int64)
    if head.width != width:
        raise EvenhandError(
            f"X has {width} columns but the head's projection takes "
            f"{head.width}; use features and head of one store"
        )
    classes = np.asarray(head.classes)
    absent = sorted(set(head.classes) - {str(label) for label in present})
    if absent:
        raise EvenhandError(
            f"y: class {absent[0]!r} has no training rows; add some, or use a head without this class"
        )
    return classes, lookup(classes, labels)


def lookup(classes: Any, labels: Any) -> Ints:
    """Return the index of each label among the classes, int64 [N]."""
    codes = {label: code for code, label in enumerate(classes.tolist())}
    present, places = np.unique(labels, return_inverse=True)
    unknown = next((label for label in present.tolist() if label not in codes), None)
    if unknown is not None:
        raise EvenhandError(f"y: label {unknown!r} is unknown; the classes are {', '.join(map(str, codes))}")
    return np.array([codes[label] for label in present.tolist()], dtype=np.int64)[places]


def group_codes(*parts: Any) -> Callable[[Any], Ints | None]:
    """Return the function from group labels to codes, with one numbering for all parts; −1 is unknown."""
    known = {str(name) for part in parts if part is not None for name in part if name not in (None, "")}
    numbers = {name: code for code, name in enumerate(sorted(known))}

    def codes(part: Any) -> Ints | None:
        if part is None:
            return None
        return np.array([numbers.get(str(name), -1) for name in part], dtype=np.int64)

    return codes


def unit_codes(units: Any, n: int) -> Ints | None:
    """Return the number of the unit of each of n rows; None if no units are given."""
    if units is None:
        return None
    if len(units) != n:
        raise EvenhandError(f"units: it has {len(units)} values but y has {n}; give one for each")
    first: dict[str, int] = {}
    named = [str(name) if name not in (None, "") else "" for name in units]
    return np.array([first.setdefault(name, row) if name else row for row, name in enumerate(named)])
