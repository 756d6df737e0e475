from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from evenhand import EvenhandError
from evenhand.datasets.waterbirds import SIZES, Waterbirds

from .conftest import picture, table

HEAD = "img_id,img_filename,y,split,place,place_filename"
SPECIES = {
    "001.Black_footed_Albatross": 1,
    "021.Eastern_Towhee": 1,
    "088.Western_Meadowlark": 1,
    "009.Jay": 0,
}
FOUND = {"train": 16, "validation": 8, "test": 8, "train, landbird / water": 2}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    root = tmp_path / "waterbird_complete95_forest2water2"
    rows = []
    for species, y in SPECIES.items():
        for k in range(8):
            name = f"{species}/{species[4:]}_{k}.jpg"
            picture(root / name)
            rows.append((len(rows) + 1, name, y, (0, 0, 0, 0, 1, 1, 2, 2)[k], k % 2, "/o/ocean/1.jpg"))
    table(root / "metadata.csv", HEAD, rows)
    return root


def edit(data: Path, old: str, new: str) -> None:
    file = data / "metadata.csv"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


@pytest.mark.parametrize("above", [False, True])
def test_the_metadata_are_read_as_the_authors_mean_them(data: Path, above: bool) -> None:
    found = Waterbirds(expected=FOUND).load(data.parent if above else data, data)
    assert found.classes == ("landbird", "waterbird")
    assert found.ids[0] == "001.Black_footed_Albatross/Black_footed_Albatross_0.jpg"
    assert found.split[:8].tolist() == ["train"] * 4 + ["validation"] * 2 + ["test"] * 2
    assert found.attributes["place"][:2].tolist() == ["land", "water"]
    assert np.bincount(found.y).tolist() == [8, 24]
    assert all(Path(path).is_file() for path in found.paths)
    assert "16 images of Eastern_Towhee, Western_Meadowlark, Western_Wood_Pewee" in found.notes[0]


def test_the_mislabelled_species_can_be_corrected(data: Path) -> None:
    found = Waterbirds(corrected=True, expected=FOUND).load(data, data)
    labels = np.asarray(found.classes)[found.y]
    assert set(labels[8:24]) == {"landbird"}
    assert set(labels[:8]) == {"waterbird"}
    assert "counted as landbirds" in found.notes[0]


def test_files_without_mislabelled_species_cannot_be_corrected(data: Path) -> None:
    for species in ("021.Eastern_Towhee", "088.Western_Meadowlark"):
        edit(data, f"{species}/", f"{species}x/")
        (data / species).rename(data / f"{species}x")
    with pytest.raises(EvenhandError, match="corrected=true, but no waterbird is one of Eastern_Towhee"):
        Waterbirds(corrected=True, expected=None).load(data, data)


def test_the_official_sizes_are_expected(data: Path) -> None:
    assert sum(SIZES[split] for split in ("train", "validation", "test")) == 11788
    with pytest.raises(EvenhandError, match="Waterbirds: train has 16 rows, Waterbirds has 4,795; use the"):
        Waterbirds().load(data, data)
    with pytest.raises(EvenhandError, match="train, waterbird / land has 6 rows, Waterbirds has 56"):
        Waterbirds(expected={"train, waterbird / land": 56}).load(data, data)


def test_renamed_metadata_are_told_with_what_is_there(data: Path) -> None:
    (data / "metadata.csv").rename(data / "metadata_waterbirds.csv")
    with pytest.raises(
        EvenhandError,
        match=r"metadata.csv is not in .*, nor in .*; the folder holds .*metadata_waterbirds.csv",
    ):
        Waterbirds().load(data, data)


def test_missing_images_are_counted_and_named(data: Path) -> None:
    (data / "009.Jay/Jay_3.jpg").unlink()
    with pytest.raises(
        EvenhandError, match=r"1 of the 32 images that metadata.csv lists are missing.*Jay_3.jpg"
    ):
        Waterbirds(expected=None).load(data, data)


def test_a_column_that_is_missing_is_named(data: Path) -> None:
    edit(data, ",place,", ",ground,")
    with pytest.raises(EvenhandError, match=r"Waterbirds: .*metadata.csv has no column 'place'"):
        Waterbirds().load(data, data)


def test_a_value_without_meaning_is_named(data: Path) -> None:
    edit(data, "Jay_7.jpg,0,2,", "Jay_7.jpg,0,3,")
    with pytest.raises(
        EvenhandError,
        match=r"'3' in column 'split' at row 32; the allowed values are 0 \(train\), 1 \(validation\), 2",
    ):
        Waterbirds().load(data, data)


def test_without_a_folder_the_sentence_says_which(tmp_path: Path) -> None:
    with pytest.raises(EvenhandError, match="Waterbirds needs its files; give the folder that holds"):
        Waterbirds().load(None, tmp_path)
    with pytest.raises(
        EvenhandError, match=r"data: .*gone is not a folder with Waterbirds; give the one that holds"
    ):
        Waterbirds().load(tmp_path / "gone", tmp_path)


def test_each_class_has_the_published_prompt() -> None:
    assert Waterbirds().prompts()["waterbird"] == ("This is a picture of a waterbird.",)
