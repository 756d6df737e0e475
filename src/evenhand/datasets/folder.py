"""The user's own images as a benchmark, with its protocol and table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from typing_extensions import override

from evenhand.data.manifest import Manifest
from evenhand.datasets._layout import require
from evenhand.datasets.base import Dataset


@dataclass(frozen=True)
class FolderDataset(Dataset):
    """Class folders, the ImageFolder convention, or a table of paths; parameters as in `Manifest.read`.

    Parameters
    ----------
    label_column, split_column : str
        Columns of the table.
    attribute_columns : sequence of str, or one str with commas, or None
        What can make groups, the usual one first; None takes every column that may.
    class_names : mapping of str to str, or None
        New names for labels.
    path_column, root, split_by, split_file : str or None
        Where the images are, what a split never divides, and a table of splits.
    seed : int
        Of the split, where none is given.
    """

    label_column: str = "label"
    attribute_columns: Sequence[str] | str | None = None
    split_column: str = "split"
    class_names: Mapping[str, str] | None = None
    path_column: str | None = None
    root: str | None = None
    split_by: str | None = None
    split_file: str | None = None
    seed: int = 0

    title = "your own images"
    layout = "class folders, or metadata.csv with file_name, label and attributes; or it is a table of paths"

    @override
    def load(self, data: Path | None, pictures: Path) -> Manifest:
        """Read the folder or the table."""
        wanted = self.attribute_columns
        return Manifest.read(
            data if data and data.is_file() else require(self.title, data, "the images"),
            label_column=self.label_column,
            attribute_columns=wanted.split(",") if isinstance(wanted, str) else wanted,
            split_column=self.split_column,
            class_names=self.class_names,
            path_column=self.path_column,
            root=self.root,
            split_by=self.split_by,
            split_file=self.split_file,
            seed=self.seed,
        )
