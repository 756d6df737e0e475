"""The list of images to work on, with labels, splits and attributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from evenhand._counts import number_of
from evenhand._errors import EvenhandError
from evenhand._typing import Ints, PathLike, Strings
from evenhand.data.equal_copies import equal_copies
from evenhand.data.kept_together import kept_together
from evenhand.data.labels import class_codes, class_notes, renamed
from evenhand.data.leakage import leakage
from evenhand.data.shots import Shots, kept_rows, shot_notes
from evenhand.data.sources.listing import Listing, Options
from evenhand.data.sources.resolve import resolve
from evenhand.data.split_file import splits_in_file
from evenhand.data.split_notes import check_splits, unit_notes
from evenhand.data.splits import given_or_drawn


@dataclass(frozen=True)
class Manifest:
    """N images, row by row.

    Attributes
    ----------
    ids : str [N]
        Unique: the path relative to `root`, with forward slashes.
    paths : str [N]
        Absolute. The files may be missing or broken: extraction lists those with the reason.
    y : int64 [N]
        Codes into `classes`; -1 without labels.
    split : str [N]
        `train`, `validation` or `test`.
    attributes : dict of str to str [N]
        The empty string means unknown.
    classes : tuple of str
        In sorted order of the labels as given; whole numbers by value.
    root : str
        The folder, or the table's folder.
    notes : tuple of str, default=()
        What the user should know, one sentence each.
    units : str [N], optional
        What a random split never divides, such as patients; None if nothing was named.
    split_by : str, optional
        The column that `units` come from.
    copies : tuple of tuple of int, default=()
        Groups of rows whose files have the same bytes.
    shots : Shots, optional
        How many training rows of each class were drawn; None if all stay.
    drawn : bool, default=False
        Whether the splits were drawn here and may still change for copies of an image.
    others : dict of str to str [N], default={}
        Columns that make no groups, such as dates: an audit asks whether they go with the label.
    """

    ids: Strings
    paths: Strings
    y: Ints
    split: Strings
    attributes: dict[str, Strings]
    classes: tuple[str, ...]
    root: str
    notes: tuple[str, ...] = ()
    units: Strings | None = None
    split_by: str | None = None
    copies: tuple[tuple[int, ...], ...] = ()
    shots: Shots | None = None
    drawn: bool = False
    others: dict[str, Strings] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)

    @staticmethod
    def read(
        source: PathLike,
        *,
        label_column: str = "label",
        attribute_columns: Sequence[str] | None = None,
        split_column: str = "split",
        class_names: Mapping[str, str] | None = None,
        seed: int = 0,
        labeled: bool = True,
        path_column: str | None = None,
        root: PathLike | None = None,
        layout: str | None = None,
        split_by: str | None = None,
        split_file: PathLike | None = None,
        shots: int | None = None,
    ) -> Manifest:
        """Read a tree of class folders, an ImageFolder with metadata, or a table.

        Parameters
        ----------
        source : str or Path
            A folder of class folders, with or without split folders above them; a folder with
            `metadata.csv`, `.parquet` or `.jsonl` at its root or in its split folders; or a table
            (`.csv`, `.tsv`, `.parquet`, `.jsonl`) with a column of paths relative to it. A `.zip` or `.tar`
            with such a folder inside, WebDataset's tars, and Parquet or Arrow files that hold the images
            as bytes are read in place: one, a folder of them, or a pattern (`train-{000..012}.tar`). It may
            be an address, `s3://` or `gs://`, or a data set of the Hub, `hf://datasets/ORG/NAME[:SPLIT]`.
        label_column : str, default="label"
            Column of the table with the labels.
        split_column : str, default="split"
            Column of the table with the splits.
        attribute_columns : sequence of str, optional
            Columns that make groups. By default every other column of words, whole numbers or booleans with
            2 to 50 distinct values. Columns that make none are kept for audits where values recur or can be
            cut at quartiles.
        class_names : mapping of str to str, optional
            New names for labels; the others keep theirs. The empty label `""` names rows without one, which
            are an error otherwise.
        seed : int, default=0
            Seed of random splits, which are drawn if none are given, and of the `shots`.
        labeled : bool, default=True
            False reads any folder of images, a table or one image for prediction. Every row is then `test`.
        path_column : str, optional
            Column of the image paths. By default a column with a common name, or the one that holds image
            names.
        root : str or Path, optional
            The folder that a table's paths are relative to; by default its own.
        layout : str, optional
            What each folder level means, such as `domain/class`: `class`, `split`, `*` for nothing, any
            other word for an attribute. By default it is guessed. For a table, attributes that the folders of
            its paths tell, such as `*/patient/*`.
        split_by : str, optional
            Column of ids, such as patients, or a level of the layout. Random splits keep the images of an id
            together.
        split_file : str or Path, optional
            A table of paths and splits, used in place of folders and columns.
        shots : int, optional
            Number of training images of each class, drawn by `seed`; the others are left out. By default all
            stay.

        Raises
        ------
        EvenhandError
            If the source cannot be read; a named column or a label is missing; an id appears twice with
            different values; none of a table's images exists; an option does not apply to this source; a
            split is unknown; there is one class, one image per class, or a class without training rows; or
            `shots` is below 1.
        """
        options = Options(
            label=label_column,
            attributes=attribute_columns,
            split=split_column,
            labeled=labeled,
            path=path_column,
            root=None if root is None else Path(root),
            layout=layout,
            split_by=split_by,
            complete="" not in (class_names or {}),
        )
        listing = without_repeats(resolve(source).listing(options))
        if not labeled:
            return _unlabeled(listing)
        names, y = class_codes(listing.labels)
        classes = renamed(names, class_names or {})
        column = split_column
        if split_file is not None:
            splits, column, of_file = splits_in_file(Path(split_file), listing.ids, column)
            listing = replace(listing, splits=splits, notes=(*listing.notes, *of_file))
        same = equal_copies(listing.paths)
        units = kept_together(same, listing.units, len(y))
        split, split_notes, drawn = given_or_drawn(listing.splits, y, seed=seed, column=column, units=units)
        untested = check_splits(classes, y, split)
        notes = [
            *listing.notes,
            *split_notes,
            *unit_notes(listing.units, split, split_by, drawn=drawn),
            *untested,
            *class_notes(classes),
            *leakage(same, listing.ids, split, np.asarray(classes)[y], drawn=drawn),
        ]
        manifest = Manifest(
            listing.ids,
            listing.paths,
            y,
            split,
            listing.attributes,
            classes,
            str(listing.root),
            tuple(notes),
            listing.units,
            split_by,
            tuple(map(tuple, same)),
            drawn=drawn,
            others=listing.others,
        )
        return manifest if shots is None else manifest.few(Shots(shots, seed))

    def few(self, shots: Shots) -> Manifest:
        """Return the manifest with so many training rows of each class, as `kept_rows` draws them.

        Raises
        ------
        EvenhandError
            If the number is below 1.
        """
        notes = shot_notes(self.y, self.split, self.classes, shots)
        kept = np.flatnonzero(kept_rows(self.y, self.split, shots))
        place = {int(row): number for number, row in enumerate(kept)}
        same = (tuple(place[row] for row in rows if row in place) for rows in self.copies)
        return replace(
            self,
            ids=self.ids[kept],
            paths=self.paths[kept],
            y=self.y[kept],
            split=self.split[kept],
            attributes={name: values[kept] for name, values in self.attributes.items()},
            others={name: values[kept] for name, values in self.others.items()},
            notes=(*self.notes, *notes),
            units=None if self.units is None else self.units[kept],
            copies=tuple(rows for rows in same if len(rows) > 1),
            shots=shots,
            drawn=False,  # another training image would be one more than was asked for
        )


def without_repeats(listing: Listing) -> Listing:
    """Return a listing whose ids are unique; of rows that are equal throughout the first stays.

    Raises
    ------
    EvenhandError
        If an id comes twice with different values.
    """
    first: dict[str, int] = {}
    if len(set(listing.ids.tolist())) == len(listing.ids):
        return listing
    rows = _row_values(listing)
    repeated: list[int] = []
    differing: list[str] = []
    for row, name in enumerate(listing.ids.tolist()):
        before = first.setdefault(name, row)
        if before != row:
            repeated.append(row)
            if rows[before] != rows[row]:
                differing.append(name)
    if differing:
        count = listing.ids.tolist().count(differing[0])
        raise EvenhandError(
            f"image paths must be unique, but {differing[0]!r} appears {count} times, with different values "
            f"({len(set(differing))} such paths in all); keep one row for each"
        )
    of = f"of {len(listing.ids):,} rows"
    told = number_of(
        len(repeated), f"{of} repeats an earlier one and is", f"{of} repeat an earlier one and are"
    )
    kept = np.setdiff1d(np.arange(len(listing.ids)), repeated)
    return replace(
        listing,
        ids=listing.ids[kept],
        labels=listing.labels[kept],
        splits=None if listing.splits is None else listing.splits[kept],
        attributes={name: values[kept] for name, values in listing.attributes.items()},
        others={name: values[kept] for name, values in listing.others.items()},
        notes=(*listing.notes, f"{told} left out"),
        units=None if listing.units is None else listing.units[kept],
    )


def _row_values(listing: Listing) -> list[tuple[str, ...]]:
    columns = [listing.labels, *listing.attributes.values()]
    columns += [values for values in (listing.splits, listing.units) if values is not None]
    return list(zip(*(values.tolist() for values in columns), strict=True))


def _unlabeled(listing: Listing) -> Manifest:
    n = len(listing.ids)
    y = np.full(n, -1, dtype=np.int64)
    split = np.full(n, "test")
    return Manifest(listing.ids, listing.paths, y, split, {}, (), str(listing.root), listing.notes)
