from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from evenhand import EvenhandError
from evenhand.datasets.metashift import FOLDER, SUBSETS, MetaShift

from .conftest import picture

COUNTS = dict(zip(SUBSETS, (24, 26, 8, 6), strict=True))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for subset, count in COUNTS.items():
        for k in range(count):
            picture(tmp_path / FOLDER / subset / f"{len(subset)}{k}.jpg")
    (tmp_path / FOLDER / "imageID_to_group.pkl").write_bytes(b"never opened")
    return tmp_path


@pytest.mark.parametrize("inside", [False, True])
def test_contexts_are_the_folders(data: Path, inside: bool) -> None:
    found = MetaShift(expected=COUNTS).load(data / FOLDER if inside else data, data)
    assert found.classes == ("cat", "dog")
    groups = np.char.add(np.asarray(found.classes)[found.y], found.attributes["context"])
    assert {g: int((groups == g).sum()) for g in np.unique(groups)} == {
        "catindoor": 24,
        "catoutdoor": 8,
        "dogindoor": 6,
        "dogoutdoor": 26,
    }
    for name, context in zip(found.ids, found.attributes["context"], strict=True):
        assert f"({context})/" in name


def test_all_folders_are_dealt_out_by_class_with_the_seed(data: Path) -> None:
    found, again, other = (MetaShift(seed=seed).load(data, data) for seed in (0, 0, 1))
    assert {s: int((found.split == s).sum()) for s in np.unique(found.split)} == {
        "test": 16,
        "train": 42,
        "validation": 6,
    }
    assert (found.split == again.split).all()
    assert (found.split != other.split).any()
    assert "drawn by class with seed 0" in found.notes[0]


def test_other_counts_than_expected_are_told(data: Path) -> None:
    with pytest.raises(EvenhandError, match=r"train/cat/cat\(indoor\) has 24 rows, MetaShift has 900"):
        MetaShift(expected={"train/cat/cat(indoor)": 900}).load(data, data)


@pytest.mark.parametrize("subset", SUBSETS)
def test_a_missing_folder_is_named(data: Path, subset: str) -> None:
    (data / FOLDER / subset).rename(data / FOLDER / "aside")
    with pytest.raises(EvenhandError) as error:
        MetaShift().load(data, data)
    assert f"MetaShift: {subset} is not in" in str(error.value)


def test_the_mixed_version_is_refused_for_its_pickle(tmp_path: Path) -> None:
    for name in ("train/cat/1.jpg", "val_out_of_domain/cat/2.jpg"):
        picture(tmp_path / name)
    with pytest.raises(EvenhandError, match=r"is the mixed version.*imageID_to_group.pkl, a pickle, which"):
        MetaShift().load(tmp_path, tmp_path)
