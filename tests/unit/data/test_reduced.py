"""JPEGs decoded at a fraction of their size: at which, and that nothing moves."""

import io
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from evenhand.data.images.decode import UnreadableImage, decode, read_image
from evenhand.data.images.pixel_limit import VARIABLE
from evenhand.data.images.reduced import reduce


def smooth(width: int, height: int) -> Image.Image:
    """Return blobs of color, as photographs have them."""
    blobs = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(blobs).resize((width, height), Image.Resampling.BICUBIC)


def jpeg(path: Path, image: Image.Image, **options: Any) -> Path:
    image.save(path, **{"format": "JPEG", "quality": 95, **options})
    return path


def difference(one: Image.Image, other: Image.Image) -> float:
    assert one.size == other.size
    return float(np.abs(np.asarray(one, dtype=float) - np.asarray(other, dtype=float)).mean())


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((512, 512), 8),
        ((504, 504), 4),
        ((1024, 512), 8),
        ((1024, 504), 4),
        ((504, 1024), 4),
        ((256, 256), 4),
        ((252, 252), 2),
        ((128, 128), 2),
        ((127, 127), 1),
        ((126, 128), 1),
        # A scale must divide both sides.
        ((516, 520), 4),
        ((518, 520), 2),
        ((517, 520), 1),
        ((520, 517), 1),
    ],
    ids=str,
)
def test_the_smallest_scale_that_keeps_the_short_side(
    tmp_path: Path, size: tuple[int, int], expected: int
) -> None:
    path = jpeg(tmp_path / "a.jpg", smooth(*size))
    with Image.open(path) as image:
        assert reduce(image, 64) == expected
    found = decode(path, 64)
    assert found.size == size
    assert found.image.size == (size[0] // expected, size[1] // expected)


def test_in_full_unless_asked(tmp_path: Path) -> None:
    path = jpeg(tmp_path / "a.jpg", smooth(512, 512))
    assert decode(path).image.size == read_image(path).size == (512, 512)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": "4:2:0"}, {"format": "MPO"}])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_it_is_the_mean_of_the_pixels(tmp_path: Path, mode: str, options: dict[str, Any]) -> None:
    """libjpeg leaves high frequencies out where a box averages: on what is smooth they are the same."""
    path = jpeg(tmp_path / "a.jpg", smooth(512, 384).convert(mode), **options)
    found = decode(path, 48)
    assert found.size == (512, 384)
    assert found.image.mode == "RGB"
    assert difference(found.image, read_image(path).reduce(8)) < 1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_it_is_upright(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = jpeg(tmp_path / "a.jpg", smooth(512, 384), exif=exif)
    found, full = decode(path, 64), read_image(path)
    assert found.size == full.size == ((512, 384) if orientation < 5 else (384, 512))
    assert difference(found.image, full.reduce(4)) < 1


@pytest.mark.parametrize("suffix", ["png", "webp", "tif", "bmp"])
def test_other_formats_come_in_full(tmp_path: Path, suffix: str) -> None:
    smooth(512, 512).save(tmp_path / f"a.{suffix}")
    found = decode(tmp_path / f"a.{suffix}", 64)
    assert found.size == found.image.size == (512, 512)


def test_a_member_of_an_archive(tmp_path: Path) -> None:
    path = jpeg(tmp_path / "a.jpg", smooth(512, 512))
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        archive.add(path, "a.jpg")
    inside = decode(tmp_path / "a.tar" / "a.jpg", 64)
    assert inside.image.size == (64, 64)
    assert difference(inside.image, read_image(path, 64)) == 0


def test_a_truncated_file_is_still_one(tmp_path: Path) -> None:
    stream = io.BytesIO()
    smooth(512, 512).effect_spread(40).save(stream, "JPEG")
    (tmp_path / "a.jpg").write_bytes(stream.getvalue()[:-2000])
    with pytest.raises(UnreadableImage, match="truncated or damaged"):
        decode(tmp_path / "a.jpg", 64)


def test_the_limit_is_of_the_pixels_in_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = jpeg(tmp_path / "a.jpg", smooth(512, 512))
    monkeypatch.setenv(VARIABLE, str(512 * 512 - 1))
    with pytest.raises(UnreadableImage, match="decompression bomb"):
        decode(path, 64)
