"""Optional dependencies: imported at first use; if one is missing, the error names the extra."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from evenhand._errors import EvenhandError


def optional(module: str, extra: str) -> ModuleType:
    """Import `module`, or say which extra installs it."""
    try:
        return import_module(module)
    except ImportError as error:
        raise _absent(module, extra) from error


def require(module: str, extra: str) -> None:
    """Say which extra brings `module` where it is not installed, without importing it."""
    if find_spec(module) is None:
        raise _absent(module, extra)


def _absent(module: str, extra: str) -> EvenhandError:
    return EvenhandError(f"{module} is not installed; install it with: pip install 'evenhand[{extra}]'")
