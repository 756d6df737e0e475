from pathlib import Path

import pytest

from evenhand import EvenhandError
from evenhand.datasets.folder import FolderDataset
from evenhand.datasets.scenes import write_scenes


def test_a_folder_of_ones_own_is_read_as_manifests_are(tmp_path: Path) -> None:
    write_scenes(tmp_path, seed=0, train=12, test=4)
    found = FolderDataset().load(tmp_path, tmp_path / "unused")
    assert len(found) == 16
    assert list(found.attributes) == ["background"]
    swapped = FolderDataset(label_column="background", attribute_columns="label").load(tmp_path, tmp_path)
    assert swapped.classes == ("land", "water")
    assert list(swapped.attributes) == ["label"]


def test_without_a_folder_it_is_told(tmp_path: Path) -> None:
    with pytest.raises(EvenhandError, match="your own images needs its files; give the folder"):
        FolderDataset().load(None, tmp_path)
