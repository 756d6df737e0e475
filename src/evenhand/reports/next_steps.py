"""What to do after a report, with commands that can be pasted into a shell."""

from __future__ import annotations

import shlex
from pathlib import Path

from evenhand._commands import as_argument, beside
from evenhand.audits.bottom_line import BottomLine


def next_steps(folder: Path, source: Path | None, first: BottomLine) -> list[tuple[str, str]]:
    """Return what each command is for, and the command; first that of the bottom line.

    Parameters
    ----------
    folder, source : Path, Path or None
        The run folder, and that of its store.
    first : BottomLine
        What the analysis of its errors comes to.
    """
    run, store = as_argument(folder), as_argument(source or Path("STORE"))
    files, model = (as_argument(beside(folder, suffix)) for suffix in (".audit", "-model"))
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
