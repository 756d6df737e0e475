"""What each level of folders in a tree means: a split, a class, an attribute, or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from evenhand._errors import EvenhandError
from evenhand.data.labels import some
from evenhand.data.split_names import is_filler, splits_named

CLASS, SPLIT, NOTHING = "class", "split", "*"

Folders = tuple[str, ...]
"""The folders that a file is in, from the root on."""


@dataclass(frozen=True)
class Levels:
    """The meaning of the folder levels of a tree, from the root on.

    Attributes
    ----------
    roles : tuple of str
        `class`, `split`, `*` for a level that means nothing, or the name of an attribute.
    """

    roles: Folders

    @staticmethod
    def parse(text: str) -> Levels:
        """Read what a user says of the levels, as `domain/class`.

        Raises
        ------
        EvenhandError
            If `class` is not named once, or another level is named twice.
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
        """Read what a user says of the folders in a table's paths, as `*/patient/*`.

        Raises
        ------
        EvenhandError
            If no attribute is named, one is named twice, or it is a class or a split, which are columns.
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
        """Names of the attributes."""
        return tuple(role for role in self.roles if role not in (CLASS, SPLIT, NOTHING))

    def of(self, role: str, folders: Folders) -> str:
        """Return what a file's folders say of a role; the empty string where it is too high, or none is."""
        return folders[self.roles.index(role)] if role in self.roles and self.holds(folders) else ""

    def holds(self, folders: Folders) -> bool:
        """Return whether a file is below all levels."""
        return len(folders) >= len(self.roles)


def guess(files: Sequence[Folders]) -> Levels:
    """Return what the levels of a tree most likely mean; files that are in no folder do not count.

    Split folders above class folders, or below each of them, are splits; a folder that holds all others, or
    stands below every split and has a name like `images`, means nothing; the rest are classes. A tree of
    classes that has one called `train` next to `bus` is a tree of classes.

    Raises
    ------
    EvenhandError
        If two or more split folders are next to other folders, whose meaning cannot be guessed.
    """
    # Of many files few folders: each is looked at once.
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
    """Say where the same folders are below every class, as in a tree of domains; None where they do not."""
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
    """Report that one class has subfolders and another has none, as if a folder held all other classes."""
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
    """Tell whether all files are below folders of one name at this level, and deeper."""
    return len({folders[depth : depth + 1] for folders in files}) == 1 and all(
        len(folders) > depth + 1 for folders in files
    )


def _names(places: Sequence[Folders], depth: int) -> set[str]:
    return {folders[depth] for folders in places if len(folders) > depth}


def _all_in_one(places: Sequence[Folders], depth: int) -> bool:
    """Return whether one folder holds all files in subfolders; a class folder would hold the files itself."""
    names = _names(places, depth)
    deeper = all(len(folders) > depth + 1 for folders in places)
    return len(names) == 1 and deeper and not splits_named(names) and len(_names(places, depth + 1)) > 0


def _are_splits(tops: set[str]) -> bool:
    named = splits_named(tops)
    if named and len(named) < len(tops) and len(set(named.values())) >= 2:
        raise EvenhandError(
            f"the split folders {', '.join(sorted(named))} are next to other folders "
            f"({', '.join(sorted(tops - named.keys())[:5])}); move one kind elsewhere, or say in layout "
            "what the folders are"
        )
    return bool(tops) and len(named) == len(tops)


def _is_wrapper(places: Sequence[Folders], depth: int) -> bool:
    """Return whether every split has one more folder level, whose name is empty or repeats the split."""
    names = _names(places, depth)
    deeper = all(len(folders) > depth + 1 for folders in places if len(folders) >= depth)
    splits = splits_named({*names, *_names(places, depth - 1)})
    return bool(names) and deeper and all(is_filler(name) or name in splits for name in names)


def _splits_below(places: Sequence[Folders], depth: int) -> bool:
    names = _names(places, depth + 1)
    inside = [folders for folders in places if len(folders) > depth]
    deeper = bool(inside) and all(len(folders) > depth + 1 for folders in inside)
    named = splits_named(names)
    return deeper and len(named) == len(names) and len(set(named.values())) >= 2
