import io
import json
import math

import pytest

from evenhand.cli import tables
from evenhand.cli.show import (
    as_json,
    clean,
    complain,
    console,
    interval,
    left_out,
    percent,
    printable,
    show_what_can_be_shown,
    table,
)


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


def latin1(monkeypatch: pytest.MonkeyPatch) -> io.BytesIO:
    """Let standard output be a log in latin-1."""
    log = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(log, encoding="latin-1", write_through=True))
    return log


def test_json_in_a_log_that_is_not_of_utf8_is_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    log = latin1(monkeypatch)
    as_json({"é": "水"})
    assert json.loads(log.getvalue().decode("latin-1")) == {"é": "水"}


def test_a_table_in_a_log_that_is_not_of_utf8(monkeypatch: pytest.MonkeyPatch) -> None:
    log = latin1(monkeypatch)
    show_what_can_be_shown()
    console().print("é – 水")
    assert log.getvalue() == b"\xe9 ? ?\n"


@pytest.mark.parametrize(("columns", "width"), [(None, 160), ("40", 40), ("x", 160)])
def test_a_piped_table_is_as_wide_as_columns_says(
    monkeypatch: pytest.MonkeyPatch, columns: str | None, width: int
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    if columns is not None:
        monkeypatch.setenv("COLUMNS", columns)
    assert console().width == width


def test_long_tables_show_the_worst() -> None:
    rates = [{"name": f"c{k}", "n": 50, "value": k / 100, "low": 0.0, "high": 1.0} for k in range(100)]
    assert tables.rates("t", rates[:40]).row_count == 40
    cut = tables.rates("t", [*rates[::-1], {"name": "none", "n": 0, "value": None}])
    assert (cut.row_count, cut.heading) == (40, "t: the worst 40 of 101")
    assert next(iter(cut.columns[0].cells)) == "c0"
    assert left_out(40, "classes") is None
    assert left_out(4000, "classes") == "… and 3,960 more classes; --json has all"


def test_percent_and_interval() -> None:
    assert percent(None) == "–"
    assert percent(0.12345) == "12.3"
    assert interval(None) == "–"
    assert interval({"value": None}) == "–"
    assert interval({"value": 0.5, "low": None, "high": None}) == "50.0"
    assert interval({"value": 0.5, "low": 0.25, "high": 1.0}) == r"50.0 \[25.0, 100.0]"
