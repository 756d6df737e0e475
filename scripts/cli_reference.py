"""Write docs/reference/cli.md from the commands themselves; a test compares the two."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from evenhand.cli.app import app

PAGE = Path(__file__).resolve().parents[1] / "docs" / "reference" / "cli.md"

HEAD = """\
# Command line

Results go to standard output, everything else to standard error. `--json` writes the object that the table
shows. Exit codes: 0 success, 1 an expected failure explained in one sentence, 2 wrong usage, such as a value
that is not allowed, 3 a rate below its bound (`audit --fail-under`), 130 interrupted.
"""


def reference() -> str:
    """Return the page."""
    group: Any = typer.main.get_command(app)
    return "\n".join([HEAD, *(section(name, command) for name, command in group.commands.items())])


def section(name: str, command: Any) -> str:
    """Return the section of one command."""
    arguments = " ".join(p.name.upper() for p in command.params if p.param_type_name == "argument")
    rows = "\n".join(row(parameter) for parameter in command.params)
    return f"""\
## evenhand {name}

{command.help}

    evenhand {name} {arguments} [options]

| argument or option | default | meaning |
|---|---|---|
{rows}

Examples:

{examples(command.epilog)}
""".replace("  [options]", " [options]")


def row(parameter: Any) -> str:
    """Return the table row of one argument or option."""
    if parameter.param_type_name == "argument":
        name = f"`{parameter.name.upper()}`"
    else:
        name = ", ".join(f"`{text}`" for text in [*parameter.opts, *parameter.secondary_opts])
    hidden = parameter.default is None or isinstance(parameter.default, bool)
    shown = "required" if parameter.required else "" if hidden else f"`{parameter.default}`"
    return f"| {name} | {shown} | {parameter.help} |"


def examples(epilog: str) -> str:
    """Return the example lines of an epilog as a code block."""
    return "\n".join(f"    {line.strip()}" for line in epilog.splitlines() if line.startswith("  "))


if __name__ == "__main__":
    PAGE.write_text(reference(), encoding="utf-8")
