"""The application: its commands."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

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
    review,
)
from evenhand.cli.command import Command
from evenhand.cli.show import show_what_can_be_shown


class Commands(TyperGroup):
    """The group of commands."""

    def main(self, *args: Any, **more: Any) -> Any:
        """Parse, and run the chosen command."""
        show_what_can_be_shown()
        return super().main(*args, **more)


app = typer.Typer(
    cls=Commands,
    name="evenhand",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"evenhand {__version__}")
        raise typer.Exit


@app.callback(epilog="Start with: evenhand demo")
def evenhand(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Find and remove shortcuts in CLIP classifiers, without group labels."""


for _module in (demo, embed, import_, audit, fit, compare, review, predict, report, export, bench, doctor):
    app.command(_module.NAME, cls=Command, epilog=_module.EXAMPLES)(_module.command)
