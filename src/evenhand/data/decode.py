"""One picture file in, one upright RGB picture out."""

from __future__ import annotations

import warnings
from functools import cache
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import BinaryIO

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from evenhand._errors import EvenhandError
from evenhand._typing import Floats
from evenhand.data.archives import open_file, split_archive
from evenhand.data.files import is_remote
from evenhand.data.parquet_cells import split_cell

# PostScript and Windows metafiles are programs for an interpreter, not pixels: they are never opened.
_REFUSED_FORMATS = frozenset({"EPS", "WMF", "FITS", "HDF5", "GRIB", "BUFR", "MPEG"})

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
    """A file that gives no picture.

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


def none_readable(count: int, path: str, reason: str) -> EvenhandError:
    """Return what is raised where none of `count` images gives a picture; path and reason are the first's."""
    return EvenhandError(f"none of the {count} images can be read; the first is {path}: {reason}")


def read_image(path: Path) -> Image.Image:
    """Read any usual picture as upright 8-bit RGB.

    Transparency is laid on white, 16-bit values are scaled to 8 bits, of an animation the first frame is
    taken, the EXIF orientation is applied, and the content decides the format, not the file's extension.

    Parameters
    ----------
    path : Path
        The picture file, that of an archive followed by the name of a member, or that of a Parquet file
        followed by the number of a row; of this machine, or an address.

    Returns
    -------
    PIL.Image.Image
        Mode RGB, in the picture's own size.

    Raises
    ------
    UnreadableImage
        If the file is missing, a dangling link, forbidden, empty, truncated, no image, or has more pixels
        than `PIL.Image.MAX_IMAGE_PIXELS`.
    """
    path = Path(path)
    source = _source(path)
    try:
        with _QUIET, Image.open(source, formats=_formats()) as image:
            image.load()
            return _turned_upright(_rgb(image), _orientation(image))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        reason = f"decompression bomb, more than {Image.MAX_IMAGE_PIXELS} pixels"
        raise UnreadableImage(path, reason) from error
    except PermissionError as error:
        raise UnreadableImage(path, "permission denied") from error
    except UnidentifiedImageError as error:
        raise UnreadableImage(path, "not an image") from error
    # Not to be narrowed: PIL lists no exceptions. Damaged files of twenty formats raised OSError, ValueError,
    # RuntimeError, SyntaxError and NotImplementedError, and one kind missed would end a long run.
    except Exception as error:
        raise UnreadableImage(path, _decode_reason(error)) from error


def _source(path: Path) -> Path | BinaryIO:
    """Return what to decode: the file, or the bytes of one that is remote or in another."""
    if not is_remote(path) and split_archive(path) is None and split_cell(path) is None:
        _check_file(path)
        return path
    try:
        with open_file(path) as stream:
            content = stream.read()
    except FileNotFoundError as error:
        raise UnreadableImage(path, "file not found") from error
    except OSError as error:
        raise UnreadableImage(path, error.strerror or str(error)) from error
    if not content:
        raise UnreadableImage(path, "empty file")
    return BytesIO(content)


def _check_file(path: Path) -> None:
    try:
        status = path.stat()
    except FileNotFoundError as error:
        raise UnreadableImage(path, "dangling link" if path.is_symlink() else "file not found") from error
    except OSError as error:
        raise UnreadableImage(path, (error.strerror or str(error)).lower()) from error
    # Opening a pipe or a device would wait for ever.
    if not path.is_file():
        raise UnreadableImage(path, "not a regular file")
    if status.st_size == 0:
        raise UnreadableImage(path, "empty file")


class _Quiet:
    """Warnings off while any thread decodes: the filters are the process's, the last one out resets them."""

    def __init__(self) -> None:
        self._lock, self._inside = Lock(), 0

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._filters = warnings.catch_warnings()
                self._filters.__enter__()
                # Of damaged metadata: the pixels are whole.
                warnings.simplefilter("ignore")
                # Up to twice its limit PIL only warns.
                warnings.simplefilter("error", Image.DecompressionBombWarning)
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._filters.__exit__(None, None, None)


_QUIET = _Quiet()


@cache
def _formats() -> tuple[str, ...]:
    Image.init()
    return tuple(name for name in Image.ID if name not in _REFUSED_FORMATS)


def _decode_reason(error: BaseException) -> str:
    text = " ".join(str(error).split())
    if any(sign in text.lower() for sign in ("truncated", "not enough image data", "broken", "incomplete")):
        return f"truncated or damaged ({text})"
    return f"cannot be decoded ({text or type(error).__name__})"


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
    if image.mode == "F" or image.mode.startswith("I"):
        return _from_deep_grey(image)
    if image.mode == "La":
        image = image.convert("LA")
    if image.has_transparency_data or image.mode in ("LA", "RGBa"):
        rgba = image.convert("RGBA")
        white = Image.new("RGB", image.size, "white")
        white.paste(rgba, mask=rgba.getchannel("A"))
        return white
    return image.convert("RGB")


def _from_deep_grey(image: Image.Image) -> Image.Image:
    values: Floats = np.nan_to_num(np.asarray(image, dtype=np.float64), posinf=0.0, neginf=0.0)
    scaled = np.rint(values.clip(min=0) * (255 / _full_scale(image, values)))
    return Image.fromarray(scaled.clip(max=255).astype(np.uint8)).convert("RGB")


def _full_scale(image: Image.Image, values: Floats) -> float:
    """Return the value that stands for white."""
    # 16-bit PNG comes as mode I from older versions of Pillow.
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format in ("PNG", "PPM")):
        return 65535.0
    # 32-bit files do not say their scale: the smallest usual one that holds the brightest pixel.
    usual = (1.0, 255.0, 65535.0) if image.mode == "F" else (255.0, 65535.0)
    brightest = float(values.max(initial=0.0))
    return next((scale for scale in usual if brightest <= scale), brightest)
