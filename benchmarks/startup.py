"""What it costs to start: every command's help and a bare error, beside a Python that does nothing.

    python benchmarks/startup.py --out out/bench/startup.json

Processor seconds are compared, since seconds by the wall tell what else the machine did.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from _timing import Row, report, side_by_side

COMMANDS = (
    "demo",
    "embed",
    "import",
    "audit",
    "fit",
    "compare",
    "predict",
    "report",
    "export",
    "bench",
    "doctor",
)
STARTS = {
    "import evenhand": ("-c", "import evenhand"),
    "evenhand --version": ("--version",),
    "evenhand --help": ("--help",),
    **{f"evenhand {command} --help": (command, "--help") for command in COMMANDS},
    "an unknown command": ("nowhere",),
    "fit of a store that is not there": ("fit", "nowhere.store", "--method", "erm", "--out", "nowhere.run"),
    "predict by a run that is not there": ("predict", "nowhere.run", "nowhere"),
}
NOTHING = "python -c pass"


def started(*arguments: str) -> Callable[[], object]:
    """Return a start of Python on a program text, or of the command line on its arguments."""
    text = ["-c", "from evenhand.cli import main; main()"] if arguments[0] != "-c" else []
    return lambda: subprocess.run([sys.executable, *text, *arguments], capture_output=True, check=False)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    sides = {NOTHING: started("-c", "pass"), **{name: started(*start) for name, start in STARTS.items()}}
    found = side_by_side(sides, given.rounds)
    medians = found.medians()
    rows = [
        Row(f"{name}: times {NOTHING}", found.ratio(name, NOTHING, "cpu"), details=medians[name])
        for name in STARTS
    ]
    report("Start", rows, given.out)


if __name__ == "__main__":
    main()
