"""Checks of the loader of a data set."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from evenhand._typing import Ints, Strings
from evenhand.data.equal_copies import equal_copies
from evenhand.data.leakage import leakage
from evenhand.data.manifest import Manifest

SPLITS = ("train", "validation", "test")


def check_dataset(load: Callable[[], Manifest]) -> None:
    """Run all checks of a data set.

    Parameters
    ----------
    load : callable
        Returns the manifest of the data set, as in `lambda: MyData().load(folder, images)`. It is called
        twice.

    Raises
    ------
    AssertionError
        If a check fails.
    """
    manifest = load()
    check_manifest(manifest)
    check_same_files_same_rows(manifest, load())


def check_manifest(manifest: Manifest) -> None:
    """Check what a manifest must satisfy for every step after it."""
    check_rows(manifest)
    check_labels(manifest)
    check_attributes(manifest)
    check_paths(manifest)
    check_no_leakage(manifest)


def check_rows(manifest: Manifest) -> None:
    """Rows have unique names and one of each column, and are train, validation or test."""
    n = len(manifest.ids)
    assert n > 0, "the manifest has no rows"
    columns = {"paths": manifest.paths, "y": manifest.y, "split": manifest.split, **manifest.attributes}
    for name, column in columns.items():
        assert len(column) == n, f"{name} has {len(column)} rows, ids have {n}"
    ids, counts = np.unique(manifest.ids, return_counts=True)
    assert (counts == 1).all(), f"the id {str(ids[counts.argmax()])!r} appears {counts.max()} times"
    assert "" not in ids, "a row has no id"
    unknown = sorted(set(manifest.split.tolist()) - set(SPLITS))
    assert not unknown, f"{unknown[0]!r} is not a split; the allowed values are {', '.join(SPLITS)}"


def check_labels(manifest: Manifest) -> None:
    """Two or more classes with different names, each with training rows; test rows have no other class."""
    classes, y = manifest.classes, manifest.y
    assert len(classes) >= 2, f"there are {len(classes)} classes; at least 2 are needed"
    assert "" not in classes, "a class has no name"
    assert len(set(classes)) == len(classes), "two classes have one name"
    assert y.dtype == np.int64, f"y is {y.dtype}, not int64"
    assert y.min() >= 0, "a row has no label"
    assert y.max() < len(classes), f"y holds the code {y.max()}, but there are {len(classes)} classes"
    trained = set(y[manifest.split == "train"].tolist())
    untrained = [name for code, name in enumerate(classes) if code not in trained]
    assert not untrained, f"no training row has the class {untrained[0]!r}"
    assert (manifest.split != "train").any(), "there is nothing to evaluate on: no validation and no test row"


def check_attributes(manifest: Manifest) -> None:
    """Attributes are texts, empty where unknown, that take two or more values."""
    for name, values in manifest.attributes.items():
        assert name not in ("", "id", "path", "label", "split"), f"an attribute cannot be called {name!r}"
        assert values.dtype.kind == "U", f"the attribute {name!r} holds {values.dtype}, not texts"
        known = {value for value in values.tolist() if value != ""}
        assert len(known) >= 2, f"the attribute {name!r} takes {len(known)} known values; 2 make groups"


def check_paths(manifest: Manifest) -> None:
    """Paths are absolute and lead to files, each of one row."""
    paths, counts = np.unique(manifest.paths, return_counts=True)
    assert (counts == 1).all(), f"{paths[counts.argmax()]} is the image of {counts.max()} rows"
    for path in map(Path, paths.tolist()):
        assert path.is_absolute(), f"{path} is not an absolute path"
        assert path.is_file(), f"{path} is not a file"


def check_no_leakage(manifest: Manifest) -> None:
    """No image is in two splits, byte for byte."""
    # Under one label, so that a copy under another label in another split counts, too.
    told = leakage(
        equal_copies(manifest.paths), manifest.ids, manifest.split, np.full(len(manifest), ""), drawn=False
    )
    assert not told, told[0]


def check_same_files_same_rows(first: Manifest, second: Manifest) -> None:
    """The same files give the same rows in the same order."""
    pairs: dict[str, tuple[Strings | Ints, Strings | Ints]] = {
        "ids": (first.ids, second.ids),
        "y": (first.y, second.y),
        "split": (first.split, second.split),
    }
    assert list(first.attributes) == list(second.attributes), "two loads differ in their attributes"
    for name, values in first.attributes.items():
        pairs[name] = (values, second.attributes[name])
    for name, (one, other) in pairs.items():
        assert np.array_equal(one, other), f"two loads differ in {name}"
    assert first.classes == second.classes, "two loads differ in their classes"
