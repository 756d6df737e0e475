"""What a source of images to predict tells of them: labels that are classes of the run, and attributes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from evenhand._counts import number_of
from evenhand._errors import EvenhandError
from evenhand._typing import Ints, Strings
from evenhand.data.labels import some
from evenhand.data.sources.image_folder import metadata_files
from evenhand.data.sources.listing import Listing
from evenhand.data.unlabelled import Pictures


@dataclass(frozen=True)
class LabelOptions:
    """How labels are found; what is given must be there, what is not is taken where it is.

    Attributes
    ----------
    label : str, optional
        Column with the label, by default `label`.
    attributes : sequence of str, optional
        Columns that make groups, by default those that may.
    class_names : mapping of str to str
        Classes of the run by labels of the source.
    """

    label: str | None = None
    attributes: Sequence[str] | None = None
    class_names: Mapping[str, str] = field(default_factory=dict)

    @property
    def asked(self) -> bool:
        """Labels are wanted, so that their absence is an error."""
        return self.label is not None or self.attributes is not None or bool(self.class_names)


@dataclass(frozen=True)
class KnownLabels:
    """Labels and attributes of N images.

    Attributes
    ----------
    y : int64 [N]
        Codes into the run's classes; −1 where the label is missing or no class of the run.
    labels : str [N]
        The class; a label that is none as the source has it, the empty string where it is missing.
    attributes : dict of str to str [N]
        The empty string means unknown.
    notes : tuple of str
        What the user should know, one sentence each.
    """

    y: Ints
    labels: Strings
    attributes: dict[str, Strings]
    notes: tuple[str, ...] = ()

    @property
    def any(self) -> bool:
        """Some image has a label."""
        return bool((self.y >= 0).any())


def known_labels(pictures: Pictures, classes: Sequence[str], options: LabelOptions) -> KnownLabels:
    """Return the labels of images, as their source has them, where they are classes of a run.

    Folders are labels where one of them has the name of a class; a table's labels are in its column. Names
    match where they differ only in case, blanks, hyphens and underscores. Images of a folder that tells
    nothing are not listed again, so that memory does not grow with it.

    Raises
    ------
    EvenhandError
        If labels were asked for and the source has none, or none of them is a class.
    """
    nothing = KnownLabels(np.full(len(pictures), -1, dtype=np.int64), np.full(len(pictures), ""), {})
    label = options.label or "label"
    wanted = replace(pictures.options, label=label, attributes=options.attributes, complete=False)
    try:
        if not options.asked and not _may_tell(pictures, classes):
            return nothing
        listing = pictures.source.listing(wanted)
    except EvenhandError:
        if options.asked:
            raise
        return nothing
    return _known(listing, pictures, classes, options) or nothing


def _may_tell(pictures: Pictures, classes: Sequence[str]) -> bool:
    if not pictures.source.grows or metadata_files(pictures.source.path):
        return True
    wanted = {_alike(name) for name in classes}
    return any(_alike(folder) in wanted for name in pictures.ids for folder in name.split("/")[:-1])


def _known(
    listing: Listing, pictures: Pictures, classes: Sequence[str], options: LabelOptions
) -> KnownLabels | None:
    place = {str(path): row for row, path in enumerate(listing.paths)}
    rows = np.array([place.get(str(path), -1) for path in pictures.paths], dtype=np.int64)
    labels = np.where(rows >= 0, listing.labels[rows], "")
    code = _codes(np.unique(labels[labels != ""]), classes, options.class_names)
    y = np.array([code.get(str(label), -1) for label in labels], dtype=np.int64)
    unknown = sorted({str(label) for label in labels if label != ""} - set(code))
    if not code:
        if not unknown and not options.asked:
            return None
        found = f"its labels are {some(unknown)}" if unknown else "it has no label"
        sentence = (
            f"no label is a class of the run: {found}, the classes are {some(classes)}; "
            "name them in `class_names`, as LABEL=CLASS"
        )
        if options.asked:
            raise EvenhandError(sentence)
        return KnownLabels(y, labels, {}, (f"{sentence} to see which predictions are correct",))
    attributes = {name: np.where(rows >= 0, of[rows], "") for name, of in listing.attributes.items()}
    named = np.where(y >= 0, np.asarray(classes)[y], labels)
    unused = sorted(set(options.class_names) - set(labels.tolist()))
    return KnownLabels(y, named, attributes, _notes(labels, y, unknown, unused))


def _codes(labels: Strings, classes: Sequence[str], class_names: Mapping[str, str]) -> dict[str, int]:
    """Return the code of each label that is a class, by its exact name or else by a similar one."""
    exact = {name: code for code, name in enumerate(classes)}
    alike: dict[str, list[int]] = {}
    for code, name in enumerate(classes):
        alike.setdefault(_alike(name), []).append(code)
    found = {}
    for label in map(str, labels):
        name = class_names.get(label, label)
        near = alike.get(_alike(name), [])
        if name in exact:
            found[label] = exact[name]
        elif len(near) == 1:
            found[label] = near[0]
    return found


def _alike(name: str) -> str:
    return re.sub(r"[\s_-]+", " ", name).strip().casefold()


def _notes(labels: Strings, y: Ints, unknown: Sequence[str], unused: Sequence[str]) -> tuple[str, ...]:
    missing = int((labels == "").sum())
    others = int((y < 0).sum()) - missing
    notes, of = [], f"of {len(y):,} images"
    if missing:
        notes.append(
            f"{number_of(missing, f'{of} has', f'{of} have')} no label; accuracies are of the others"
        )
    if others:
        notes.append(
            f"{number_of(others, f'{of} has', f'{of} have')} a label that is not a class of the run "
            f"({some(unknown)}); accuracies are of the others"
        )
    if unused:
        notes.append(f"class_names: no image has the label {some(unused)}")
    return tuple(notes)
