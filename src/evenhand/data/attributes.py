"""Which columns make groups (few values, not a copy of the label), and which others may be related to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from evenhand._typing import Strings
from evenhand.data.binned import MANY, binned, coded, numbers
from evenhand.data.labels import MISSING, some, spelling_note
from evenhand.data.store_layout import COPY_OF, OWN_COLUMNS, UNITS

MOST_VALUES = 50
"""A column with more distinct values is not an attribute unless the user names it."""
_SMALL = 10
"""Images of a value on average, below which its groups say little."""
_LOOKED_AT = 10_000
"""Rows by which a column that makes no groups is found to say something."""
_LONGEST = 100
"""Characters of its values at most: captions and addresses say nothing of many rows."""


def divided(
    columns: Mapping[str, Strings], labels: Strings, named: Sequence[str] | None
) -> tuple[dict[str, Strings], dict[str, Strings], list[str]]:
    """Divide columns into those that make groups, as `grouping` does, and others that may go with the label.

    Parameters
    ----------
    columns : dict of str to str [N]
        Columns; the empty string means unknown.
    labels : str [N]
        Of the same rows.
    named : sequence of str, optional
        Those that the user named to make groups; by default every column may.

    Returns
    -------
    groups, others : dict of str to str [N]
        A column with one value, a word a row or the number of the row is neither.
    notes : list of str
        One sentence each.
    """
    asked = columns if named is None else {name: columns[name] for name in named}
    groups, notes = grouping(asked, labels, named=named is not None)
    taken = {*groups, *OWN_COLUMNS, UNITS, COPY_OF}
    return groups, {name: of for name, of in columns.items() if name not in taken and _tells(of)}, notes


def _tells(values: Strings) -> bool:
    some_rows = values[:: max(1, len(values) // _LOOKED_AT)]
    if values.dtype.itemsize > 4 * _LONGEST or not (
        coded(some_rows).max(initial=-1) > 0 or _recurs(some_rows)
    ):
        return False
    return not _counts_rows(values)


def _recurs(values: Strings) -> bool:
    """Return whether many words stand in two rows or more in the mean, as the names of photographers do."""
    known = values[values != ""]
    return MANY < len(np.unique(known)) <= len(known) / 2


def _counts_rows(values: Strings) -> bool:
    """Return whether a column is the number of the row, as pandas writes it."""
    found = numbers(values)
    return found is not None and len(np.unique(found)) == len(found) == found.max() - found.min() + 1


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
    found = numbers(distinct)
    return found is None or bool((found == np.floor(found)).all())


def is_copy(values: Strings, labels: Strings) -> bool:
    """Return whether a column repeats the classes: one known value for each, all different."""
    pairs = set(zip(values.tolist(), labels.tolist(), strict=True))
    n = len({value for value, _ in pairs})
    return n > 1 and "" not in values and n == len(pairs) == len({label for _, label in pairs})


def _as_groups(name: str, values: Strings) -> tuple[Strings, list[str]]:
    known = values[values != ""]
    distinct = np.unique(known)
    if len(distinct) < 2:
        has = f"has one value, {distinct[0]!s}," if len(distinct) else "has no value,"
        return values, [f"attribute {name!r} {has} and makes no groups; name another column"]
    measured = numbers(known)
    fractions = measured is not None and bool((measured != np.floor(measured)).any())
    few = len(distinct) <= (MANY if fractions else MOST_VALUES)
    if few or measured is None:
        each = len(known) / max(1, len(distinct))
        if len(distinct) <= MANY or each >= _SMALL:
            return values, []
        return values, [
            f"attribute {name!r} has {len(distinct)} values, {each:.1f} images each on average, so its "
            "groups are small; name a column with fewer values"
        ]
    cut = binned(values, measured)
    bins = sorted(set(cut[cut != ""].tolist()), key=lambda text: float(text.split(" ")[0]))
    return cut, [
        f"attribute {name!r} has {len(distinct)} values: it is cut at its quartiles into {', '.join(bins)}; "
        "bin the column yourself for other groups"
    ]


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
