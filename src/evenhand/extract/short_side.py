"""How small a JPEG may be decoded for a model: its choice, and the choice of a store that was begun."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evenhand._errors import EvenhandError
from evenhand.backbones.base import Backbone
from evenhand.data.images.thumbnail import THUMBNAIL

KEY = "jpeg_short_side"
"""In the identity of a store whose JPEGs were decoded at a fraction of their size."""
DECODES = ("reduced", "full")
FACTOR = 2
"""Short side of a decoded JPEG in sides of the model's input, at least."""
LEAST = 4 * THUMBNAIL
"""Pixels of the short side of a decoded JPEG, at least, whatever the model takes."""


def choose_short_side(decode: str | None, backbone: Backbone, begun: Mapping[str, Any] | None) -> int | None:
    """Return the least short side in pixels of a decoded JPEG; None to decode in full.

    Parameters
    ----------
    decode : "reduced", "full" or None
        None does as the store that was begun, and without one decodes in full.
    backbone : Backbone
        Its attribute `resized_to`, if it has one, is the largest side in pixels that it resizes images to.
    begun : mapping or None
        Identity of the store that was begun.

    Raises
    ------
    EvenhandError
        If `decode` is something else.
    """
    if decode not in (*DECODES, None):
        raise EvenhandError(f"decode: {decode!r} is unknown; choose {' or '.join(DECODES)}")
    if decode is None:
        known: int | None = (begun or {}).get(KEY)
        return known
    resized_to: int | None = getattr(backbone, "resized_to", None)
    return None if decode == "full" or resized_to is None else max(FACTOR * resized_to, LEAST)
