"""Numbers of things, as every message and page writes them."""

from __future__ import annotations


def number_of(n: int, one: str, many: str | None = None) -> str:
    """Return a number with what it counts: 1 row, 2 rows, 1,200 rows.

    Parameters
    ----------
    n : int
        The number.
    one : str
        What is counted, for one: `row`, or `image lies`.
    many : str, optional
        The same for several; by default with an s at its end.

    Examples
    --------
    >>> number_of(1, "row"), number_of(1200, "row"), number_of(0, "image lies", "images lie")
    ('1 row', '1,200 rows', '0 images lie')
    """
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def percent(share: float) -> str:
    """Return a share as a whole percentage.

    Examples
    --------
    >>> percent(0.784)
    '78 %'
    """
    return f"{100 * share:.0f} %"
