"""Which columns can make groups: those of few values that are no copy of the label."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np

from evenhand._typing import Floats, Strings
from evenhand.data.labels import MISSING, some, spelling_note

MOST_VALUES = 50
"""A column with more distinct values is not an attribute unless the user names it."""
_MANY = 12
"""More values are worth a remark where each has few images, and are cut into bins where fractions."""
_SMALL = 10
"""Images of a value on average, below which its groups say little."""
BINS = 4


def grouping(
    attributes: Mapping[str, Strings], labels: Strings, *, named: bool
) -> tuple[dict[str, Strings], list[str]]:
    """Return the columns that make groups, as they do, and notes on them.

    Parameters
    ----------
    attributes : dict of str to str [N]
        Columns; the empty string means unknown.
    labels : str [N]
        Of the same rows.
    named : bool
        Whether the user named them. Measured numbers, as an age, are then cut at their quartiles; otherwise
        only columns of 2 to 50 words or whole numbers are kept.

    Returns
    -------
    attributes : dict of str to str [N]
        Where nobody named them, copies of the label come last: the first attribute makes the groups.
    notes : list of str
        One sentence each.
    """
    kept: dict[str, Strings] = {}
    notes = []
    for name, values in attributes.items():
        if named:
            kept[name], more = _as_groups(name, values)
            notes += more
        elif _may_group(values):
            kept[name] = values
    copies = [name for name, values in kept.items() if is_copy(values, labels)]
    notes += [f"attribute {name!r} is a copy of the label: each of its groups is a class" for name in copies]
    if not named:
        kept = {name: kept[name] for name in sorted(kept, key=lambda name: name in copies)}
    return kept, [*notes, *_spellings(kept)]


def _may_group(values: Strings) -> bool:
    distinct = np.unique(values[values != ""])
    if not 2 <= len(distinct) <= min(MOST_VALUES, len(values) - 1):
        return False
    numbers = _numbers(distinct)
    return numbers is None or bool((numbers == np.floor(numbers)).all())


def is_copy(values: Strings, labels: Strings) -> bool:
    """Return whether a column repeats the classes: one known value for each, all different."""
    pairs = set(zip(values.tolist(), labels.tolist(), strict=True))
    n = len({value for value, _ in pairs})
    return n > 1 and "" not in values and n == len(pairs) == len({label for _, label in pairs})


def _as_groups(name: str, values: Strings) -> tuple[Strings, list[str]]:
    known = values[values != ""]
    distinct = np.unique(known)
    numbers = _numbers(distinct)
    fractions = numbers is not None and bool((numbers != np.floor(numbers)).any())
    few = len(distinct) <= (_MANY if fractions else MOST_VALUES)
    if few or numbers is None:
        each = len(known) / max(1, len(distinct))
        if len(distinct) <= _MANY or each >= _SMALL:
            return values, []
        return values, [
            f"attribute {name!r} has {len(distinct)} values, {each:.1f} images each on average: groups are "
            "that small; name a column of fewer values"
        ]
    binned = _binned(values, _numbers(known))
    bins = sorted(set(binned[binned != ""].tolist()), key=lambda text: float(text.split(" ")[0]))
    return binned, [
        f"attribute {name!r} has {len(distinct)} values: it is cut at its quartiles into {', '.join(bins)}; "
        "bin the column yourself for others"
    ]


def quartiles(values: Strings) -> Strings:
    """Return a column of more than 12 different numbers cut at its quartiles, and any other as it is."""
    known = values[values != ""]
    numbers = _numbers(known) if len(np.unique(known)) > _MANY else None
    return values if numbers is None else _binned(values, numbers)


def _binned(values: Strings, known: Floats | None) -> Strings:
    assert known is not None
    edges = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)))
    places = np.clip(np.searchsorted(edges, known, side="right") - 1, 0, max(len(edges) - 2, 0))
    names = [f"{low:g} to {high:g}" for low, high in pairwise(edges)] or [f"{edges[0]:g}"]
    binned = np.full(len(values), "", dtype=f"<U{max(map(len, names))}")
    binned[values != ""] = np.asarray(names)[places]
    return binned


def _numbers(values: Strings) -> Floats | None:
    """Return values as finite numbers, with a decimal point or comma; None where one is none."""
    try:
        numbers: Floats = np.char.replace(values, ",", ".").astype(np.float64)
    except ValueError:
        return None
    return numbers if np.isfinite(numbers).all() else None


def _spellings(attributes: Mapping[str, Strings]) -> list[str]:
    notes = []
    for name, values in attributes.items():
        note = spelling_note([str(value) for value in np.unique(values)], f"values of {name!r}")
        notes += [note] if note else []
        missing = [value for value in np.unique(values).tolist() if value.lower() in MISSING]
        if missing:
            notes.append(
                f"the value {some(missing)} of {name!r} makes a group of its own; if it stands for unknown, "
                "leave it empty"
            )
    return notes
