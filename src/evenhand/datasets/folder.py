"""Any folder of images, so that the benchmark's protocol and table can be had for one's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from typing_extensions import override

from evenhand.data.manifest import Manifest
from evenhand.datasets._layout import require
from evenhand.datasets.base import Dataset


@dataclass(frozen=True)
class FolderDataset(Dataset):
    """Class folders, or the ImageFolder convention; parameters as in `Manifest.read`.

    Parameters
    ----------
    label_column, split_column : str
        Columns of the metadata table.
    attribute_columns : sequence of str, or one str with commas, or None
        What can make groups, the usual one first; None takes every column that may.
    seed : int
        Of the split, where none is given.
    """

    label_column: str = "label"
    attribute_columns: Sequence[str] | str | None = None
    split_column: str = "split"
    seed: int = 0

    title = "your own images"
    layout = "class folders, or metadata.csv with file_name, label and attributes"

    @override
    def load(self, data: Path | None, pictures: Path) -> Manifest:
        """Read the folder."""
        wanted = self.attribute_columns
        return Manifest.read(
            require(self.title, data, "the images"),
            label_column=self.label_column,
            attribute_columns=wanted.split(",") if isinstance(wanted, str) else wanted,
            split_column=self.split_column,
            seed=self.seed,
        )
