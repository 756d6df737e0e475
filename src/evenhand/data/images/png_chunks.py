"""PNG files without what is not pixels."""

from __future__ import annotations

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PIXELS = (b"IHDR", b"PLTE", b"tRNS", b"eXIf", b"IDAT", b"IEND")


def pixels_alone(content: bytes) -> bytes | None:
    """Return a PNG with the chunks that its pixels and their place need; None for any other file.

    Editors and renderers write texts and color profiles larger than PIL accepts, and damaged ones: the
    pixels are whole.
    """
    if not content.startswith(SIGNATURE):
        return None
    kept, start = [SIGNATURE], len(SIGNATURE)
    while start + 8 <= len(content):
        end = start + 12 + int.from_bytes(content[start : start + 4], "big")
        if content[start + 4 : start + 8] in _PIXELS:
            kept.append(content[start:end])
        start = end
    return b"".join(kept)
