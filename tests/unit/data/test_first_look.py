"""Images are looked at for a moment before a model is loaded."""

from pathlib import Path

import pytest
from PIL import Image

from evenhand import EvenhandError
from evenhand.data.images.first_look import look_at_first

LONG = 1e6


@pytest.fixture
def paths(tmp_path: Path) -> list[str]:
    """Return paths of a good, a broken and a good image."""
    for name in ("a", "c"):
        Image.new("RGB", (4, 4)).save(tmp_path / f"{name}.png")
    (tmp_path / "b.png").write_text("no image")
    return [str(tmp_path / f"{name}.png") for name in "abc"]


def test_strict_stops_at_the_first_broken_one(paths: list[str]) -> None:
    with pytest.raises(EvenhandError, match=r"b.png: not an image; `strict=True` stops at the first"):
        look_at_first(paths, strict=True, seconds=LONG)


def test_otherwise_one_good_image_is_enough(paths: list[str]) -> None:
    look_at_first(paths, strict=False, seconds=LONG)
    look_at_first(paths[1:], strict=False, seconds=LONG)
    with pytest.raises(EvenhandError, match=r"none of the 2 images can be read; .*b.png: not an"):
        look_at_first(paths[1:2] * 2, strict=False, seconds=LONG)


@pytest.mark.parametrize("strict", [True, False])
def test_the_rest_is_left_to_the_embedding(paths: list[str], strict: bool) -> None:
    look_at_first(paths[1:], strict=strict, seconds=-1)
    look_at_first(["s3://bucket/a.png"], strict=strict, seconds=LONG)
