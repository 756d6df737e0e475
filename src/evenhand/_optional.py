"""Optional dependencies: imported at first use, absence names the extra."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from evenhand._errors import EvenhandError


def optional(module: str, extra: str) -> ModuleType:
    """Import `module`, or say which extra brings it."""
    try:
        return import_module(module)
    except ImportError as error:
        raise EvenhandError(
            f"{module} is not installed; install it with: pip install 'evenhand[{extra}]'"
        ) from error
