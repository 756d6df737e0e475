"""A file that tells the split of each image, as CelebA's `list_eval_partition.txt`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np

from evenhand._errors import EvenhandError
from evenhand._typing import Strings
from evenhand.data.labels import some
from evenhand.data.split_names import split_in_name, splits_of_values
from evenhand.data.tables.column_names import PATH_COLUMNS, SPLIT_COLUMNS
from evenhand.data.tables.columns import Columns
from evenhand.data.tables.read import read_columns

Form = Callable[[str], str]
"""What of a path is compared."""


def splits_in_file(path: Path, ids: Strings, column: str) -> tuple[Strings, str, list[str]]:
    """Return the split of each image as a file of paths or ids tells it.

    Paths are compared by their last folders, as far as that makes them differ, with or without extension.

    Parameters
    ----------
    path : Path
        A table with a column of paths and one of splits, called `column`, or as usual, or the only other one;
        with one column it lists the images of the split that the file's name tells.
    ids : str [N]
        Of the images.
    column : str
        The split column's name.

    Returns
    -------
    splits : str [N]
        As the file writes them.
    column : str
        The column they come from.
    notes : list of str
        One sentence each.

    Raises
    ------
    EvenhandError
        If the file cannot be read, has no splits, gives two splits for one image, or none of another.
    """
    columns = _with_first_line(read_columns(path), ids)
    if len(columns.values) == 1:
        return _listed(columns, ids)
    name = _split_column(columns, column)
    keys, form = _best(columns, ids, but=name)
    told: dict[str, str] = {}
    for key, value in zip(columns.values[keys].tolist(), columns.values[name].tolist(), strict=True):
        if told.setdefault(form(key), value) != value:
            raise EvenhandError(f"split_file: {path} gives two splits for {key!r}; keep one")
    wanted = [form(str(one)) for one in ids]
    missing = [str(one) for one, key in zip(ids, wanted, strict=True) if key not in told]
    if len(missing) == len(ids):
        raise _names_none(columns, keys, ids)
    if missing:
        raise EvenhandError(
            f"split_file: {path} gives no split for {len(missing)} of {len(ids)} images, the first "
            f"is {missing[0]!r}; add a line for each"
        )
    unused = len(told) - len(set(wanted))
    notes = [f"{unused} of {len(told)} lines of {path} name no image here"] if unused else []
    return np.asarray([told[key] for key in wanted], dtype=np.str_), name, notes


def _with_first_line(columns: Columns, ids: Strings) -> Columns:
    """Return the columns with the header as a row, where it names an image: lists have no header."""
    header = [name for name in columns.values if name.lower() not in (*PATH_COLUMNS, *SPLIT_COLUMNS)]
    forms = _forms()
    known = {form(str(one)) for one in ids for form in forms} if header else set()
    if not any(form(name) in known for name in header for form in forms):
        return columns
    values = enumerate(columns.values.items())
    rows = {f"column {place + 1}": np.asarray([name, *column.tolist()]) for place, (name, column) in values}
    return replace(columns, values=rows)


def _listed(columns: Columns, ids: Strings) -> tuple[Strings, str, list[str]]:
    split = split_in_name(columns.path.name)
    (name,) = columns.values
    if split is None:
        raise EvenhandError(
            f"split_file: {columns.path} has only the column {name!r}, and its name is not a split; "
            "add a column `split`, or name the file after a split, as test.txt"
        )
    _, form = _best(columns, ids, but="")
    listed = {form(key) for key in columns.values[name].tolist()}
    if not any(form(str(one)) in listed for one in ids):
        raise _names_none(columns, name, ids)
    rest = "test" if split == "train" else "train"
    splits = np.asarray([split if form(str(one)) in listed else rest for one in ids], dtype=np.str_)
    return splits, name, [f"the images that {columns.path} lists are {split}, the others {rest}"]


def _names_none(columns: Columns, name: str, ids: Strings) -> EvenhandError:
    return EvenhandError(
        f"split_file: {columns.path} names none of the images; its first is "
        f"{str(columns.values[name][0])!r}, and an image here is {str(ids[0])!r}; write paths of images"
    )


def _split_column(columns: Columns, wanted: str) -> str:
    lower = {name.lower(): name for name in columns.values}
    known = [
        name for name in (wanted, *(lower.get(one, "") for one in SPLIT_COLUMNS)) if name in columns.values
    ]
    if known:
        return known[0]
    if len(columns.values) == 2:
        return list(columns.values)[1]
    told = [name for name, values in columns.values.items() if _are_splits(values, name)]
    if len(told) == 1:
        return told[0]
    raise EvenhandError(
        f"split_file: {columns.path} has no column of splits; its columns are {some(columns.values)}; name "
        "the one with the splits as `split_column`"
    )


def _are_splits(values: Strings, column: str) -> bool:
    try:
        return None not in splits_of_values(np.unique(values), column)[0]
    except EvenhandError:
        return False


def _best(columns: Columns, ids: Strings, *, but: str) -> tuple[str, Form]:
    """Return the column and the part of paths by which the most images are found, the longest part first."""
    forms = _forms()
    best, most = (next(name for name in columns.values if name != but), forms[0]), 0
    for form in forms:
        wanted = {form(str(one)) for one in ids}
        if len(wanted) < len(ids):
            continue
        for name, values in columns.values.items():
            if name == but:
                continue
            hits = len(wanted & {form(value) for value in values.tolist()})
            if hits > most:
                best, most = (name, form), hits
        if most == len(ids):
            break
    return best


def _forms() -> list[Form]:
    return [_form(depth, stem=stem) for depth in (99, 4, 3, 2, 1) for stem in (False, True)]


def _form(depth: int, *, stem: bool) -> Form:
    def form(path: str) -> str:
        place = PurePosixPath(path.replace("\\", "/"))
        parts = [*place.parts[:-1], place.stem if stem else place.name]
        return "/".join(parts[-depth:])

    return form
