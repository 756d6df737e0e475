"""Bounds on named rates, for use in continuous integration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from evenhand._errors import EvenhandError, NotAllowedError

RATES = ("worst-class", "worst-group", "worst-slice", "plain", "class-mean", "group-mean", "train-weighted")


def read_bounds(bounds: Sequence[str]) -> dict[str, float]:
    """Return {rate: bound} of RATE=BOUND texts.

    Raises
    ------
    EvenhandError
        If a rate is unknown or comes twice, or a bound is not a number between 0 and 1.
    """
    found: dict[str, float] = {}
    for text in bounds:
        name, equals, number = text.partition("=")
        if not equals or name in found:
            raise EvenhandError(f"bounds: {text!r} is not of the form RATE=BOUND, once for each rate")
        if name not in RATES:
            raise NotAllowedError.of("bounds", name, RATES)
        try:
            found[name] = float(number)
        except ValueError:
            found[name] = float("nan")
        if not 0 <= found[name] <= 1:
            raise EvenhandError(
                f"bounds: {text!r} has no fraction from 0 to 1 as its bound; give one such as {name}=0.8"
            )
    return found


def failures(
    rates: Mapping[str, float | None], bounds: Mapping[str, float], metric: str = "accuracy"
) -> list[str]:
    """Return a sentence for each rate that is below its bound.

    Raises
    ------
    EvenhandError
        If this audit lacks a rate that has a bound: a gate that checks nothing must not pass.
    """
    found = []
    for name, bound in bounds.items():
        value, what = rates.get(name), name if metric == "accuracy" else f"{metric} of {name}"
        if value is None:
            known = ", ".join(key for key, rate in rates.items() if rate is not None) or "none"
            raise EvenhandError(f"bounds: this audit has no rate {what}; it has {known}")
        if value < bound:
            found.append(f"{what} is {value:.4f}, under its bound {bound:g}")
    return found
