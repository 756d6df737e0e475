"""From labels as people write them to named classes and codes."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from evenhand._errors import EvenhandError
from evenhand._typing import Ints, Strings

MISSING = {
    *("none", "null", "na", "n/a", "?", "-", "--", "missing", "unlabeled", "unlabelled", "\\n", "(null)"),
    *("#n/a", "#ref!", "#value!", "#name?", "#div/0!", "#num!", "#null!"),
}
"""Labels, in lower case, that say there is none: of people, of databases, and Excel's errors."""


def class_codes(labels: Strings) -> tuple[list[str], Ints]:
    """Return the distinct labels in order, and the position of each row's label among them.

    Parameters
    ----------
    labels : str [N]
        Without gaps.

    Returns
    -------
    names : list of C str
        Sorted; by value where all are whole numbers.
    y : int64 [N]
        Codes into `names`.

    Raises
    ------
    EvenhandError
        If there is one class, or one image per class.
    """
    names = [str(name) for name in np.unique(labels)]
    if all(re.fullmatch(r"-?\d+", name) for name in names):
        names.sort(key=int)
    if len(names) < 2:
        raise EvenhandError(f"there is only one class, {names[0]!r}; give images of at least two")
    code = {name: index for index, name in enumerate(names)}
    y = np.asarray([code[str(label)] for label in labels], dtype=np.int64)
    if np.bincount(y).max() < 2:
        raise EvenhandError("every class has a single image; give at least two images per class")
    return names, y


def renamed(names: Sequence[str], class_names: Mapping[str, str]) -> tuple[str, ...]:
    """Return `names` with the new names of those that `class_names` holds, however these are spelled.

    Raises
    ------
    EvenhandError
        If `class_names` holds another name, or the new names are empty or not distinct.
    """
    new = {_label(name, names): given for name, given in class_names.items()}
    classes = tuple(new.get(name, name).strip() for name in names)
    if "" in classes or len(set(classes)) < len(classes) or len(new) < len(class_names):
        raise EvenhandError(
            f"class_names: each class needs a different name, but the names are {some(classes)}"
        )
    return classes


def _label(given: str, names: Sequence[str]) -> str:
    """Return the label that is meant: it, or the only one that differs in spelling alone, as true and 1."""
    alike = [given] if given in names else [name for name in names if _plain(name) == _plain(given)]
    if len(alike) != 1:
        raise EvenhandError(f"class_names: {given!r} is not a label; the labels are {some(names)}")
    return alike[0]


def spelling_note(names: Sequence[str], what: str) -> str | None:
    """Name those that differ in case, blanks, dashes or Unicode form alone, or are one number in two forms.

    True is the number 1, and false 0.

    Parameters
    ----------
    names : sequence of str
        Distinct.
    what : str
        What they are, for the sentence.

    Returns
    -------
    str or None
        One sentence; None if there are none.

    >>> spelling_note(["Cat", "cat", "dog"], "classes")
    "the classes 'Cat' and 'cat' differ only in spelling; write them the same way if they are one"
    """
    alike: defaultdict[str, list[str]] = defaultdict(list)
    for name in names:
        alike[_plain(name)].append(name)
    pairs = [" and ".join(map(repr, same)) for same in alike.values() if len(same) > 1]
    if not pairs:
        return None
    return f"the {what} {some(pairs, 5)} differ only in spelling; write them the same way if they are one"


_LIST = re.compile(r"""\[['"].*['"]\]""")
_LOOK_ALIKE = str.maketrans("аеорсухіАВЕКМНОРСТХ", "aeopcyxiABEKMHOPCTX")
"""Cyrillic letters, as the Latin ones that they look like."""


def _plain(name: str) -> str:
    name = name.translate(_LOOK_ALIKE)
    seen = "".join(c for c in unicodedata.normalize("NFKC", name) if unicodedata.category(c) != "Cf")
    text = {"true": "1", "false": "0"}.get(seen.casefold(), seen.casefold())
    if re.fullmatch(r"[+-]?\d+([.,]\d+)?(e[+-]?\d+)?", text):
        return f"number {float(text.replace(',', '.'))}"
    return re.sub(r"[\s_.\-]+", "", text) or text


def class_notes(classes: Sequence[str]) -> list[str]:
    """Say which classes are no words, are one in two spellings, stand for no label, or are several."""
    found = (spelling_note(classes, "classes"), _missing_note(classes), _several_note(classes))
    return [*_bare_numbers(classes), *(note for note in found if note)]


def _bare_numbers(classes: Sequence[str]) -> list[str]:
    kinds = {
        "are bare numbers or truth values": r"[+-]?\d+([.,]\d+)?|true|false",
        "are ids of WordNet": r"n\d{8}",
        "begin with a number": r"\d+[ ._-]+\D.*",
    }
    notes = []
    for what, pattern in kinds.items():
        found = [name for name in classes if re.fullmatch(pattern, name.lower(), re.DOTALL)]
        if found and (what != "begin with a number" or len(found) == len(classes)):
            notes.append(
                f"labels that {what} make useless prompts: {some(found)}; name the classes in `class_names`"
            )
    return notes


def _several_note(names: Sequence[str]) -> str | None:
    """Name the classes that read as a list, or that join the names of others, as labels of several do."""
    known = {name.strip() for name in names}
    joined = [
        name
        for name in names
        if _LIST.fullmatch(name)
        or any(mark in name and {part.strip() for part in name.split(mark)} <= known for mark in "|,;+&/")
    ]
    if not joined:
        return None
    return (
        f"the class {some(joined, 5)} looks like a list of labels, and counts as a separate class; give "
        "each image one label"
    )


def _missing_note(names: Sequence[str]) -> str | None:
    missing = [name for name in names if name.lower() in MISSING]
    if not missing:
        return None
    return f"the class {some(missing)} may stand for a missing label; drop its rows if so"


def some(names: Iterable[str], most: int = 10) -> str:
    """Return the first `most` names, and how many more there are.

    >>> some("abc", most=2)
    'a, b and 1 more'
    """
    listed = [str(name) for name in names]
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return ", ".join(listed[:most]) + more
