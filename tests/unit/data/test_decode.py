"""Every picture in three colours and upright, every other file with its reason."""

import contextlib
import os
import pickle
import struct
import sys
import warnings
import zipfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from evenhand import EvenhandError
from evenhand.data.images.decode import UnreadableImage, decode, read_image, readable_formats
from evenhand.data.images.foreign_formats import what_it_is
from evenhand.data.images.pixel_limit import pixel_limit
from evenhand.data.images.thumbnail import shrunk

TOO_MANY = "decompression bomb, more than 60 pixels; for an image that you trust raise `max_pixels`"


def pixel(path: Path, at=(0, 0)) -> tuple[int, ...]:
    image = read_image(path)
    assert image.mode == "RGB"
    return image.getpixel(at)


def png16(path: Path, pixels: np.ndarray, colour_type: int) -> None:
    """Write a 16-bit PNG by hand: PIL cannot write one with colours."""
    height, width = pixels.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0)
    data = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + data)


def test_grey(tmp_path):
    Image.new("L", (4, 3), 90).save(tmp_path / "a.png")
    assert pixel(tmp_path / "a.png") == (90, 90, 90)


def test_one_bit(tmp_path):
    Image.new("1", (4, 3), 1).save(tmp_path / "a.png")
    assert pixel(tmp_path / "a.png") == (255, 255, 255)


def test_palette(tmp_path):
    Image.new("RGB", (4, 3), (10, 200, 30)).quantize(4).save(tmp_path / "a.png")
    assert pixel(tmp_path / "a.png") == (10, 200, 30)


def test_palette_transparency_is_white(tmp_path):
    image = Image.new("P", (4, 3), 0)
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.putpixel((1, 0), 1)
    image.save(tmp_path / "a.png", transparency=0)
    assert pixel(tmp_path / "a.png") == (255, 255, 255)
    assert pixel(tmp_path / "a.png", (1, 0)) == (0, 0, 255)


def test_gif_transparency_is_white(tmp_path):
    image = Image.new("P", (4, 3), 0)
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.save(tmp_path / "a.gif", transparency=0)
    assert pixel(tmp_path / "a.gif") == (255, 255, 255)


def test_alpha_is_laid_on_white(tmp_path):
    Image.new("RGBA", (4, 3), (255, 0, 0, 0)).save(tmp_path / "clear.png")
    Image.new("RGBA", (4, 3), (0, 0, 0, 51)).save(tmp_path / "faint.png")
    Image.new("LA", (4, 3), (0, 0)).save(tmp_path / "grey.png")
    assert pixel(tmp_path / "clear.png") == (255, 255, 255)
    assert pixel(tmp_path / "faint.png") == (204, 204, 204)
    assert pixel(tmp_path / "grey.png") == (255, 255, 255)


def test_colour_key_is_white(tmp_path):
    Image.new("RGB", (4, 3), (1, 2, 3)).save(tmp_path / "a.png", transparency=(1, 2, 3))
    assert pixel(tmp_path / "a.png") == (255, 255, 255)


def test_cmyk(tmp_path):
    Image.new("CMYK", (16, 16), (0, 255, 255, 0)).save(tmp_path / "a.jpg", quality=95)
    red, green, blue = pixel(tmp_path / "a.jpg")
    assert red > 240
    assert green < 15
    assert blue < 15


def test_lab(tmp_path):
    Image.new("LAB", (8, 8), (255, 128, 128)).save(tmp_path / "a.tif")
    assert min(pixel(tmp_path / "a.tif")) > 250


def test_premultiplied_grey(tmp_path, monkeypatch):
    # No file format stores mode La, but plug-ins may give it.
    image = Image.new("LA", (4, 4), (0, 0)).convert("La")
    (tmp_path / "a.png").write_bytes(b"x")
    monkeypatch.setattr(Image, "open", lambda *_, **__: image)
    assert pixel(tmp_path / "a.png") == (255, 255, 255)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_16_bit_grey_is_scaled(tmp_path, suffix):
    values = np.array([[0, 257 * 100], [65535, 300]], dtype=np.uint16)
    Image.fromarray(values).save(tmp_path / f"a.{suffix}")
    image = np.asarray(read_image(tmp_path / f"a.{suffix}"))
    assert image[..., 0].tolist() == [[0, 100], [255, 1]]


def test_16_bit_colour_is_scaled(tmp_path):
    png16(tmp_path / "a.png", np.full((2, 2, 3), [257 * 200, 257 * 3, 0]), colour_type=2)
    assert pixel(tmp_path / "a.png") == (200, 3, 0)


def test_16_bit_grey_with_alpha(tmp_path):
    png16(tmp_path / "a.png", np.full((2, 2, 2), [257 * 200, 65535]), colour_type=4)
    assert pixel(tmp_path / "a.png") == (200, 200, 200)


def test_dark_16_bit_grey_with_alpha_keeps_both_bytes(tmp_path):
    white, half = 4095, 2048  # as of a 12-bit scanner
    values = np.array([[[0, 65535], [white, 65535]], [[half, 65535], [white, 0]]])
    png16(tmp_path / "a.png", values, colour_type=4)
    grey = np.asarray(read_image(tmp_path / "a.png"))
    assert grey[..., 0].tolist() == [[0, 255], [128, 255]]
    assert (grey == grey[..., :1]).all()


@pytest.mark.parametrize("white", [255, 1023, 4095, 16383, 65535])
def test_white_is_the_smallest_full_scale_that_holds_the_values(tmp_path, white):
    deep = np.array([[0, white], [white // 2, 0]], dtype=np.uint16)
    colours = np.stack([deep, deep // 2, deep * 0], axis=-1)
    Image.fromarray(deep).save(tmp_path / "grey.png")
    Image.fromarray(deep).save(tmp_path / "grey.tif")
    png16(tmp_path / "colours.png", colours, colour_type=2)
    png16(tmp_path / "alpha.png", np.dstack([colours, np.full((2, 2), 65535)]), colour_type=6)
    for name in ("grey.png", "grey.tif", "colours.png", "alpha.png"):
        found = np.asarray(read_image(tmp_path / name)).astype(int)
        assert np.abs(found[..., 0] - [[0, 255], [127, 0]]).max() <= 1, name
        wanted = found[..., 0] if name.startswith("grey") else [[0, 127], [63, 0]]
        assert np.abs(found[..., 1] - wanted).max() <= 1, name


@pytest.mark.parametrize(
    ("values", "expected"),
    [([0.0, 1.0, np.nan], [0, 255, 0]), ([0.0, 51.0, 255.0], [0, 51, 255]), ([-1.0, 0.0, 1e6], [0, 0, 255])],
)
def test_float_tiff(tmp_path, values, expected):
    Image.fromarray(np.array([values], dtype=np.float32)).save(tmp_path / "a.tif")
    assert np.asarray(read_image(tmp_path / "a.tif"))[0, :, 0].tolist() == expected


def test_32_bit_tiff(tmp_path):
    Image.fromarray(np.array([[0, 65535, 257 * 7]], dtype=np.int32)).save(tmp_path / "a.tif")
    assert np.asarray(read_image(tmp_path / "a.tif"))[0, :, 0].tolist() == [0, 255, 7]


@pytest.mark.parametrize("suffix", ["gif", "webp", "png"])
def test_first_frame(tmp_path, suffix):
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / f"a.{suffix}", save_all=True, append_images=frames[1:], lossless=True)
    assert pixel(tmp_path / f"a.{suffix}") in {(255, 0, 0), (254, 0, 0)}


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["png", "tif", "jpg"])
def test_exif_orientation(tmp_path, orientation, suffix):
    # 16-pixel blocks, so that JPEG keeps them apart.
    upright = Image.new("RGB", (48, 32), "black")
    upright.paste((255, 255, 255), (0, 0, 16, 16))
    upright.paste((255, 255, 255), (16, 0, 32, 16))
    undo = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    stored = upright if undo is None else upright.transpose(undo)
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / f"a.{suffix}", exif=exif)
    image = read_image(tmp_path / f"a.{suffix}")
    assert image.size == (48, 32)
    assert np.abs(np.asarray(image, dtype=int) - np.asarray(upright, dtype=int)).max() < 10


def test_damaged_exif_is_overlooked(tmp_path, recwarn):
    for nonsense in (b" nonsense", b"II*\0\x08\0\0\0\xff\0"):
        Image.new("RGB", (8, 8), "red").save(tmp_path / "a.png", exif=b"Exif\0\0" + nonsense)
        assert pixel(tmp_path / "a.png") == (255, 0, 0)
    assert not recwarn.list


def test_only_a_file_of_this_machine_has_a_size_in_bytes(tmp_path: Path) -> None:
    image = tmp_path / "a.png"
    Image.new("RGB", (4, 3)).save(image)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(image, "a.png")
    assert decode(image).file_bytes == image.stat().st_size
    for elsewhere in (tmp_path / "a.zip" / "a.png", Path(f"file://{image}")):
        assert decode(elsewhere).file_bytes is None


def test_wrong_extension_and_unicode_name(tmp_path):
    path = tmp_path / "Über den Wolken 鳥.jpg"
    Image.new("RGB", (4, 3), (1, 2, 3)).save(path, format="PNG")
    assert pixel(path) == (1, 2, 3)


def noise(path: Path, **options) -> bytes:
    values = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(values).save(path, **options)
    return path.read_bytes()


@pytest.mark.parametrize("suffix", ["jpg", "png", "gif", "bmp", "webp", "tif"])
def test_truncated(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    data = noise(path)
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(UnreadableImage, match=r"truncated or damaged|cannot be decoded|not an image"):
        read_image(path)


def test_truncated_jpeg_says_so(tmp_path):
    data = noise(tmp_path / "a.jpg")
    (tmp_path / "a.jpg").write_bytes(data[:-500])
    with pytest.raises(UnreadableImage, match=r"cannot read the image .*a\.jpg: truncated or damaged"):
        read_image(tmp_path / "a.jpg")


def test_empty(tmp_path):
    (tmp_path / "a.jpg").touch()
    with pytest.raises(UnreadableImage, match="empty file") as caught:
        read_image(tmp_path / "a.jpg")
    assert caught.value.reason == "empty file"


def test_not_an_image(tmp_path):
    (tmp_path / "a.jpg").write_text("hello")
    with pytest.raises(UnreadableImage, match="not an image"):
        read_image(tmp_path / "a.jpg")


def test_postscript_is_not_run(tmp_path):
    Image.new("RGB", (8, 8)).save(tmp_path / "a.eps")
    with pytest.raises(UnreadableImage, match="not an image"):
        read_image(tmp_path / "a.eps")


@pytest.mark.parametrize("factor", [1.5, 3])
@pytest.mark.parametrize("suffix", ["png", "tif", "gif"])
def test_decompression_bomb(tmp_path, monkeypatch, recwarn, factor, suffix):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    Image.new("L", (100, int(10 * factor))).save(tmp_path / f"a.{suffix}")
    with pytest.raises(
        UnreadableImage, match=r"decompression bomb, more than 1000 pixels; .* raise `max_pixels`"
    ):
        read_image(tmp_path / f"a.{suffix}")
    assert not recwarn.list


def test_as_many_pixels_as_allowed(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    Image.new("L", (100, 10)).save(tmp_path / "a.png")
    assert read_image(tmp_path / "a.png").size == (100, 10)


def test_the_limit_may_be_lifted(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    Image.new("L", (100, 10)).save(tmp_path / "a.png")
    assert read_image(tmp_path / "a.png").size == (100, 10)


def test_dangling_link(tmp_path):
    (tmp_path / "a.png").symlink_to(tmp_path / "gone.png")
    with pytest.raises(UnreadableImage, match="dangling link"):
        read_image(tmp_path / "a.png")


def test_missing(tmp_path):
    with pytest.raises(UnreadableImage, match="file not found"):
        read_image(tmp_path / "a.png")


def test_link_in_a_circle(tmp_path):
    (tmp_path / "a.png").symlink_to(tmp_path / "a.png")
    with pytest.raises(UnreadableImage, match="too many levels of symbolic links"):
        read_image(tmp_path / "a.png")


def test_folder_and_pipe(tmp_path):
    (tmp_path / "a.png").mkdir()
    os.mkfifo(tmp_path / "b.png")
    for name in ("a.png", "b.png"):
        with pytest.raises(UnreadableImage, match="not a regular file"):
            read_image(tmp_path / name)


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


LARGE = zlib.compress(bytes(3 << 20))


@pytest.mark.parametrize(
    "extra",
    [
        chunk(b"zTXt", b"c\0\0" + LARGE),
        chunk(b"iTXt", b"c\0\1\0\0\0" + LARGE),
        chunk(b"iCCP", b"p\0\0" + LARGE),
        chunk(b"iCCP", b"nonsense"),
        chunk(b"tEXt", b"c\0" + bytes(2 << 20)),
        chunk(b"tIME", b"1")[:-4] + b"xxxx",
    ],
)
@pytest.mark.parametrize("behind", [False, True])
def test_large_and_damaged_text_of_a_png_is_overlooked(tmp_path, extra, behind):
    Image.new("RGB", (8, 8), "red").save(tmp_path / "a.png")
    data = (tmp_path / "a.png").read_bytes()
    at = data.index(b"IEND") - 4 if behind else 33
    (tmp_path / "a.png").write_bytes(data[:at] + extra + data[at:])
    assert pixel(tmp_path / "a.png") == (255, 0, 0)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\0\0\0\x18ftypisom" + bytes(99), "not an image, but a video: extract its frames"),
        (b"\xff\x0a" + bytes(99), "JPEG XL, which needs pillow-jxl-plugin"),
        (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(99), "JPEG XL, which needs pillow-jxl-plugin"),
        (b"II*\0\x10\0\0\0CR\2\0" + bytes(99), "a camera's raw file"),
        (b"version https://git-lfs.github.com/spec/v1\n", "not an image, but a pointer of Git LFS"),
        (b"\n<!DOCTYPE html><html>", "not an image, but a web page in its place: download"),
        (b'<?xml version="1.0"?>\n<svg xmlns="">', "not an image, but a drawing in SVG: export it as PNG"),
        (b"%PDF-1.7", "not an image, but a PDF"),
        (bytes(128) + b"DICM", "DICOM, which is not read"),
        (b"\x1f\x8b\x08", "not an image, but a compressed file: unpack it"),
        (b"\xff\xd8\xff\xe0", "truncated|damaged"),
        (b"hello", "not an image$"),
    ],
)
def test_what_is_no_image_to_pillow_is_named(tmp_path, content, reason):
    (tmp_path / "a.jpg").write_bytes(content)
    with pytest.raises(UnreadableImage, match=reason):
        read_image(tmp_path / "a.jpg")


@pytest.mark.parametrize("brand", [b"heic", b"XXXX"])
def test_heic_names_what_reads_it(tmp_path, brand):
    head = b"\0\0\0\x18ftyp" + brand + bytes(4) + b"mif1heic" + bytes(99)
    assert what_it_is(head) == (
        "HEIC, which needs pillow-heif: run pip install 'evenhand[heif]', or convert it to JPEG"
    )
    (tmp_path / "a.heic").write_bytes(head)
    with pytest.raises(UnreadableImage, match="HEIC"):  # with or without pillow-heif
        read_image(tmp_path / "a.heic")


def test_a_phones_picture_is_read_with_pillow_heif(tmp_path):
    pytest.importorskip("pillow_heif").register_heif_opener()
    Image.new("RGB", (40, 30), "red").save(tmp_path / "a.jpg", format="HEIF")
    readable_formats.cache_clear()
    red, green, blue = pixel(tmp_path / "a.jpg")
    assert (red > 240, green < 15, blue < 15) == (True, True, True)
    assert read_image(tmp_path / "a.jpg").size == (40, 30)


def test_usual_formats_are_tried_first_and_programs_never():
    assert {*readable_formats()[:2]} == {"JPEG", "PNG"}
    assert len({*readable_formats()}) == len(readable_formats())
    assert {"GIF", "TIFF", "WEBP"} < {*readable_formats()}
    assert not {"EPS", "WMF"} & {*readable_formats()}


def test_a_plug_in_is_used_where_it_is_installed(tmp_path, monkeypatch):
    calls = []
    monkeypatch.delitem(sys.modules, "pillow_heif", raising=False)
    (tmp_path / "pillow_heif.py").write_text("def register_heif_opener(): print('registered')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("builtins.print", calls.append)
    readable_formats.cache_clear()
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png")
    read_image(tmp_path / "a.png")
    assert calls == ["registered"]


def test_the_limit_of_the_environment_holds(tmp_path, monkeypatch):
    Image.new("L", (100, 20)).save(tmp_path / "a.png")
    monkeypatch.setenv("EVENHAND_MAX_PIXELS", "1999")
    with pytest.raises(UnreadableImage, match=r"more than 1999 pixels; .* raise `max_pixels`"):
        read_image(tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    monkeypatch.setenv("EVENHAND_MAX_PIXELS", "2000")
    assert read_image(tmp_path / "a.png").size == (100, 20)
    assert Image.MAX_IMAGE_PIXELS == 1000


@pytest.mark.parametrize("text", ["", "many", "0", "-5", "1e9"])
def test_a_limit_that_is_no_number_is_told(monkeypatch, text):
    monkeypatch.setenv("EVENHAND_MAX_PIXELS", text)
    with pytest.raises(EvenhandError, match=r"EVENHAND_MAX_PIXELS is .*; give a number of pixels"):
        pixel_limit()


def test_permission(tmp_path, monkeypatch):
    Image.new("L", (4, 4)).save(tmp_path / "a.png")

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    # The tests may run as root, whom no file mode stops.
    monkeypatch.setattr(Image, "open", refuse)
    with pytest.raises(UnreadableImage, match="permission denied"):
        read_image(tmp_path / "a.png")


def test_every_damaged_byte_gives_a_picture_or_a_reason(tmp_path):
    rng = np.random.default_rng(1)
    for suffix in ("jpg", "png", "gif", "tif", "webp", "bmp"):
        data = bytearray(noise(tmp_path / f"a.{suffix}"))
        for _ in range(25):
            damaged = bytearray(data)
            for at in rng.integers(0, min(200, len(data)), 3):
                damaged[at] = rng.integers(256)
            (tmp_path / "b").write_bytes(damaged)
            with contextlib.suppress(UnreadableImage):
                assert read_image(tmp_path / "b").mode == "RGB"


def test_error_crosses_processes():
    error = pickle.loads(pickle.dumps(UnreadableImage(Path("a.png"), "empty file")))  # noqa: S301
    assert error.reason == "empty file"
    assert str(error) == "cannot read the image a.png: empty file"


def test_threads_that_decode_leave_the_warnings_as_they_were(tmp_path: Path) -> None:
    Image.new("RGB", (9, 9)).save(tmp_path / "a.png")
    before = list(warnings.filters)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(read_image, [tmp_path / "a.png"] * 200))
    assert warnings.filters == before


def test_bombs_are_refused_in_threads_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 60)
    Image.new("RGB", (9, 9)).save(tmp_path / "bomb.png")
    Image.new("RGB", (5, 5)).save(tmp_path / "a.png")

    def reason(name: str) -> str:
        try:
            read_image(tmp_path / name)
        except UnreadableImage as error:
            return error.reason
        return ""

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(reason, ["a.png", "bomb.png"] * 100))
    assert found == ["", TOO_MANY] * 100


@pytest.mark.parametrize(
    "size", [(130, 90), (90, 130), (64, 64), (5, 64), (65, 64), (900, 1), (1, 900), (129, 2), (300, 301)]
)
def test_a_thumbnail_is_that_of_pillow_and_leaves_the_image_alone(size: tuple[int, int]) -> None:
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (*size[::-1], 3), dtype=np.uint8))
    before, usual = image.tobytes(), image.copy()
    usual.thumbnail((64, 64))
    small = shrunk(image)
    assert small is not image
    assert (small.size, small.tobytes()) == (usual.size, usual.tobytes())
    assert (image.size, image.tobytes()) == (size, before)
