"""What each level of folders in a tree means: a split, a class, an attribute or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from evenhand._errors import EvenhandError
from evenhand.data.labels import some
from evenhand.data.split_names import is_filler, splits_named

CLASS, SPLIT, NOTHING = "class", "split", "*"

Folders = tuple[str, ...]
"""The names of the folders that a file is in, from the root down."""


@dataclass(frozen=True)
class Levels:
    """The meaning of each folder level of a tree, from the root down.

    Attributes
    ----------
    roles : tuple of str
        For each level `class`, `split`, `*` if it means nothing, or the name of an attribute.
    """

    roles: Folders

    @staticmethod
    def parse(text: str) -> Levels:
        """Read the option `layout` for a tree of folders, such as `domain/class`.

        Raises
        ------
        EvenhandError
            If `class` is missing, or a name other than `*` appears twice.
        """
        roles = tuple(part.strip() for part in text.strip("/").split("/"))
        named = [role for role in roles if role != NOTHING]
        if CLASS not in roles or len(set(named)) < len(named) or "" in roles:
            raise EvenhandError(
                f"layout: got {text!r}; write a word for each level of folders, {CLASS} once, {SPLIT} at "
                f"most once, {NOTHING} for a level to ignore, others for attributes, such as domain/class"
            )
        return Levels(roles)

    @staticmethod
    def of_table(text: str) -> Levels:
        """Read the option `layout` for the folders in a table's paths, such as `*/patient/*`.

        Raises
        ------
        EvenhandError
            If no attribute is named, one is named twice, or a level is `class` or `split`, which are columns
            of a table.
        """
        roles = tuple(part.strip() for part in text.strip("/").split("/"))
        named = [role for role in roles if role != NOTHING]
        if not named or {CLASS, SPLIT, ""} & set(named) or len(set(named)) < len(named):
            raise EvenhandError(
                f"layout: {text!r} cannot be read: class and split are columns of the table; write a word "
                f"for each folder of its paths that is an attribute, {NOTHING} for others, such as "
                "*/patient/*"
            )
        return Levels(roles)

    def __str__(self) -> str:
        return "/".join(self.roles)

    @property
    def attributes(self) -> Folders:
        """Names of the attributes, from the root down."""
        return tuple(role for role in self.roles if role not in (CLASS, SPLIT, NOTHING))

    def of(self, role: str, folders: Folders) -> str:
        """Return the folder that has a role; "" if no level has it, or the file is above the lowest level."""
        return folders[self.roles.index(role)] if role in self.roles and self.holds(folders) else ""

    def holds(self, folders: Folders) -> bool:
        """Return whether a file is in at least as many folders as there are levels."""
        return len(folders) >= len(self.roles)


def guess(files: Sequence[Folders]) -> Levels:
    """Return what the levels of a tree most likely mean. Files outside all folders do not count.

    - Folders named after splits are splits, above the class folders or below each of them.
    - A folder that holds all others means nothing, and neither does one below every split with a name such
      as `images`.
    - All other folders are classes, even one called `train` next to one called `bus`.

    Raises
    ------
    EvenhandError
        If two or more split folders are next to other folders, because the meaning of these is unclear.
    """
    # A tree has many files but few folders, so each folder is looked at once.
    places = sorted({folders for folders in files if folders})
    roles: list[str] = []
    while _all_in_one(places, len(roles)):
        roles.append(NOTHING)
    tops = _names(places, len(roles))
    if _are_splits(tops):
        roles.append(SPLIT)
        while _is_wrapper(places, len(roles)):
            roles.append(NOTHING)
        return Levels((*roles, CLASS))
    if _splits_below(places, len(roles)):
        return Levels((*roles, CLASS, SPLIT))
    return Levels((*roles, CLASS))


def repeated_below(files: Sequence[Folders], levels: Levels) -> str | None:
    """Return a note if the same folders are below every class, as in a tree of domains; else None."""
    depth = len(levels.roles)
    while _all_below_one(files, depth):
        depth += 1
    below: dict[str, set[str]] = {}
    for folders in set(files):
        if len(folders) > depth:
            below.setdefault(levels.of(CLASS, folders), set()).add(folders[depth])
        elif levels.holds(folders):
            return None
    names = sorted(set.intersection(*below.values())) if len(below) > 1 else []
    overlap = all(2 * len(a & b) >= len(a | b) for a, b in combinations(list(below.values())[:20], 2))
    if len(names) < 2 or not overlap:
        return None
    passed = f"/{NOTHING}" * (depth - len(levels.roles))
    above = "/".join("domain" if role == CLASS else role for role in levels.roles)
    return (
        f"the same folders ({some(names, 5)}) are below every class ({some(sorted(below), 5)}): if they are "
        f"the classes, give the layout {above}{passed}/class; if they are an attribute, {levels}{passed}/NAME"
    )


def uneven_below(files: Sequence[Folders], levels: Levels) -> str | None:
    """Return a note if only one class has subfolders, because these may be the real classes; else None."""
    depth = len(levels.roles)
    below: dict[str, set[str]] = {}
    for folders in set(files):
        if levels.holds(folders):
            below.setdefault(levels.of(CLASS, folders), set()).update(folders[depth : depth + 1] or [""])
    flat = sorted(name for name, inside in below.items() if inside == {""})
    deep = sorted(name for name, inside in below.items() if len(inside) > 1 and "" not in inside)
    if not flat or len(deep) != 1:
        return None
    return (
        f"the folders {some(sorted(below[deep[0]]), 5)} in {deep[0]} are read as one class next to "
        f"{some(flat, 5)}; if they are the classes, give the folder {deep[0]} alone"
    )


def _all_below_one(files: Sequence[Folders], depth: int) -> bool:
    """Return whether all files are in a folder of one name at this level, and in another folder below."""
    return len({folders[depth : depth + 1] for folders in files}) == 1 and all(
        len(folders) > depth + 1 for folders in files
    )


def _names(places: Sequence[Folders], depth: int) -> set[str]:
    """Return the names of the folders at a level."""
    return {folders[depth] for folders in places if len(folders) > depth}


def _all_in_one(places: Sequence[Folders], depth: int) -> bool:
    """Return whether one folder holds all files in subfolders. A class folder holds the files itself."""
    names = _names(places, depth)
    deeper = all(len(folders) > depth + 1 for folders in places)
    return len(names) == 1 and deeper and not splits_named(names) and len(_names(places, depth + 1)) > 0


def _are_splits(tops: set[str]) -> bool:
    """Return whether all these folders are named after splits."""
    named = splits_named(tops)
    if named and len(named) < len(tops) and len(set(named.values())) >= 2:
        raise EvenhandError(
            f"the split folders {', '.join(sorted(named))} are next to other folders "
            f"({', '.join(sorted(tops - named.keys())[:5])}); move one kind elsewhere, or say in layout "
            "what the folders are"
        )
    return bool(tops) and len(named) == len(tops)


def _is_wrapper(places: Sequence[Folders], depth: int) -> bool:
    """Return whether the folders at a level below splits mean nothing: fillers, or names of splits again."""
    names = _names(places, depth)
    deeper = all(len(folders) > depth + 1 for folders in places if len(folders) >= depth)
    splits = splits_named({*names, *_names(places, depth - 1)})
    return bool(names) and deeper and all(is_filler(name) or name in splits for name in names)


def _splits_below(places: Sequence[Folders], depth: int) -> bool:
    """Return whether the folders at a level are classes that all hold split folders."""
    names = _names(places, depth + 1)
    inside = [folders for folders in places if len(folders) > depth]
    deeper = bool(inside) and all(len(folders) > depth + 1 for folders in inside)
    named = splits_named(names)
    return deeper and len(named) == len(names) and len(set(named.values())) >= 2
