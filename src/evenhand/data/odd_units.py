"""Values of what is to stay in one split, such as patients, that may not mean what they say."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Sequence

from evenhand._counts import number_of
from evenhand._typing import Strings
from evenhand.data.labels import MISSING, some


def odd_units(units: Strings | None, column: str | None) -> list[str]:
    """Say of the column of units, one sentence each, what would put rows of one unit into two splits.

    Parameters
    ----------
    units : str [N] or None
        The unit of each image; the empty string where there is none.
    column : str or None
        Their column.
    """
    if units is None or column is None:
        return []
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
