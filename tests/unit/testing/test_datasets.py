"""The public checks of a data set fail where a manifest breaks its promise."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evenhand import Manifest
from evenhand.datasets.scenes import write_scenes
from evenhand.testing.datasets import check_dataset, check_manifest


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    """Eight files, two classes, two grounds."""
    for k in range(8):
        (tmp_path / f"{k}.png").write_bytes(bytes([k]))
    ids = np.array([f"{k}.png" for k in range(8)])
    return Manifest(
        ids=ids,
        paths=np.array([str(tmp_path / name) for name in ids]),
        y=np.arange(8) % 2,
        split=np.array(["train"] * 4 + ["validation"] * 2 + ["test"] * 2),
        attributes={"ground": np.array(["sea", "wood", "wood", ""] * 2)},
        classes=("gull", "jay"),
        root=str(tmp_path),
    )


def at(array: Any, row: int, value: Any) -> Any:
    changed = array.astype(object) if array.dtype.kind == "U" else array.copy()
    changed[row] = value
    return changed.astype(np.str_) if array.dtype.kind == "U" else changed


def test_a_good_manifest_and_our_scenes_pass(manifest: Manifest, tmp_path: Path) -> None:
    check_manifest(manifest)
    scenes = write_scenes(tmp_path / "scenes", seed=0, train=24, test=12)
    check_dataset(lambda: Manifest.read(scenes))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda m: {"split": m.split[1:]}, "split has 7 rows, ids have 8"),
        (lambda m: {"attributes": {"ground": m.split[1:]}}, "ground has 7 rows, ids have 8"),
        (lambda m: {"ids": at(m.ids, 0, "1.png")}, "the id '1.png' appears 2 times"),
        (lambda m: {"ids": at(m.ids, 0, "")}, "a row has no id"),
        (lambda m: {"split": at(m.split, 0, "dev")}, "'dev' is not a split"),
        (lambda m: {"classes": ("gull",)}, "there are 1 classes"),
        (lambda m: {"classes": ("gull", "")}, "a class has no name"),
        (lambda m: {"classes": ("gull", "gull")}, "two classes have one name"),
        (lambda m: {"y": m.y.astype(np.int32)}, "y is int32, not int64"),
        (lambda m: {"y": at(m.y, 0, -1)}, "a row has no label"),
        (lambda m: {"y": at(m.y, 0, 2)}, "y holds the code 2, but there are 2 classes"),
        (lambda m: {"classes": ("gull", "jay", "owl")}, "no training row has the class 'owl'"),
        (lambda m: {"split": np.full(8, "train")}, "there is nothing to evaluate on"),
        (lambda m: {"attributes": {"label": m.ids}}, "an attribute cannot be called 'label'"),
        (lambda m: {"attributes": {"ground": np.arange(8)}}, "the attribute 'ground' holds int64, not texts"),
        (lambda m: {"attributes": {"ground": np.array(["sea", ""] * 4)}}, "takes 1 known values"),
        (lambda m: {"paths": at(m.paths, 0, m.paths[1])}, "is the image of 2 rows"),
        (lambda m: {"paths": at(m.paths, 0, "0.png")}, "0.png is not an absolute path"),
        (lambda m: {"paths": at(m.paths, 0, m.root + "/none.png")}, "none.png is not a file"),
    ],
)
def test_a_fault_is_found(
    manifest: Manifest, change: Callable[[Manifest], dict[str, Any]], told: str
) -> None:
    with pytest.raises(AssertionError, match=told):
        check_manifest(replace(manifest, **change(manifest)))


def test_an_empty_manifest_is_found(manifest: Manifest) -> None:
    with pytest.raises(AssertionError, match="the manifest has no rows"):
        check_manifest(replace(manifest, ids=manifest.ids[:0]))


def test_the_same_picture_in_two_splits_is_found(manifest: Manifest) -> None:
    Path(str(manifest.paths[7])).write_bytes(bytes([0]))
    with pytest.raises(AssertionError, match="leakage: 2 images have the same content"):
        check_manifest(manifest)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda m: {"y": 1 - m.y}, "two loads differ in y"),
        (lambda m: {"split": m.split[::-1]}, "two loads differ in split"),
        (lambda m: {"attributes": {}}, "two loads differ in their attributes"),
        (lambda m: {"attributes": {"ground": m.split}}, "two loads differ in ground"),
        (lambda m: {"classes": ("jay", "gull")}, "two loads differ in their classes"),
    ],
)
def test_a_loader_that_changes_is_found(
    manifest: Manifest, change: Callable[[Manifest], dict[str, Any]], told: str
) -> None:
    found = iter([manifest, replace(manifest, **change(manifest))])
    with pytest.raises(AssertionError, match=told):
        check_dataset(lambda: next(found))
