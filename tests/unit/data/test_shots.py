"""Few training images of each class."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from evenhand import EvenhandError, Manifest, embed
from evenhand.data.shots import Shots, kept_rows, shot_notes
from evenhand.data.store_card import read_card

Y = np.random.default_rng(0).integers(0, 3, 120)
SPLIT = np.array(["train", "train", "train", "test", "validation"] * 24)


@pytest.mark.parametrize("k", [1, 5, 1000])
def test_each_class_keeps_so_many_and_other_splits_all(k: int) -> None:
    kept = kept_rows(Y, SPLIT, Shots(k, 0))
    assert kept[SPLIT != "train"].all()
    for code in range(3):
        own = (code == Y) & (SPLIT == "train")
        assert (kept & own).sum() == min(k, own.sum())


def test_fewer_shots_are_among_more_and_another_seed_draws_others() -> None:
    few, more = (kept_rows(Y, SPLIT, Shots(k, 0)) for k in (4, 9))
    assert (few <= more).all()
    assert (kept_rows(Y, SPLIT, Shots(4, 0)) == few).all()
    assert (kept_rows(Y, SPLIT, Shots(4, 1)) != few).any()


def test_every_row_of_a_class_is_drawn_alike_often() -> None:
    own = (Y == 0) & (SPLIT == "train")
    often = np.mean([kept_rows(Y, SPLIT, Shots(5, seed))[own] for seed in range(400)], axis=0)
    assert often == pytest.approx(np.full(own.sum(), 5 / own.sum()), abs=0.1)


def test_what_was_drawn_is_said() -> None:
    y, split = np.array([0, 0, 0, 1]), np.array(["train"] * 4)
    assert shot_notes(y, split, ["cat", "dog"], Shots(2, 7)) == [
        "shots: 3 of 4 training images, at most 2 of each class, drawn with seed 7",
        "shots: these classes have fewer training images: dog",
    ]
    assert len(shot_notes(y, split, ["cat", "dog"], Shots(1, 7))) == 1
    with pytest.raises(
        EvenhandError, match=r"^shots: there must be at least 1 for each class, but there are 0$"
    ):
        kept_rows(y, split, Shots(0, 7))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    generator = np.random.default_rng(0)
    for split, n in (("train", 9), ("test", 3)):
        for name in ("cat", "dog"):
            folder = tmp_path / "photos" / split / name
            folder.mkdir(parents=True)
            for k in range(n):
                pixels = generator.integers(0, 256, (8, 8, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / f"{k}.png")
    return tmp_path / "photos"


def test_a_manifest_and_a_store_of_few_shots(photos: Path, tmp_path: Path) -> None:
    whole, few = Manifest.read(photos), Manifest.read(photos, shots=4, seed=3)
    assert (few.split == "train").sum() == 8
    assert (few.split == "test").sum() == 6
    assert few.shots == Shots(4, 3)
    place = {name: row for row, name in enumerate(whole.ids)}
    rows = [place[name] for name in few.ids]
    assert (whole.y[rows] == few.y).all()
    assert (whole.paths[rows] == few.paths).all()
    assert few.notes[-1] == "shots: 8 of 18 training images, at most 4 of each class, drawn with seed 3"
    table = embed(few, "tiny", tmp_path / "few.store", workers=0)
    assert len(table) == 14
    assert read_card(tmp_path / "few.store").identity["shots"] == {"per_class": 4, "seed": 3}


def test_copies_keep_their_rows(photos: Path) -> None:
    source = photos / "train" / "cat" / "0.png"
    for k in (1, 2):
        (photos / "train" / "cat" / f"{k}.png").write_bytes(source.read_bytes())
    whole = Manifest.read(photos)
    assert len(whole.copies) == 1
    for seed in range(6):
        few = Manifest.read(photos, shots=5, seed=seed)
        names = {str(few.ids[row]) for rows in few.copies for row in rows}
        there = {f"train/cat/{k}.png" for k in range(3)} & set(few.ids.tolist())
        assert names == (there if len(there) > 1 else set())
