"""The application: its commands, and how a failure ends."""

from __future__ import annotations

import warnings
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from evenhand._errors import EvenhandWarning
from evenhand._version import __version__
from evenhand.cli import (
    audit,
    bench,
    compare,
    demo,
    doctor,
    embed,
    export,
    fit,
    import_,
    predict,
    report,
)
from evenhand.cli.ending import told
from evenhand.cli.paths import Command
from evenhand.cli.show import complain, show_what_can_be_shown


class Commands(TyperGroup):
    """The group of commands; expected failures become one sentence and exit code 1."""

    def main(self, *args: Any, **more: Any) -> Any:
        """Parse, and run the chosen command."""
        show_what_can_be_shown()
        return super().main(*args, **more)

    def invoke(self, ctx: Any) -> Any:
        """Run the chosen command."""
        try:
            with warnings.catch_warnings():
                _show_warnings()
                return super().invoke(ctx)
        except (Exception, KeyboardInterrupt) as error:
            found = told(error)
            if found is None:
                raise
            sentence, code = found
            complain("error", sentence)
            raise typer.Exit(code) from error


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


app = typer.Typer(
    cls=Commands,
    name="evenhand",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"evenhand {__version__}")
        raise typer.Exit


@app.callback(epilog="Start with: [bold]evenhand demo[/bold]")
def evenhand(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Find and remove shortcuts in CLIP classifiers, without group labels."""


for _module in (demo, embed, import_, audit, fit, compare, predict, report, export, bench, doctor):
    app.command(_module.NAME, cls=Command, epilog=_module.EXAMPLES)(_module.command)
