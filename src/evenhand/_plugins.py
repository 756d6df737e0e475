"""Built-ins and plug-ins by name: both enter by one door."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from evenhand._errors import EvenhandError


def known_names(builtin: Mapping[str, str], group: str) -> list[str]:
    """Return the names of the built-ins, then those of the entry points of `group`."""
    return [*builtin, *sorted(point.name for point in entry_points(group=group))]


def find(name: str, builtin: Mapping[str, str], group: str, *, kind: str) -> Any:
    """Return the object that "module:object" stands for under `name`; a built-in comes before a plug-in.

    Raises
    ------
    EvenhandError
        If there is none; `kind` says of what.
    """
    plugged = {point.name: point.value for point in entry_points(group=group)}
    target = builtin.get(name) or plugged.get(name)
    if target is None:
        known = ", ".join(known_names(builtin, group))
        raise EvenhandError(f"{kind} {name!r} is unknown; the {kind}s are {known}")
    module, _, attribute = target.partition(":")
    return getattr(import_module(module), attribute)
