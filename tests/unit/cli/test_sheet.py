"""Tables at the widths that terminals have: nothing is cut, no number is folded."""

import re

import pytest

from evenhand.audits.associations import Associations
from evenhand.cli import tables
from evenhand.cli.audit_tables import show_audit
from evenhand.cli.show import console, table

LONG = "northern rough-winged swallow of the riverbanks / standing water with reeds and willows"
WIDTHS = (200, 120, 100, 80, 60, 40)


def rate(name: str, value: float = 0.5) -> dict[str, object]:
    return {"name": name, "n": 120, "value": value, "low": value - 0.1, "high": value + 0.1}


def row(method: str) -> dict[str, object]:
    averages = dict.fromkeys(("plain", "train_weighted", "group_mean", "class_mean"), 0.75)
    return {
        "method": method,
        "seed": 0,
        "status": "ok",
        "split": "test",
        "worst_group": rate(LONG, 0.31),
        "worst_class": rate("jay", 0.62),
        "averages": averages,
        "gap": 0.25,
        "difference_to_erm": {"value": 0.1, "low": -0.1, "high": 0.2},
        "group_labels_used": "validation",
    }


@pytest.fixture(params=WIDTHS)
def width(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setenv("COLUMNS", str(request.param))
    return int(request.param)


def drawn(made: object, capsys: pytest.CaptureFixture[str]) -> str:
    console().print(made)
    return capsys.readouterr().out


def test_methods_fit_and_keep_their_main_figures(width: int, capsys: pytest.CaptureFixture[str]) -> None:
    out = drawn(tables.methods([row("cfr"), row("erm")]), capsys)
    assert max(map(len, out.splitlines())) <= width
    for text in ("cfr", "31.0 [21.0, 41.0]", "75.0", "10.0 [-10.0, 20.0]", "validation"):
        assert text in out
    assert ("left out at this width: train_weighted" in out) == (width in (80, 100, 120))


def test_a_long_name_is_folded_at_words_and_numbers_never(
    width: int, capsys: pytest.CaptureFixture[str]
) -> None:
    out = drawn(tables.rates("Groups", [rate(LONG), rate("short")]), capsys)
    assert max(map(len, out.splitlines())) <= width
    assert out.count("50.0 [40.0, 60.0]") == 2
    assert all(word in out.split() for word in LONG.split())


def test_rows_of_prose_become_blocks(width: int, capsys: pytest.CaptureFixture[str]) -> None:
    numbers = ("n", "erm error %", "cfr error %")
    made = table("Slices", "slice", *numbers, "in words", right=numbers)
    for number in (1, 2):
        rates = (r"50.0 \[40.0, 60.0]", r"30.0 \[20.0, 40.0]")
        made.add_row(f"swallow {number}", "120", *rates, "errors look like *standing water* and *willows*")
    out = drawn(made, capsys)
    assert max(map(len, out.splitlines())) <= width
    assert out.count("30.0 [20.0, 40.0]") == 2
    assert ("swallow 2\n  n            120" in out) == (width <= 80)


def test_wide_characters_and_a_name_without_blanks_are_shown_whole(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    names = ["水鳥" * 30, "x" * 200, "[red]markup[/red]"]
    out = drawn(tables.rates("[bold]t[/bold]", [rate(name) for name in names]), capsys)
    assert out.count("x") == 200
    assert out.count("水") == 30
    assert "[red]markup[/red]" in out
    assert "[bold]t[/bold]" in out


@pytest.mark.parametrize(("told", "width"), [("72", 72), ("", 160), ("0", 160), ("-5", 160), ("wide", 160)])
def test_a_pipe_is_as_wide_as_the_environment_says(
    told: str, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", told)
    assert console().width == width


def test_an_audit_at_80_columns_has_no_squeezed_cell(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    one = {
        "name": f"{LONG} 1",
        "model": "erm",
        "n": 48,
        "errors_of": {"erm": rate("", 0.7), "cfr": rate("", 0.3)},
        "lift": 0.4,
        "p_corrected": 1e-7,
        "beyond_chance": True,
        "same_as": None,
        "sentence": f"{LONG}: errors look like *land*, *meadow*, *grass*",
    }
    sides = [{"model": name, "readable": rate("", 0.8), "flipped": rate("", 0.2)} for name in ("erm", "cfr")]
    found = {
        **row("cfr"),
        "before": row("erm"),
        "models": ["erm", "cfr"],
        "classes": [rate("jay"), rate(LONG)],
        "slices": [one],
        "probes": [{"attribute": "background", "value": "standing water", "sides": sides}],
        "bottom_line": ["Shortcut: found."],
        "associations": Associations(n=9).model_dump(),
        "signs": {"reason": "the text tower tells the classes apart"},
        **{key: [] for key in ("gaps", "groups", "costs", "suspects", "matches", "notes")},
    }
    show_audit(found, verbose=True)
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    assert re.search(r"erm error %  70\.0 \[60\.0, 80\.0\]", out)
    assert re.search(r"standing water  cfr +80\.0 \[70\.0, 90\.0\]  20\.0 \[10\.0, 30\.0\]", out)
