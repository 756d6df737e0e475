"""One image file in, one upright RGB image out."""

from __future__ import annotations

import stat
import warnings
from contextlib import suppress
from functools import cache
from importlib import import_module
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import BinaryIO, NamedTuple

from PIL import ExifTags, Image, UnidentifiedImageError

from evenhand._errors import EvenhandError
from evenhand.data.files import address, server_failed
from evenhand.data.images.deep_values import from_deep_colours, from_deep_gray, has_deep_colours, is_deep_gray
from evenhand.data.images.foreign_formats import HEAD, what_it_is
from evenhand.data.images.pixel_limit import pixel_limit
from evenhand.data.images.png_chunks import SIGNATURE, pixels_alone
from evenhand.data.images.reduced import reduce
from evenhand.data.places import LocalFile, place_of

# PostScript and Windows metafiles are programs for an interpreter, not pixels: they are never opened.
_REFUSED_FORMATS = frozenset({"EPS", "WMF", "FITS", "HDF5", "GRIB", "BUFR", "MPEG"})

_USUAL_FORMATS = ("JPEG", "PNG")
"""Tried first: readers without a signature would open each file before them."""

_PLUG_INS = ("pillow_heif", "pillow_jxl")
"""What reads further formats where it is installed."""

TABLES = "quantization"
"""Where `info` of a decoded image holds the quantization tables of a JPEG; None for other formats."""

_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class UnreadableImage(EvenhandError):  # noqa: N818  the name is part of the contract
    """A file that gives no image.

    Attributes
    ----------
    path : Path
        The file.
    reason : str
        Why, in a few words, as `skipped.parquet` lists it.
    """

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"cannot read the image {path}: {reason}")
        self.path = path
        self.reason = reason

    def __reduce__(self) -> tuple[type[UnreadableImage], tuple[Path, str]]:
        # Data-loader workers hand exceptions to their parent, which rebuilds them from these.
        return type(self), (self.path, self.reason)


class Decoded(NamedTuple):
    """An upright RGB image, and what is known of its file.

    `size` is the width and height in the file, which are larger than the image's own if it was decoded at a
    fraction. `file_bytes` is the size of a file of this machine; None for an image that is anywhere else.
    """

    image: Image.Image
    size: tuple[int, int]
    file_bytes: int | None = None


def none_readable(count: int, path: str, reason: str) -> EvenhandError:
    """Return what is raised where none of `count` images gives an image; path and reason are the first's."""
    if count == 1:
        return EvenhandError(f"the only image cannot be read: {path}: {reason}")
    return EvenhandError(f"none of the {count} images can be read; the first is {path}: {reason}")


def read_image(path: Path, short_side: int | None = None) -> Image.Image:
    """Return the image of `decode`."""
    return decode(path, short_side).image


def decode(path: Path, short_side: int | None = None) -> Decoded:
    """Read any usual image as upright 8-bit RGB.

    Transparency is laid on white, of an animation the first frame is taken, the EXIF orientation is applied,
    and the content decides the format, not the file's extension. Deeper values are scaled to 8 bits: white is
    the smallest full scale of 8, 10, 12, 14 or 16 bits that holds them.

    Parameters
    ----------
    path : Path
        The image file, that of an archive followed by the name of a member, or that of a Parquet file
        followed by the number of a row; of this machine, or an address.
    short_side : int, optional
        A JPEG is decoded at the smallest scale whose short side has at least so many pixels, as in `reduce`;
        by default in full.

    Raises
    ------
    UnreadableImage
        If the file is missing, a dangling link, forbidden, empty, truncated, no image, or has more pixels
        than `pixel_limit` allows.
    EvenhandError
        If an object store does not answer.
    """
    path = Path(path)
    source, file_bytes = _source(path)
    try:
        found = _decode(source, short_side)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        reason = (
            f"decompression bomb, more than {pixel_limit()} pixels; for an image that you trust raise "
            "`max_pixels`"
        )
        raise UnreadableImage(path, reason) from error
    except PermissionError as error:
        raise UnreadableImage(path, "permission denied") from error
    # Not to be narrowed: PIL lists no exceptions. Damaged files of twenty formats raised OSError, ValueError,
    # RuntimeError, SyntaxError and NotImplementedError, and one kind missed would end a long run.
    except Exception as error:
        bare = _from_pixels_alone(source)
        if bare is None:
            raise UnreadableImage(path, _reason(error, source)) from error
        found = bare
    return found._replace(file_bytes=file_bytes)


def _decode(source: Path | BinaryIO, short_side: int | None = None) -> Decoded:
    with _QUIET, Image.open(source, formats=readable_formats()) as image:
        deep_colours = has_deep_colours(image)
        scale = reduce(image, short_side)
        image.load()
        upright = _turned_upright(
            _rgb(from_deep_colours(image, source) if deep_colours else image), _orientation(image)
        )
        upright.info[TABLES] = getattr(image, "quantization", None)
        return Decoded(upright, (scale * upright.width, scale * upright.height))


def _from_pixels_alone(source: Path | BinaryIO) -> Decoded | None:
    """Return the image of a PNG that has more than pixels, if it is that which cannot be read."""
    try:
        if _head(source).startswith(SIGNATURE):
            content = source.read_bytes() if isinstance(source, Path) else _rewound(source).read()
            bare = pixels_alone(content)
            return None if bare is None else _decode(BytesIO(bare))
    except Exception:  # as above: the first reason is the one to tell
        return None
    return None


def _rewound(source: BinaryIO) -> BinaryIO:
    source.seek(0)
    return source


def _head(source: Path | BinaryIO) -> bytes:
    if not isinstance(source, Path):
        return _rewound(source).read(HEAD)
    with source.open("rb") as stream:
        return stream.read(HEAD)


def _source(path: Path) -> tuple[Path | BinaryIO, int | None]:
    """Return what to decode, the file and its size, or the bytes of one that is remote or in another."""
    found = place_of(path)
    if isinstance(found, LocalFile):
        return path, _checked_size(path)
    try:
        with found.open() as stream:
            content = stream.read()
    except FileNotFoundError as error:
        raise UnreadableImage(path, "file not found") from error
    except OSError as error:
        reason = (error.strerror or str(error)).rstrip(".")
        # Of the server, not of this image: to skip it would lose what is there.
        if server_failed(error):
            raise EvenhandError(
                f"cannot read {address(path)}: {reason}; run the same command again to resume "
                "when the server answers"
            ) from error
        raise UnreadableImage(path, reason) from error
    if not content:
        raise UnreadableImage(path, "empty file")
    return BytesIO(content), None


def _checked_size(path: Path) -> int:
    """Return the bytes of a file; refuse one that cannot be an image before it is opened."""
    try:
        status = path.stat()
    except FileNotFoundError as error:
        raise UnreadableImage(path, "dangling link" if path.is_symlink() else "file not found") from error
    except OSError as error:
        raise UnreadableImage(path, (error.strerror or str(error)).lower()) from error
    # Opening a pipe or a device would wait for ever.
    if not stat.S_ISREG(status.st_mode):
        raise UnreadableImage(path, "not a regular file")
    if status.st_size == 0:
        raise UnreadableImage(path, "empty file")
    return status.st_size


class _Quiet:
    """Warnings off and the limit set while any thread decodes: both are the process's, the last resets."""

    def __init__(self) -> None:
        self._lock, self._inside = Lock(), 0

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._limit, limit = Image.MAX_IMAGE_PIXELS, pixel_limit()
                self._filters = warnings.catch_warnings()
                self._filters.__enter__()
                # Of damaged metadata: the pixels are whole.
                warnings.simplefilter("ignore")
                # Up to twice its limit PIL only warns.
                warnings.simplefilter("error", Image.DecompressionBombWarning)
                Image.MAX_IMAGE_PIXELS = limit
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._filters.__exit__(None, None, None)
                Image.MAX_IMAGE_PIXELS = self._limit


_QUIET = _Quiet()


@cache
def readable_formats() -> tuple[str, ...]:
    """Return Pillow's names of the formats that are opened, in the order in which they are tried."""
    Image.init()
    for name in _PLUG_INS:
        # A broken one is as good as none: the reason of a skipped image names it.
        with suppress(ImportError, OSError, AttributeError):
            plug_in = import_module(name)
            getattr(plug_in, "register_heif_opener", int)()
    known = sorted(Image.ID, key=lambda name: name not in _USUAL_FORMATS)
    return tuple(name for name in known if name not in _REFUSED_FORMATS)


def _reason(error: BaseException, source: Path | BinaryIO) -> str:
    if isinstance(error, UnidentifiedImageError):
        return what_it_is(_head(source))
    text = " ".join(str(error).split())
    if any(sign in text.lower() for sign in ("truncated", "not enough image data", "broken", "incomplete")):
        return f"truncated or damaged ({text})"
    kind = " as HEIC or AVIF" if _head(source)[4:8] == b"ftyp" else ""
    return f"cannot be decoded{kind} ({text or type(error).__name__})"


def _orientation(image: Image.Image) -> int:
    # Called after load(): PNG may carry EXIF behind the pixels, and PIL turns TIFF upright by itself then.
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # as for pixels, any kind; damaged EXIF does not make them unreadable
        return 1


def _turned_upright(image: Image.Image, orientation: int) -> Image.Image:
    step = _UPRIGHT.get(orientation)
    return image if step is None else image.transpose(step)


def _rgb(image: Image.Image) -> Image.Image:
    if is_deep_gray(image):
        return from_deep_gray(image).convert("RGB")
    if image.mode == "La":
        image = image.convert("LA")
    if image.has_transparency_data or image.mode in ("LA", "RGBa"):
        rgba = image.convert("RGBA")
        white = Image.new("RGB", image.size, "white")
        white.paste(rgba, mask=rgba.getchannel("A"))
        return white
    # Pillow copies what is RGB already.
    return image if image.mode == "RGB" else image.convert("RGB")
