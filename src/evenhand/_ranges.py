"""Ranges of numeric parameters, declared once; a value out of its range is reported in one sentence.

check(self, k=COUNT, momentum=BELOW_ONE)
"""

from __future__ import annotations

import inspect
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from math import inf
from numbers import Integral, Real
from typing import Any, TypeAlias

from evenhand._errors import EvenhandError

LARGEST = 3.4e38
"""Default upper bound of a number: 32 bits hold no larger one."""
LARGEST_WHOLE = 2**63 - 1


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`.

    Attributes
    ----------
    low, high : float
        The bounds, which belong to the range.
    above, below : bool
        Whether the lower, the upper bound does not belong to it.
    whole : bool
        Whether only whole numbers do.
    missing : bool
        Whether None does too, for a parameter that is filled in later.
    """

    low: float
    high: float = inf
    above: bool = False
    below: bool = False
    whole: bool = False
    missing: bool = False

    def objection(self, value: Any) -> str | None:
        """Return what `value` must be, or None if it is that."""
        if value is None and self.missing:
            return None
        kind, noun = (Integral, "a whole number") if self.whole else (Real, "a finite number")
        number = isinstance(value, kind) and not isinstance(value, bool)
        # Compared, not converted: a whole number may have more digits than any float. NaN is never equal.
        if not number or (not self.whole and (value != value or abs(value) == inf)):
            return f"{noun}, {self}"
        largest = LARGEST_WHOLE if self.whole else LARGEST
        if abs(value) > largest:
            return f"{self} and at most {largest:g}" if self.high == inf else str(self)
        low, high = self.low, self.high
        over = low < value if self.above else low <= value
        under = value < high if self.below else value <= high
        return None if over and under else str(self)

    def __str__(self) -> str:
        low = f"{'above' if self.above else 'at least'} {self.low:g}"
        return low if self.high == inf else f"{low} and {'below' if self.below else 'at most'} {self.high:g}"


@dataclass(frozen=True)
class Each:
    """A list of at least one number, each within `range`."""

    range: Range

    def objection(self, value: Any) -> str | None:
        """Return what `value` must be, or None if it is that."""
        filled = isinstance(value, Collection) and not isinstance(value, str) and len(value) > 0
        objection = next(filter(None, map(self.range.objection, value)), None) if filled else str(self.range)
        return objection and f"a list of numbers, at least one and each {objection}"


Ranges: TypeAlias = Mapping[str, Range | Each]

COUNT = Range(1, whole=True)
POSITIVE = Range(0, above=True)
NOT_NEGATIVE = Range(0)
SHARE = Range(0, 1)
INSIDE = Range(0, 1, above=True, below=True)
BELOW_ONE = Range(0, 1, below=True)
WHOLE = Range(0, whole=True)
FOLDS = Range(2, whole=True)


def or_none(given: Range) -> Range:
    """Return the range with None in it."""
    return replace(given, missing=True)


def check(owner: object, **ranges: Range | Each) -> None:
    """Refuse an object with a parameter out of its range.

    Parameters
    ----------
    owner : object
        Object with the parameters as attributes, which takes them by these names with defaults.
    **ranges : Range or Each
        By the names of the parameters.

    Raises
    ------
    EvenhandError
        For the first parameter that is out of its range.
    """
    for name, allowed in ranges.items():
        default = inspect.signature(type(owner)).parameters[name].default
        check_value(name, getattr(owner, name), allowed, default)


def check_value(name: str, value: Any, allowed: Range | Each, default: Any = None) -> None:
    """Refuse a value out of its range; the sentence names the default, unless it is None or empty.

    Raises
    ------
    EvenhandError
        If it is out of its range.
    """
    if objection := allowed.objection(value):
        raise EvenhandError(f"{name} must be {objection}, but it is {value!r}{_default(default)}")


def _default(default: Any) -> str:
    if default is None or default is inspect.Parameter.empty:
        return ""
    return f"; the default is {default:g}" if isinstance(default, Real) else f"; the default is {default}"
