"""Numbers with a sign, as every page and table writes them."""

from __future__ import annotations


def signed(value: float, decimals: int = 1) -> str:
    """Return a number with its sign: a true minus, and no minus before zero.

    Examples
    --------
    >>> signed(12.34), signed(-0.5), signed(-0.04)
    ('+12.3', '−0.5', '+0.0')
    """
    rounded = round(value, decimals) + 0.0  # −0.0 + 0.0 is 0.0
    return f"{rounded:+.{decimals}f}".replace("-", "−")
