"""Properties of images that are drawn here."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image
from scipy.ndimage import convolve

from evenhand.data.images.decode import Decoded, decode, read_image
from evenhand.data.images.properties import (
    PROPERTIES,
    border,
    color,
    is_gray,
    jpeg_quality,
    properties_of,
    sharpness,
)


def of(image: Image.Image) -> dict[str, str]:
    return named(Decoded(image, image.size))


def named(decoded: Decoded) -> dict[str, str]:
    return dict(zip(PROPERTIES, properties_of(decoded, decoded.image), strict=True))


def noise(width: int, height: int) -> Image.Image:
    values = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(values)


def test_every_property_of_a_image() -> None:
    found = of(noise(60, 40))
    gray = np.asarray(noise(60, 40).convert("L"), dtype=float)
    assert (found["image_width"], found["image_height"], found["image_aspect"]) == ("60", "40", "1.5")
    assert float(found["image_brightness"]) == pytest.approx(gray.mean(), rel=1e-3)
    assert float(found["image_contrast"]) == pytest.approx(gray.std(), rel=1e-3)
    assert found["image_border"] == "none"
    unknown = ("image_bytes_per_pixel", "image_jpeg_quality", "image_camera")
    assert [found[name] for name in unknown] == ["", "", ""]
    assert found["image_gray"] == "no"
    assert of(noise(60, 40).convert("L").convert("RGB"))["image_gray"] == "yes"


def test_sharpness_is_the_variance_of_the_laplacian_in_the_middle() -> None:
    kernel = np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]])
    for image in (noise(50, 30), noise(200, 140)):
        left, top = max(0, (image.width - 64) // 2), max(0, (image.height - 64) // 2)
        gray = np.asarray(image.convert("L"), dtype=float)[top : top + 64, left : left + 64]
        assert sharpness(image) == pytest.approx(convolve(gray, kernel)[1:-1, 1:-1].var())
    assert sharpness(noise(90, 60).resize((30, 20)).resize((90, 60))) < sharpness(noise(90, 60)) / 2
    assert sharpness(noise(2, 50)) == 0


@pytest.mark.parametrize(
    ("rgb", "name"),
    [
        ((200, 10, 10), "red"),
        ((200, 200, 10), "yellow"),
        ((10, 200, 10), "green"),
        ((10, 200, 200), "cyan"),
        ((10, 10, 200), "blue"),
        ((200, 10, 200), "magenta"),
        ((200, 10, 30), "red"),
        ((128, 128, 128), "gray"),
        ((250, 250, 250), "white"),
        ((10, 10, 10), "black"),
    ],
)
def test_the_color_of_most_pixels(rgb: tuple[int, int, int], name: str) -> None:
    image = Image.new("RGB", (30, 10), rgb)
    image.paste((255, 255, 255) if name != "white" else (0, 0, 0), (0, 0, 10, 10))
    assert color(image) == name


@pytest.mark.parametrize("bright", [256, 48])
def test_the_color_is_that_of_every_fourth_pixel_one_by_one(bright: int) -> None:
    """Against Python's own conversion, on images that mix all colors."""
    for seed in range(20):
        generator = np.random.default_rng(seed)
        ground = generator.integers(0, bright, 3)
        values = (ground + generator.integers(0, 80, (9, 7, 3))).clip(0, 255).astype(np.uint8)
        image = Image.fromarray(values)
        hsv = np.asarray(image.convert("HSV")).astype(int)
        names: Counter[str] = Counter()
        for row in range(0, 9, 2):
            for column in range(0, 7, 2):
                hue, saturation, value = hsv[row, column]
                if value < 40:
                    names["black"] += 1
                elif saturation < 40:
                    names["white" if value > 215 else "gray"] += 1
                else:
                    hues = ("red", "yellow", "green", "cyan", "blue", "magenta")
                    names[hues[(hue * 6 + 128) // 256 % 6]] += 1
        most = max(names.values())
        assert color(image) in [name for name, count in names.items() if count == most]


@pytest.mark.parametrize(
    ("level", "spread", "kind"),
    [
        (39, 0, "black"),
        (40, 0, "plain"),
        (215, 0, "plain"),
        (216, 0, "white"),
        (99, 3, "plain"),
        (99, 3.1, "none"),
    ],
)
def test_the_bounds_of_a_plain_side(level: float, spread: float, kind: str) -> None:
    checks = np.indices((20, 30)).sum(axis=0) % 2
    assert border(level + spread * (2.0 * checks - 1)) == kind


@pytest.mark.parametrize(("level", "kind"), [(0, "black"), (255, "white"), (128, "plain")])
def test_two_opposite_plain_sides_are_a_border(level: float, kind: str) -> None:
    gray = np.random.default_rng(0).uniform(0, 255, (20, 30))
    assert border(gray) == "none"
    gray[0] = level
    assert border(gray) == "none", "one side is none"
    gray[-1] = level
    assert border(gray) == kind
    assert border(gray.T) == kind
    gray[-1] = 255 - level if level != 128 else 0
    assert border(gray) == "none", "two sides unlike each other"


def test_compression_and_camera_of_a_file(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Model] = "Box  42\0"
    exif[ExifTags.Base.Orientation] = 6
    noise(60, 40).save(tmp_path / "a.jpg", exif=exif)
    found = named(decode(tmp_path / "a.jpg"))
    assert (found["image_width"], found["image_height"]) == ("40", "60"), "upright"
    assert found["image_camera"] == "Box 42"
    size = (tmp_path / "a.jpg").stat().st_size
    assert float(found["image_bytes_per_pixel"]) == pytest.approx(size / 2400, rel=1e-3)


@pytest.mark.parametrize("quality", [5, 10, 25, 49, 50, 51, 75, 90, 95, 99])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_the_quality_that_a_jpeg_was_saved_with(tmp_path: Path, quality: int, mode: str) -> None:
    path = tmp_path / "a.jpg"
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    noise(60, 40).convert(mode).save(path, quality=quality, exif=exif)
    assert jpeg_quality(read_image(path)) == pytest.approx(quality, abs=1)
    assert of(read_image(path))["image_jpeg_quality"] != ""


def test_other_formats_have_no_jpeg_quality(tmp_path: Path) -> None:
    noise(60, 40).save(tmp_path / "a.png")
    assert jpeg_quality(read_image(tmp_path / "a.png")) is None


def test_a_few_colored_pixels_leave_an_image_gray() -> None:
    gray = np.full((100, 100, 3), 90, dtype=np.uint8)
    gray[..., 0] += 8
    gray[0, :99, 2] = 150
    assert is_gray(Image.fromarray(gray))
    gray[1, 0, 2] = 150
    assert not is_gray(Image.fromarray(gray))
    gray[..., 0] += 1
    assert not is_gray(Image.fromarray(gray))


def test_damaged_exif_is_no_camera(tmp_path: Path) -> None:
    image = noise(9, 9)
    image.info["exif"] = b"Exif\0\0nonsense"
    assert of(image)["image_camera"] == ""
