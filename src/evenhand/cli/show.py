"""What commands write: results on stdout, everything else on stderr."""

from __future__ import annotations

import io
import json
import os
import re
import sys
import unicodedata
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from evenhand.cli.wording import in_options

if TYPE_CHECKING:  # a start that ends in one sentence, or in the version, needs no rich
    from rich.console import Console

    from evenhand.cli.sheet import Sheet

PIPED = 160
"""Columns where nothing tells the width: a table in a file is not cut."""
MOST = 40
"""Lines of a table of classes, cells or groups; all are in the JSON."""
_OBEYED = ("Cc", "Cf", "Cs")
"""Categories of Unicode that a terminal obeys instead of showing: control, format, surrogate."""


def clean(text: object) -> str:
    """Return a name as it may be shown: no control or direction-changing characters, no rich markup.

    Names come from folders and tables of strangers; an escape sequence in one could redraw the terminal.
    """
    from rich.markup import escape

    return escape(printable(text))


def worded(text: str) -> str:
    """Return a sentence of the library as it may be shown, with its arguments as options of the command."""
    return clean(in_options(text))


def printable(text: object) -> str:
    """Return `text` with U+FFFD for each control, format and surrogate character."""
    return "".join("�" if unicodedata.category(c) in _OBEYED else c for c in str(text))


def console(*, stderr: bool = False) -> Console:
    """Return a console as wide as its terminal; without one, as `COLUMNS` says, or wide."""
    from rich.console import Console

    plain = Console(stderr=stderr, highlight=False)
    return plain if plain.is_terminal else Console(stderr=stderr, highlight=False, width=_columns() or PIPED)


def _columns() -> int:
    """Return the width that the environment asks for, 0 if it asks for none."""
    told = os.environ.get("COLUMNS", "")
    return int(told) if re.fullmatch("[1-9][0-9]{0,4}", told) else 0


def show_what_can_be_shown() -> None:
    """Let a terminal or log that is not of UTF-8 show a question mark for what it has no character for."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def complain(kind: str, sentence: str) -> None:
    """Write `kind: sentence` to stderr, on one line, with arguments as options of the command."""
    one_line = " ".join(in_options(sentence).split())
    print(f"{kind}: {printable(one_line)}", file=sys.stderr)  # noqa: T201


def say(sentence: str) -> None:
    """Write a remark for a person, which is not a result, to stderr."""
    console(stderr=True).print(clean(sentence), soft_wrap=True)


def as_json(value: Any) -> None:
    """Write the object that the table shows to stdout, as strict JSON; what a terminal obeys is escaped."""
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    text = re.sub(r"[^ -~\n]", _escaped, text) + "\n"
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:  # a question mark would be another name
        text = json.dumps(value, indent=2, allow_nan=False) + "\n"
    sys.stdout.write(text)


def _escaped(found: re.Match[str]) -> str:
    character = found.group()
    return json.dumps(character)[1:-1] if unicodedata.category(character) in _OBEYED else character


def table(title: str, *columns: str, right: tuple[str, ...] = (), optional: tuple[str, ...] = ()) -> Sheet:
    """Return an empty table; columns in `right` hold numbers, narrow consoles drop those in `optional`."""
    from evenhand.cli.sheet import Sheet

    made = Sheet(clean(title), optional)
    for column in columns:
        made.add_column(column, justify="right" if column in right else "left")
    return made


def left_out(total: int, what: str) -> str | None:
    """Return how many lines a table of `MOST` lacks, None if it has all."""
    return f"… and {total - MOST:,} more {what}; --json has all" if total > MOST else None


def percent(value: float | None) -> str:
    """Return a rate as a percentage with one decimal, a dash if it is undefined."""
    return "–" if value is None else f"{100 * value:.1f}"


def interval(rate: Mapping[str, Any] | None) -> str:
    """Return "value [low, high]" of a rate with its 95 % interval, in percent."""
    if rate is None or rate.get("value") is None:
        return "–"
    text = percent(rate["value"])
    if rate.get("low") is not None and rate.get("high") is not None:
        text += rf" \[{percent(rate['low'])}, {percent(rate['high'])}]"
    return text
