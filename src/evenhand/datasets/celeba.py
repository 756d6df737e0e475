"""CelebA: celebrities with forty attributes; blond hair with gender as the shortcut.

Source: Liu, Luo, Wang, Tang, *Deep Learning Face Attributes in the Wild*, ICCV 2015; the task is that of
Sagawa et al., ICLR 2020.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import numpy as np
from typing_extensions import override

from evenhand._errors import EvenhandError
from evenhand._typing import Strings
from evenhand.data.manifest import Manifest
from evenhand.data.tables.columns import Columns
from evenhand.data.tables.read import read_columns
from evenhand.datasets._layout import Sizes, check_pictures, check_sizes, coded, count, locate, manifest_of
from evenhand.datasets.base import Dataset

FOLDERS = ("Anno", "Eval", "celeba", "celebA", "CelebA", "celebA_v1.0")
"""Of the authors' download, torchvision, and the WILDS package."""
IMAGES = "img_align_celeba"
SIZES: Mapping[str, int] = MappingProxyType({"train": 162770, "validation": 19867, "test": 19962})
WORDS = {"Blond_Hair": ("not blond", "blond"), "Male": ("female", "male")}
"""What −1 and 1 of an attribute are called; others are called "not x" and "x"."""
PUBLISHED = {
    "not blond": ("A photo of a celebrity with dark hair.",),
    "blond": ("A photo of a celebrity with blond hair.",),
}


@dataclass(frozen=True)
class CelebA(Dataset):
    """CelebA, aligned and cropped.

    Parameters
    ----------
    label, attribute : str
        Two of the forty attributes.
    expected : mapping of str to int, or None
        Expected sizes, which are checked.
    """

    label: str = "Blond_Hair"
    attribute: str = "Male"
    expected: Sizes | None = field(default_factory=lambda: SIZES)

    title = "CelebA"
    layout = "list_attr_celeba.csv or .txt, list_eval_partition.csv or .txt, img_align_celeba/"
    origin = "the authors' page, or any copy that keeps the file names"

    @override
    def load(self, data: Path | None, pictures: Path) -> Manifest:
        """Read the attributes (−1 or 1) and the partition (0, 1, 2)."""
        stems = ("list_attr_celeba", "list_eval_partition")
        tables = [locate(self.title, data, (f"{s}.csv", f"{s}.txt"), FOLDERS) for s in stems]
        attributes, partition = (_read(table) for table in tables)
        ids = attributes.filled("image_id", argument=self.title)
        labels = self._column(attributes, self.label)
        groups = self._column(attributes, self.attribute)
        split = _aligned(partition, ids)
        check_sizes(self.title, count(split, labels, groups), self.expected)
        root = locate(self.title, data, (IMAGES,), ("Img", *FOLDERS))
        root = root / IMAGES if (root / IMAGES).is_dir() else root  # one copy in wide use nests them
        check_pictures(self.title, tables[0].name, [f"{root}/{name}" for name in ids])
        name = self.attribute.lower() if self.attribute != "Male" else "gender"
        return manifest_of(root, ids, labels, split, {name: groups})

    def prompts(self) -> dict[str, tuple[str, ...]]:
        """Return the prompts behind the published zero-shot figures, for blond hair."""
        if self.label == "Blond_Hair":
            return dict(PUBLISHED)
        return {name: (f"A photo of a celebrity who is {name}.",) for name in _words(self.label)}

    def _column(self, columns: Columns, name: str) -> Strings:
        no, yes = _words(name)
        return coded(self.title, columns, name, {"-1": no, "1": yes})


def _words(name: str) -> tuple[str, str]:
    spoken = name.lower().replace("_", " ")
    return WORDS.get(name, (f"not {spoken}", spoken))


def _read(table: Path) -> Columns:
    """Read a table; the authors' text files are separated by blanks, with or without two header lines."""
    if table.suffix == ".csv":
        return read_columns(table)
    lines = table.read_text(encoding="utf-8").splitlines()
    names = ["image_id", "partition"]
    if lines and lines[0].strip().isdecimal():
        names, lines = ["image_id", *lines[1].split()], lines[2:]
    rows = [line.split() for line in lines if line.strip()]
    odd = next((k for k, row in enumerate(rows) if len(row) != len(names)), None)
    if odd is not None or not rows:
        raise EvenhandError(
            f"CelebA: {table} has {len(rows[odd]) if odd is not None else 0} values at row {(odd or 0) + 1}, "
            f"not {len(names)}; use the original file"
        )
    return Columns(table, dict(zip(names, np.asarray(rows, dtype=np.str_).T, strict=True)))


def _aligned(partition: Columns, ids: Strings) -> Strings:
    """Return the split of each image of the attribute file, by name."""
    words = {"0": "train", "1": "validation", "2": "test"}
    split = coded("CelebA", partition, "partition", words)
    known = dict(zip(partition.get("image_id", argument="CelebA").tolist(), split.tolist(), strict=True))
    lost = next((name for name in ids.tolist() if name not in known), None)
    if lost is not None:
        raise EvenhandError(f"CelebA: {partition.path} does not list {lost}; use the original file")
    return np.asarray([known[name] for name in ids.tolist()], dtype=np.str_)
