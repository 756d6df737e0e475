"""What a file is that Pillow does not know, and what to do about it."""

from __future__ import annotations

import re

from evenhand.data.files import GIT_LFS

HEAD = 512
"""Bytes that tell."""

_HEIC = "HEIC, which needs pillow-heif: run pip install 'evenhand[heif]', or convert it to JPEG"
_AVIF = "AVIF that this Pillow cannot read: install Pillow 11.3 or later, or convert it to JPEG"
_JXL = "JPEG XL, which needs pillow-jxl-plugin: run pip install pillow-jxl-plugin, or convert it to PNG"
_RAW = "a camera's raw file, which is not read: export it as JPEG or PNG"
_TIFF = "a TIFF of a kind that Pillow cannot read: convert it to PNG"
_LFS = "not an image, but a pointer of Git LFS to it: run git lfs pull in its repository"
_PAGE = "not an image, but a web page in its place: download the image again"

_BRANDS = {
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"), _HEIC),
    **dict.fromkeys((b"avif", b"avis"), _AVIF),
    b"crx ": _RAW,
}
_SIGNS = (
    (rb"\xff\x0a|\0\0\0\x0cJXL ", _JXL),
    (rb"(II\*\0|MM\0\*).{4}CR|FUJIFILMCCD-RAW|IIU\0|IIR[OS]", _RAW),
    (rb"II\*\0|MM\0\*|II\+\0|MM\0\+", _TIFF),
    (GIT_LFS, _LFS),
    (rb"(\xef\xbb\xbf)?\s*<(!doctype html|html|head|body)", _PAGE),
    (rb"(\xef\xbb\xbf)?\s*(<\?xml.*)?<svg", "not an image, but a drawing in SVG: export it as PNG"),
    (rb"%PDF", "not an image, but a PDF: export its page as PNG"),
    (rb".{128}DICM", "DICOM, which is not read: export it as PNG of 8 or 16 bits"),
    (rb"\x1aE\xdf\xa3|RIFF.{4}AVI ", "not an image, but a video: extract its frames"),
    (rb"\x1f\x8b|PK\x03\x04|BZh|\xfd7zXZ|7z\xbc\xaf", "not an image, but a compressed file: unpack it"),
    (rb"8BPS", "a Photoshop file of a kind that Pillow cannot read: export it as PNG"),
    (rb"gimp xcf", "a GIMP file, which is not read: export it as PNG"),
    (
        rb"\xff\xd8\xff|\x89PNG|GIF8|RIFF.{4}WEBP|BM",
        "damaged: its start is that of an image, the rest is not",
    ),
)


def what_it_is(head: bytes) -> str:
    """Return why a file gives no image, from its first `HEAD` bytes.

    >>> what_it_is(b"%PDF-1.7")
    'not an image, but a PDF: export its page as PNG'
    """
    if head[4:8] == b"ftyp":
        size = int.from_bytes(head[:4], "big")
        brands = [head[8:12], *(head[at : at + 4] for at in range(16, min(size, len(head)), 4))]
        known = (_BRANDS[brand] for brand in brands if brand in _BRANDS)
        return next(known, "not an image, but a video: extract its frames")
    found = (what for sign, what in _SIGNS if re.match(sign, head, re.DOTALL | re.IGNORECASE))
    return next(found, "not an image")
