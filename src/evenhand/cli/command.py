"""What every command does: protect its inputs, show warnings, and fail with one sentence."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand

from evenhand._errors import EvenhandError, EvenhandWarning
from evenhand._outputs import keep_apart
from evenhand.cli.ending import told
from evenhand.cli.paths import OUT, inputs
from evenhand.cli.show import complain
from evenhand.cli.wording import naming


class Command(TyperCommand):
    """A command that refuses to write over, into or around its inputs, and whose errors name its options."""

    def parse_args(self, ctx: Any, args: list[str]) -> Any:
        """Parse the options; a value that is not allowed becomes one sentence and its exit code."""
        with naming(self.params), _one_sentence():
            return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the command; an expected failure becomes one sentence and its exit code."""
        with naming(self.params), _one_sentence(), warnings.catch_warnings():
            _show_warnings()
            _check_working_folder()
            if ctx.params.get(OUT) is not None:
                keep_apart(ctx.params[OUT], inputs(ctx.params))
            return super().invoke(ctx)


@contextmanager
def _one_sentence() -> Iterator[None]:
    try:
        yield
    except (Exception, KeyboardInterrupt) as error:
        found = told(error)
        if found is None:
            raise
        sentence, code = found
        complain("error", sentence)
        raise typer.Exit(code) from error


def _check_working_folder() -> None:
    """Refuse to work in a folder that was removed, where libraries that are loaded end the process.

    Raises
    ------
    EvenhandError
        If it was.
    """
    try:
        Path.cwd()
    except FileNotFoundError as error:
        raise EvenhandError("the working folder was removed; go to another") from error


def _show_warnings() -> None:
    """Print evenhand's warnings as sentences; leave those of other libraries as they are."""
    usual = warnings.showwarning

    def show(message: Any, category: Any, *rest: Any, **more: Any) -> None:
        if issubclass(category, EvenhandWarning):
            complain("warning", str(message))
        else:
            usual(message, category, *rest, **more)

    warnings.showwarning = show
    warnings.simplefilter("always", EvenhandWarning)
