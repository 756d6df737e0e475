"""Waterbirds: birds of CUB-200-2011 pasted on places of Places365, the place a shortcut for the bird.

Source: Sagawa, Koh, Hashimoto, Liang, *Distributionally Robust Neural Networks for Group Shifts*, ICLR 2020.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import numpy as np
from typing_extensions import override

from evenhand._errors import EvenhandError
from evenhand._typing import Bools, Strings
from evenhand.data.manifest import Manifest
from evenhand.data.tables.read import read_columns
from evenhand.datasets._layout import Sizes, check_pictures, check_sizes, coded, count, locate, manifest_of
from evenhand.datasets.base import Dataset

FOLDERS = ("waterbird_complete95_forest2water2", "waterbirds_v1.0")
"""Names of the authors' archive and of the WILDS package."""
SIZES: Mapping[str, int] = MappingProxyType(
    {
        "train": 4795,
        "validation": 1199,
        "test": 5794,
        "train, landbird / land": 3498,
        "train, landbird / water": 184,
        "train, waterbird / land": 56,
        "train, waterbird / water": 1057,
    }
)
MISLABELLED = ("Eastern_Towhee", "Western_Meadowlark", "Western_Wood_Pewee")
"""Landbirds marked as waterbirds, as the authors' README says: their rule took any name with "tern"."""


@dataclass(frozen=True)
class Waterbirds(Dataset):
    """Waterbirds as its authors publish it.

    Parameters
    ----------
    corrected : bool
        Whether the three mislabeled species count as the landbirds that they are. Published figures are
        with the labels as given.
    expected : mapping of str to int, or None
        Expected sizes before any correction, which are checked.
    """

    corrected: bool = False
    expected: Sizes | None = field(default_factory=lambda: SIZES)

    title = "Waterbirds"
    layout = "metadata.csv and 200 folders of species"
    origin = "the authors' archive waterbird_complete95_forest2water2.tar.gz"
    average = "train_weighted"

    @override
    def load(self, data: Path | None, pictures: Path) -> Manifest:
        """Read `metadata.csv`: img_id, img_filename, y, split, place, place_filename."""
        table = locate(self.title, data, ("metadata.csv",), FOLDERS)
        columns = read_columns(table)
        ids = columns.filled("img_filename", argument=self.title)
        labels = coded(self.title, columns, "y", {"0": "landbird", "1": "waterbird"})
        place = coded(self.title, columns, "place", {"0": "land", "1": "water"})
        split = coded(self.title, columns, "split", {"0": "train", "1": "validation", "2": "test"})
        check_sizes(self.title, count(split, labels, place), self.expected)
        check_pictures(self.title, table.name, [f"{table.parent}/{name}" for name in ids])
        labels, note = self._judged(ids, labels)
        return manifest_of(table.parent, ids, labels, split, {"place": place}, [note])

    def prompts(self) -> dict[str, tuple[str, ...]]:
        """Return the prompts behind the published zero-shot figures."""
        return {name: (f"This is a picture of a {name}.",) for name in ("landbird", "waterbird")}

    def _judged(self, ids: Strings, labels: Strings) -> tuple[Strings, str]:
        """Return the labels, corrected or not, and what to say of the mislabeled species."""
        species = [name.split("/")[0].partition(".")[2] for name in ids]
        wrong: Bools = np.isin(species, MISLABELLED) & (labels == "waterbird")
        told = f"{wrong.sum()} images of {', '.join(MISLABELLED)} are landbirds labeled as waterbirds"
        if not self.corrected:
            return labels, f"{told}, and are left so; corrected=true counts them as landbirds"
        if not wrong.any():
            raise EvenhandError(
                f"{self.title}: corrected=true, but no waterbird is one of {', '.join(MISLABELLED)}; "
                "these files are corrected already, or their folders are renamed"
            )
        return np.where(wrong, "landbird", labels), f"{told}, and are counted as landbirds"
