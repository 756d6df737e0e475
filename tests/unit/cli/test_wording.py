"""The library names arguments; a command shows them as its own options."""

import re
import warnings
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

import evenhand
from evenhand._errors import EvenhandError, EvenhandWarning
from evenhand.cli.app import app
from evenhand.cli.command import Command
from evenhand.cli.wording import in_options, naming

COMMANDS: Any = typer.main.get_command(app).commands  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("command", "sentence", "shown"),
    [
        ("fit", "group_by: 'x' is not an attribute", "--group-by: 'x' is not an attribute"),
        ("fit", "store: x is not a store", "STORE: x is not a store"),
        ("fit", "confidence: no rows", "--calibrate-confidence: no rows"),
        ("audit", "run: a.run is not a run", "--against: a.run is not a run"),
        ("predict", "run: a.run is not a run", "RUN: a.run is not a run"),
        ("bench", "show_list: both", "--list: both"),
        ("embed", "use a smaller `batch_size`", "use a smaller --batch-size"),
        ("embed", "give `dtype='float32'`, or others", "give --dtype float32, or others"),
        ("compare", "add `oracles=True`", "add --oracles"),
        ("fit", "leave out `stream=False`", "leave out --no-stream"),
    ],
)
def test_arguments_are_shown_as_options(command: str, sentence: str, shown: str) -> None:
    with naming(COMMANDS[command].params):
        assert in_options(sentence) == shown


@pytest.mark.parametrize(
    "sentence",
    [
        "layout: of another command",
        "the seed: in the middle of a sentence",
        "seed:no blank",
        "use a smaller `batch_size`",
        "add `oracles=False`",
    ],
)
def test_what_is_no_option_of_the_command_stays(sentence: str) -> None:
    with naming(COMMANDS["compare"].params):
        assert in_options(sentence) == sentence


def test_nothing_is_translated_outside_a_command() -> None:
    with naming(COMMANDS["fit"].params):
        pass
    assert in_options("group_by: no") == "group_by: no"


WRITE_COMMANDS = {"audits/next_step.py", "reports/next_steps.py"}
"""Files that suggest commands to paste."""


def test_the_library_speaks_of_arguments_alone() -> None:
    """An option in a library's message would be wrong in Python; the one left is of another program."""
    root = Path(evenhand.__file__).parent
    found = {
        (path.relative_to(root).as_posix(), option)
        for path in root.rglob("*.py")
        if path.parent.name != "cli"
        for option in re.findall(r"--[a-z][a-z-]+", path.read_text(encoding="utf-8"))
    }
    assert {option for path, option in found if path not in WRITE_COMMANDS} <= {"--local-dir"}, found


def test_errors_and_warnings_of_a_command_name_its_options() -> None:
    """Both go through the one door: also what libraries below raise late."""
    other = typer.Typer()

    @other.command(cls=Command)
    def work(group_by: str = "x") -> None:
        warnings.warn("group_by: has one value", EvenhandWarning, stacklevel=1)
        raise EvenhandError("group_by: 'x' is not an attribute")

    done = CliRunner().invoke(other, [])
    assert done.exit_code == 1
    assert done.stderr == "warning: --group-by: has one value\nerror: --group-by: 'x' is not an attribute\n"
