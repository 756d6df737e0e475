"""Built-ins and plug-ins by name, through one registry."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from evenhand._errors import NotAllowedError


def known_names(builtin: Mapping[str, str], group: str) -> list[str]:
    """Return the names of the built-ins, then those of the entry points of `group`."""
    return [*builtin, *sorted(point.name for point in entry_points(group=group))]


def check_known(name: str, builtin: Mapping[str, str], group: str, *, kind: str) -> None:
    """Refuse a name that neither a built-in nor a plug-in has; nothing is imported.

    Raises
    ------
    NotAllowedError
        If there is none; `kind` names what is missing.
    """
    known = known_names(builtin, group)
    if name not in known:
        raise NotAllowedError.of(kind, name, known)


def find(name: str, builtin: Mapping[str, str], group: str, *, kind: str) -> Any:
    """Return the object that "module:object" stands for under `name`; a built-in comes before a plug-in.

    Raises
    ------
    NotAllowedError
        If there is none; `kind` names what is missing.
    """
    check_known(name, builtin, group, kind=kind)
    plugged = {point.name: point.value for point in entry_points(group=group)}
    module, _, attribute = (builtin.get(name) or plugged[name]).partition(":")
    return getattr(import_module(module), attribute)
