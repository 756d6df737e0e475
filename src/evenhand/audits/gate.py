"""Bounds on named rates, for use in continuous integration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from evenhand._errors import EvenhandError

NAMES = ("worst-class", "worst-group", "worst-slice", "plain", "class-mean", "group-mean", "train-weighted")


def read_bounds(texts: Sequence[str]) -> dict[str, float]:
    """Return {name: bound} of NAME=BOUND texts.

    Raises
    ------
    EvenhandError
        If a name is unknown or comes twice, or a bound is no number between 0 and 1.
    """
    bounds: dict[str, float] = {}
    for text in texts:
        name, _, number = text.partition("=")
        if name not in NAMES or name in bounds:
            raise EvenhandError(
                f"bounds: got {text!r}; give each rate once as RATE=BOUND, the rate one of {', '.join(NAMES)}"
            )
        try:
            bounds[name] = float(number)
        except ValueError:
            bounds[name] = float("nan")
        if not 0 <= bounds[name] <= 1:
            raise EvenhandError(f"bounds: got {text!r}; the bound is a fraction from 0 to 1, such as 0.8")
    return bounds


def failures(rates: Mapping[str, float | None], bounds: Mapping[str, float]) -> list[str]:
    """Return a sentence for each rate that is under its bound.

    Raises
    ------
    EvenhandError
        If a bounded rate is unknown here: a gate that checks nothing must not pass.
    """
    found = []
    for name, bound in bounds.items():
        value = rates.get(name)
        if value is None:
            known = ", ".join(key for key, rate in rates.items() if rate is not None)
            raise EvenhandError(f"bounds: {name} is a rate that this audit does not know; it knows {known}")
        if value < bound:
            found.append(f"{name} is {value:.4f}, under its bound {bound:g}")
    return found
