"""How small a JPEG may be decoded: the choice for a model, or that of an unfinished store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evenhand._errors import EvenhandError
from evenhand.backbones.base import Backbone
from evenhand.data.images.thumbnail import THUMBNAIL

KEY = "jpeg_short_side"
"""Key in the identity of a store whose JPEGs were decoded at a fraction of their size."""
DECODES = ("reduced", "full")
FACTOR = 2
"""Smallest short side of a decoded JPEG, in sides of the model's input."""
LEAST = 4 * THUMBNAIL
"""Smallest short side of a decoded JPEG in pixels, for any model."""


def choose_short_side(decode: str | None, backbone: Backbone, begun: Mapping[str, Any] | None) -> int | None:
    """Return the least short side in pixels of a decoded JPEG; None to decode in full.

    Parameters
    ----------
    decode : "reduced", "full" or None
        None takes the choice of the unfinished store, and without one decodes in full.
    backbone : Backbone
        Its attribute `resized_to`, if it has one, is the largest side in pixels that it resizes images to.
    begun : mapping or None
        Identity of the unfinished store.

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
