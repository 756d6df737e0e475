"""MetaShift, cats and dogs indoors and outdoors: the context a natural shortcut for the animal.

Source: Liang, Zou, *MetaShift: A Dataset of Datasets for Evaluating Contextual Distribution Shifts and
Training Conflicts*, ICLR 2022.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from typing_extensions import override

from evenhand._errors import EvenhandError
from evenhand.data.manifest import Manifest
from evenhand.data.sources.find_images import find_images
from evenhand.data.splits import stratified_split
from evenhand.datasets._layout import Sizes, check_sizes, locate, manifest_of
from evenhand.datasets.base import Dataset

FOLDER = "MetaShift-Cat-Dog-indoor-outdoor"
MIXED = "imageID_to_group.pkl"
SUBSETS = {
    "train/cat/cat(indoor)": ("cat", "indoor"),
    "train/dog/dog(outdoor)": ("dog", "outdoor"),
    "test/cat/cat(outdoor)": ("cat", "outdoor"),
    "test/dog/dog(indoor)": ("dog", "indoor"),
}
"""The authors' "unmixed" folders, whose names tell the context."""
SHARES = {"train": 0.65, "validation": 0.1, "test": 0.25}
"""Of all four folders pooled, as SubpopBench deals them out."""


@dataclass(frozen=True)
class MetaShift(Dataset):
    """The unmixed version, pooled and split again by class.

    Parameters
    ----------
    seed : int
        Seed of the split.
    expected : mapping of str to int, or None
        Images by folder, such as `train/cat/cat(indoor)`, to insist on. The authors make the folders with a
        script and publish no counts, so nothing is expected by default but that none is empty.
    """

    seed: int = 0
    expected: Sizes | None = None

    title = "MetaShift"
    layout = f"{FOLDER}/ with train/cat/cat(indoor) and three more"
    origin = "the authors' script, or the archive of SubpopBench"

    @override
    def load(self, data: Path | None, pictures: Path) -> Manifest:
        """List the four folders of images."""
        root = self._root(data)
        found = {subset: find_images(root / subset) for subset in SUBSETS}
        check_sizes(self.title, {subset: len(names) for subset, names in found.items()}, self.expected)
        ids = [f"{subset}/{name}" for subset, names in found.items() for name in names]
        pairs = [SUBSETS[subset] for subset, names in found.items() for _ in names]
        labels, context = np.asarray(pairs, dtype=np.str_).T
        codes = (labels == "dog").astype(np.int64)
        split = stratified_split(codes, seed=self.seed, fractions=SHARES)
        note = f"65 % train, 10 % validation and 25 % test are drawn by class with seed {self.seed}"
        return manifest_of(root, ids, labels, split, {"context": context}, [note])

    def _root(self, data: Path | None) -> Path:
        first, *others = SUBSETS
        if data is not None and (data / "val_out_of_domain").is_dir():
            raise EvenhandError(
                f"{self.title}: {data} is the mixed version, whose contexts are in {MIXED}, a pickle, which "
                f"evenhand never opens; give as data the folder {FOLDER} that the authors' script writes too"
            )
        root = locate(self.title, data, (first,), (FOLDER,)).parents[2]
        for subset in others:
            locate(self.title, root, (subset,))
        return root
