"""Which split a word means, as people name folders, files and the values of columns."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

import numpy as np

from evenhand._errors import EvenhandError
from evenhand._typing import Strings

_USUAL = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
}
SPLIT_NAMES = {
    **_USUAL,
    **dict.fromkeys(("trainset", "trainingset", "trainval", "trn"), "train"),
    **dict.fromkeys(("valset", "validset", "validationset", "devset", "minival"), "validation"),
    **dict.fromkeys(("devel", "development", "validate", "tuning", "publictest"), "validation"),
    **dict.fromkeys(("testset", "testingset", "tst", "privatetest"), "test"),
    **dict.fromkeys(("eval", "evaluation", "evalset", "holdout", "heldout"), "test"),
}
"""Words in lower case; the first eight need no remark."""
_EITHER = {"eval", "evaluation", "evalset", "holdout", "heldout"}
"""Words for the test split, as on the Hugging Face Hub; next to a test split they mean validation."""
_FILLERS = {
    *("set", "split", "data", "dataset", "folder", "files", "samples", "the"),
    *("image", "images", "img", "imgs", "photo", "photos", "picture", "pictures", "pics", "jpg", "png"),
}
_NUMBERED = {"0": "train", "1": "validation", "2": "test"}
"""WILDS and its kin number the splits so."""
_TRUE, _FALSE = {"1", "true", "yes", "y", "t"}, {"0", "false", "no", "n", "f"}


def _words(name: str) -> list[str]:
    """Return the words of a name in lower case, without digits: of `seg_Train2017` seg and train."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    spaced = re.sub(r"(?i)\b(hold|held|public|private)[ _-]+(out|test)\b", r"\1\2", spaced.replace("_", " "))
    return re.findall(r"[^\W\d_]+", spaced.lower())


def split_in_name(place: str) -> str | None:
    """Return the split that a file's folder or the words of its name tell; None where they tell none."""
    words = [word for word in _words(place) if word in SPLIT_NAMES]
    return SPLIT_NAMES[words[0]] if words else None


def is_filler(name: str) -> bool:
    """Return whether a folder's name says nothing, such as `images`."""
    return all(word in _FILLERS for word in _words(name)) and bool(_words(name))


def splits_named(names: Collection[str]) -> dict[str, str]:
    """Return the split of each name that means one, evaluated together.

    `seg_train` means one where `seg_test` stands next to it; `eval` is the test split, or where there is one
    the validation split.

    >>> splits_named(["train2017", "val2017", "cat"])
    {'train2017': 'train', 'val2017': 'validation'}
    >>> splits_named(["trainset", "eval", "test"])
    {'trainset': 'train', 'eval': 'validation', 'test': 'test'}
    """
    found: dict[str, tuple[str, frozenset[str]]] = {}
    for name in names:
        joined = "".join(_words(name))
        words = [joined] if joined in SPLIT_NAMES else _words(name)
        told = [word for word in words if word in SPLIT_NAMES]
        if len({SPLIT_NAMES[word] for word in told}) == 1:
            found[name] = told[0], frozenset(words).difference(SPLIT_NAMES, _FILLERS)
    common = {rest for _, rest in found.values()}
    together = len(common) == 1 and len({SPLIT_NAMES[word] for word, _ in found.values()}) > 1
    kept = {name: word for name, (word, rest) in found.items() if not rest or together}
    sure = {SPLIT_NAMES[word] for word in kept.values() if word not in _EITHER}
    other = "validation" if "test" in sure and "validation" not in sure else "test"
    return {name: other if word in _EITHER else SPLIT_NAMES[word] for name, word in kept.items()}


def read_as(named: dict[str, str]) -> list[str]:
    """Return a note on the names that are not the usual ones."""
    odd = {name: split for name, split in named.items() if name.lower() not in _USUAL}
    if not odd:
        return []
    return [f"the splits {', '.join(odd)} are read as {', '.join(odd.values())}"]


def splits_of_values(given: Strings, column: str) -> tuple[list[str | None], list[str]]:
    """Return the split that each value of a column means, None if it means none, and notes.

    Parameters
    ----------
    given : str [N]
        Names of splits in any case, 0, 1, 2 as in WILDS, or flags in a column whose name says of what.
    column : str
        Its name.

    Raises
    ------
    EvenhandError
        If the values are flags and the column's name does not say of which split.
    """
    values = sorted({str(value) for value in given} - {""})
    lower = {value.lower() for value in values}
    notes: list[str] = []
    if lower <= _TRUE | _FALSE and lower & _TRUE and lower & _FALSE:
        named = _flags(values, column)
        notes = [f"column {column!r} is read as a flag: {_pairs(named)}"]
    elif lower <= _NUMBERED.keys():
        named, notes = _NUMBERED, ["the split numbers 0, 1, 2 are read as train, validation, test"]
    else:
        named = splits_named(values)
        notes = read_as(named)
    return [named.get(str(value)) for value in given], notes


def reads_as_split(name: str, values: Strings) -> bool:
    """Tell whether a column that nobody named says of each row which split it is in.

    >>> reads_as_split("is_test", np.array(["True", "False"]))
    True
    """
    lower = {value.lower() for value in values.tolist()}
    flags = lower <= _TRUE | _FALSE and split_in_name(name) is not None
    named = splits_named(lower)
    return flags or (len({*named.values()}) > 1 and lower <= named.keys())


def _flags(values: Iterable[str], column: str) -> dict[str, str]:
    on = split_in_name(column)
    if on is None:
        raise EvenhandError(
            f"split_column: {column!r} has only {' and '.join(values)}, and it is unclear which of them is "
            "for training; write train, validation or test, or call the column is_train or is_test"
        )
    off = "test" if on == "train" else "train"
    return {value: on if value.lower() in _TRUE else off for value in values}


def _pairs(named: dict[str, str]) -> str:
    return ", ".join(f"{value} is {split}" for value, split in named.items())


def not_a_split(given: Strings, names: list[str | None], column: str) -> EvenhandError:
    """Return what is raised where a value means no split; the sentence names the first such row."""
    unknown = np.asarray([name is None for name in names])
    row = int(unknown.argmax())
    count = int(unknown.sum())
    empty = int((given == "").sum())
    if empty == count:
        first = f"{empty} rows, the first is " if empty > 1 else ""
        return EvenhandError(
            f"split_column: column {column!r} has no value at {first}row {row + 1} of {len(given)}; "
            "fill it in or drop such rows"
        )
    more = f"; {count} rows have such values" if count > 1 else ""
    return EvenhandError(
        f"split_column: {str(given[row])!r} in column {column!r} at row {row + 1} is not a split; allowed: "
        f"{', '.join(_USUAL)}, or 0, 1, 2 for train, validation, test{more}"
    )
