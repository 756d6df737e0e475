import json
import math

import pytest

from evenhand.cli.show import as_json, clean, complain, console, interval, percent, printable, table


def test_control_characters_are_shown_as_replacements() -> None:
    assert printable("a\x1b[31mb\r\n\u202ec\ud800") == "a�[31mb���c�"
    assert printable("Wasservögel 水鳥") == "Wasservögel 水鳥"


def test_names_are_never_markup(capsys: pytest.CaptureFixture[str]) -> None:
    drawn = table("[bold]t[/bold]", "name")
    drawn.add_row(clean("[red]x[/red] [/nope]"))
    console().print(drawn)
    out = capsys.readouterr().out
    assert "[bold]t[/bold]" in out
    assert "[red]x[/red] [/nope]" in out


def test_complain_is_one_line_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    complain("error", "first\nsecond \x1b[2J")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "error: first second �[2J\n"


def test_json_is_strict(capsys: pytest.CaptureFixture[str]) -> None:
    as_json({"name": "水"})
    assert json.loads(capsys.readouterr().out) == {"name": "水"}
    with pytest.raises(ValueError, match="JSON compliant"):
        as_json({"value": math.nan})


def test_json_holds_nothing_that_a_terminal_obeys(capsys: pytest.CaptureFixture[str]) -> None:
    value = {"a\x1b[2J\x7f": "\x9b31m\u202e\ud800\U000e0001 水 – é"}
    as_json(value)
    out = capsys.readouterr().out
    assert json.loads(out) == value
    assert printable(out.replace("\n", "")) == out.replace("\n", "")
    assert "水 – é" in out


def test_percent_and_interval() -> None:
    assert percent(None) == "–"
    assert percent(0.12345) == "12.3"
    assert interval(None) == "–"
    assert interval({"value": None}) == "–"
    assert interval({"value": 0.5, "low": None, "high": None}) == "50.0"
    assert interval({"value": 0.5, "low": 0.25, "high": 1.0}) == r"50.0 \[25.0, 100.0]"
