"""What to do after a report, with commands that can be pasted into a shell."""

from __future__ import annotations

import shlex
from pathlib import Path

from evenhand._commands import as_argument, beside
from evenhand.reports.source import RunView


def next_steps(view: RunView) -> list[tuple[str, str]]:
    """Return what each command is for, and the command; first that of the bottom line."""
    run, store = as_argument(view.folder), as_argument(view.models.table.source or Path("STORE"))
    files, model = (as_argument(beside(view.folder, suffix)) for suffix in (".audit", "-model"))
    first = view.analysis.bottom_line
    commands = {
        first.command: first.why,
        ("audit", store, "--against", run, "--out", files): "list the images behind the figures",
        ("predict", run, "NEW-IMAGES", "--out", "predictions.csv"): "classify new images",
        ("export", run, "--to", "open_clip", "--out", model): "use the model elsewhere",
    }
    # The page is the report.
    return [
        (why, shlex.join(["evenhand", *command]))
        for command, why in commands.items()
        if command[0] != "report"
    ]
