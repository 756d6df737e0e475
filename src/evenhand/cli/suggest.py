"""The command to run next, on stderr, ready to be pasted into a shell."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path

from evenhand._commands import as_argument
from evenhand.cli.show import printable


def suggest(*arguments: str | Path) -> None:
    """Write `next: evenhand ARGUMENTS` with paths quoted for a shell; nothing if one cannot be shown."""
    words = [program(), *(as_argument(one) if isinstance(one, Path) else one for one in arguments)]
    line = shlex.join(words)
    if printable(line) == line:
        print(f"next: {line}", file=sys.stderr)  # noqa: T201


def program() -> str:
    """Return what to type for evenhand: its name, or where it is if PATH does not lead there."""
    called = Path(sys.argv[0])
    found = shutil.which("evenhand")
    if called.name != "evenhand" or (found and Path(found).resolve() == called.resolve()):
        return "evenhand"
    try:
        return str(called.absolute().relative_to(Path.cwd()))
    except (ValueError, OSError):  # elsewhere, or the working folder is gone
        return str(called)
