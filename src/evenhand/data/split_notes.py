"""What a run reports and refuses of splits: classes that a split lacks, and units such as patients."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

from evenhand._counts import number_of
from evenhand._errors import EvenhandError
from evenhand._typing import Ints, Strings
from evenhand.data.labels import MISSING, some


def check_splits(classes: Sequence[str], y: Ints, split: Strings) -> list[str]:
    """Refuse classes without training rows; return a note that names those that alone have no test rows.

    Parameters
    ----------
    classes : sequence of C str
        Names, for the sentence.
    y : int64 [N]
        Codes into `classes`.
    split : str [N]
        `train`, `validation` or `test`.

    Raises
    ------
    EvenhandError
        If a class has none; the sentence names it.
    """
    untrained = [classes[code] for code in range(len(classes)) if not (split[y == code] == "train").any()]
    if len(untrained) == len(classes):
        raise EvenhandError(f"there are no training images, only {some(np.unique(split))}; add a train split")
    if untrained:
        raise EvenhandError(f"no training image has the class {some(untrained)}; add some or drop the class")
    tested = {int(code) for code in y[split == "test"]}
    missing = [name for code, name in enumerate(classes) if code not in tested]
    if not missing or not tested:
        return []
    return [f"no test image has the class {some(missing)}: its accuracy stays unknown"]


def unit_notes(units: Strings | None, split: Strings, column: str | None, *, drawn: bool) -> list[str]:
    """Say what became of the units in the splits, and which of their values may not mean what they say.

    Parameters
    ----------
    units : str [N] or None
        The unit of each row; the empty string where there is none.
    split : str [N]
        The split of each row.
    column : str or None
        The column of the units.
    drawn : bool
        Whether the splits were drawn here, units together.
    """
    if units is None or column is None:
        return []
    in_splits = _drawn(units, column) if drawn else _divided(units, split, column)
    return [*in_splits, *_odd(units, column)]


def _drawn(units: Strings, column: str) -> list[str]:
    count = len(np.unique(units[units != ""]))
    unknown = int((units == "").sum())
    none = number_of(unknown, "image has none, and is", "images have none, and are")
    alone = f"; {none} drawn one by one" if unknown else ""
    return [f"the images of each of the {count} values of {column!r} are kept in one split{alone}"]


def _divided(units: Strings, split: Strings, column: str) -> list[str]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for name, part in zip(units.tolist(), split.tolist(), strict=True):
        if name:
            found[name].add(part)
    over = [name for name, parts in found.items() if len(parts) > 1]
    if not over:
        return []
    of = f"of {len(found):,} values of {column!r}"
    return [
        f"{number_of(len(over), f'{of} is', f'{of} are')} in more than one of the given splits, "
        f"for example {over[0]!r} in {', '.join(sorted(found[over[0]]))}"
    ]


def _odd(units: Strings, column: str) -> list[str]:
    """Name what puts rows of one unit into two splits, or rows of several into one."""
    counts = Counter(units[units != ""].tolist())
    notes = [
        f"the value {name} of {column!r} may stand for unknown, but keeps "
        f"{number_of(count, 'image', 'images')} together; leave it empty if so"
        for name, count in counts.items()
        if name.lower() in MISSING
    ]
    if spelled := _spelled(list(counts)):
        notes.append(
            f"the values {some(spelled, 3)} of {column!r} differ only in spelling and count as different; "
            "write them the same way if they are one"
        )
    if counts and max(counts.values()) == 1:
        notes.append(
            f"every value of {column!r} is that of one image, so that it keeps none together; name the "
            "column of what images share"
        )
    return notes


def _spelled(names: Sequence[str]) -> list[str]:
    """Return pairs that differ in case, blanks, Unicode form or the zeros before a number alone."""
    alike: defaultdict[str, list[str]] = defaultdict(list)
    for name in names:
        plain = "".join(unicodedata.normalize("NFKC", name).casefold().split())
        alike[re.sub(r"(?<![\d.])0+(?=\d)", "", plain)].append(name)
    return [" and ".join(map(repr, same)) for same in alike.values() if len(same) > 1]
