"""The procedural scenes: what they promise about groups, seeds and the folder."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from evenhand import EvenhandError
from evenhand.datasets.scenes import draw_scene, write_scenes

GROUPS = {(bird, ground) for bird in ("waterbird", "landbird") for ground in ("water", "land")}


def _rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "metadata.csv").open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_scenes(tmp_path_factory.mktemp("scenes") / "birds", seed=3, train=80, test=20)


def test_every_listed_picture_is_there_with_its_size(scenes: Path) -> None:
    for split, count in (("train", 80), ("test", 20)):
        rows = _rows(scenes / split)
        assert len(rows) == count == len(list((scenes / split).glob("*.jpg")))
        for row in rows:
            with Image.open(scenes / split / row["file_name"]) as image:
                assert (image.size, image.mode) == ((64, 64), "RGB")


def test_train_is_correlated_as_stated_and_test_is_balanced(scenes: Path) -> None:
    home = {"waterbird": "water", "landbird": "land"}
    train = _rows(scenes / "train")
    assert sum(home[row["label"]] == row["background"] for row in train) == 76
    assert Counter(row["label"] for row in train) == {"waterbird": 40, "landbird": 40}
    assert Counter((row["label"], row["background"]) for row in _rows(scenes / "test")) == dict.fromkeys(
        GROUPS, 5
    )


@pytest.mark.parametrize(("correlation", "at_home"), [(0, 0), (0.5, 6), (1, 12)])
def test_correlation_is_the_share_of_birds_at_home(tmp_path: Path, correlation: float, at_home: int) -> None:
    rows = _rows(write_scenes(tmp_path, seed=0, train=12, test=4, correlation=correlation) / "train")
    assert (
        sum(
            (row["label"], row["background"]) in {("waterbird", "water"), ("landbird", "land")}
            for row in rows
        )
        == at_home
    )


def test_equal_seeds_give_equal_bytes_and_others_do_not(scenes: Path, tmp_path: Path) -> None:
    again = write_scenes(tmp_path / "again", seed=3, train=80, test=20)
    other = write_scenes(tmp_path / "other", seed=4, train=4, test=20)
    for file in sorted(scenes.rglob("*.*")):
        assert file.read_bytes() == (again / file.relative_to(scenes)).read_bytes()
    assert (scenes / "test/00000.jpg").read_bytes() != (other / "test/00000.jpg").read_bytes()


def test_a_split_does_not_depend_on_the_size_of_the_other(scenes: Path, tmp_path: Path) -> None:
    small = write_scenes(tmp_path, seed=3, train=4, test=20)
    assert (scenes / "test/00007.jpg").read_bytes() == (small / "test/00007.jpg").read_bytes()


@pytest.mark.parametrize("bird", ["waterbird", "landbird", None])
@pytest.mark.parametrize("background", ["water", "land"])
@pytest.mark.parametrize("size", [32, 64, 97])
def test_every_kind_is_drawn_at_every_size(bird: str | None, background: str, size: int) -> None:
    image = draw_scene(np.random.default_rng(0), bird, background, size)
    assert image.size == (size, size)
    assert np.asarray(image).std() > 5


def test_water_is_bluer_than_land_whatever_the_bird() -> None:
    blueness = {}
    for bird, ground in GROUPS:
        rng = np.random.default_rng(1)
        pictures = np.stack([np.asarray(draw_scene(rng, bird, ground), dtype=float) for _ in range(25)])
        blueness[bird, ground] = (pictures[:, 32:, :, 2] - pictures[:, 32:, :, 0]).mean()
    lowest_water = min(v for (_, ground), v in blueness.items() if ground == "water")
    assert lowest_water > max(v for (_, ground), v in blueness.items() if ground == "land") + 20


def test_unknown_names_are_refused() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(EvenhandError, match="bird 'penguin' is unknown; scenes have waterbird, landbird"):
        draw_scene(rng, "penguin", "water")
    with pytest.raises(EvenhandError, match="background 'ice' is unknown; scenes have water, land"):
        draw_scene(rng, "waterbird", "ice")


@pytest.mark.parametrize("correlation", [-0.1, 1.5, float("nan")])
def test_a_correlation_that_is_no_share_is_refused(tmp_path: Path, correlation: float) -> None:
    with pytest.raises(EvenhandError, match="it must be between 0 and 1"):
        write_scenes(tmp_path / "never", seed=0, correlation=correlation)
    assert not (tmp_path / "never").exists()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(EvenhandError, match="cannot make the folder"):
        write_scenes(tmp_path / "file", seed=0, train=4, test=4)
