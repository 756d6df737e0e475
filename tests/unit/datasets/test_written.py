from __future__ import annotations

from pathlib import Path

import pytest

from evenhand import EvenhandError
from evenhand.datasets._written import once
from evenhand.datasets.scenes import Scenes


def test_a_killed_writing_is_done_again_and_a_finished_one_is_not(tmp_path: Path) -> None:
    calls = []

    def write(folder: Path) -> None:
        calls.append(folder)
        if len(calls) == 1:
            raise KeyboardInterrupt

    for _ in range(3):
        try:
            once(tmp_path / "made", {"seed": 0}, write)
        except KeyboardInterrupt:
            assert not (tmp_path / "made/recipe.json").exists()
    assert len(calls) == 2


def test_another_recipe_in_the_folder_is_told(tmp_path: Path) -> None:
    once(tmp_path, {"seed": 0, "classes": ("a", "b")}, lambda _: None)
    once(tmp_path, {"seed": 0, "classes": ["a", "b"]}, lambda _: None)
    with pytest.raises(
        EvenhandError, match=r"images of another recipe, with seed 0 instead of 1; name another"
    ):
        once(tmp_path, {"seed": 1, "classes": ["a", "b"]}, lambda _: None)


def test_scenes_need_no_data(tmp_path: Path) -> None:
    task = Scenes(train=20, test=8)
    first = task.load(None, tmp_path / "scenes")
    stamp = (tmp_path / "scenes/train/00000.jpg").stat().st_mtime_ns
    assert (first.y == task.load(None, tmp_path / "scenes").y).all()
    assert (tmp_path / "scenes/train/00000.jpg").stat().st_mtime_ns == stamp
    assert first.classes == ("landbird", "waterbird")
    assert list(first.attributes) == ["background"]
