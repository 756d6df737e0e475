"""How large the numbers of features may be: their squares must stay in float32."""

from __future__ import annotations

from evenhand._errors import EvenhandError
from evenhand._typing import Floats

SMALLEST, LARGEST = 1e-15, 1e15
"""Between these the largest number of features must lie."""


def odd_scale(largest: float) -> str | None:
    """Return what is wrong with features whose largest number is `largest`; None if nothing is."""
    if largest == 0 or SMALLEST <= largest <= LARGEST:
        return None
    return (
        f"the largest number of the features is {largest:.3g}, but it must be between {SMALLEST:g} and "
        f"{LARGEST:g}, or their squares leave float32; divide all rows by one number"
    )


def check_scale(features: Floats, where: str = "") -> None:
    """Refuse features [N, D] that are too large or too small to compute with.

    Raises
    ------
    EvenhandError
        If they are.
    """
    largest = max(float(features.max(initial=0)), -float(features.min(initial=0)))
    if (odd := odd_scale(largest)) is not None:
        raise EvenhandError(f"{where}{odd}, and import them again" if where else odd)
