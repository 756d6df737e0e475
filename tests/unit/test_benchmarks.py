"""What the benchmark programs stand on; the programs themselves are run by `make bench`."""

import importlib
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest
import scipy.stats
import torch

FOLDER = Path(__file__).parents[2] / "benchmarks"


def load(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(FOLDER)
    monkeypatch.delitem(sys.modules, name, raising=False)
    return importlib.import_module(name)


def test_sides_take_turns_in_turning_order(monkeypatch: pytest.MonkeyPatch) -> None:
    timing = load("_timing", monkeypatch)
    ran: list[str] = []
    seconds = timing.side_by_side({"a": lambda: ran.append("a"), "b": lambda: ran.append("b")}, 3)
    assert ran == ["a", "b", "b", "a", "a", "b"]
    assert len(seconds.wall["a"]) == len(seconds.cpu["b"]) == 3


def test_ratios_are_taken_round_by_round(monkeypatch: pytest.MonkeyPatch) -> None:
    timing = load("_timing", monkeypatch)
    seconds = timing.Seconds({"a": [2.0, 9.0, 4.0], "b": [1.0, 3.0, 4.0]}, {})
    assert seconds.ratio("a", "b") == (2.0, 1.0, 3.0)
    assert seconds.ratio("a", "b").times(10) == (20.0, 10.0, 30.0)


def test_the_report_is_a_table_and_json(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    timing = load("_timing", monkeypatch)
    row = timing.Row("speed", timing.Spread(1.25, 1.0, 1.5), "≤ 1.5", True, {"rows": 7})
    timing.report("Title", [row], tmp_path / "new" / "out.json")
    assert "1.25" in capsys.readouterr().out
    found = json.loads((tmp_path / "new" / "out.json").read_text(encoding="utf-8"))
    assert found["rows"][0]["value"] == {"median": 1.25, "low": 1.0, "high": 1.5}
    assert found["machine"]["torch"] == torch.__version__


def test_an_interval_over_families_does_not_narrow_with_seeds(monkeypatch: pytest.MonkeyPatch) -> None:
    tables = load("_tables", monkeypatch)
    runs = [("a", 0.0), ("b", 1.0), ("c", 2.0), ("b", None)]
    once, often = tables.over_families(runs), tables.over_families(runs * 20)
    assert once == often
    assert once["mean"] == 1
    assert 0 <= once["low"] < 0.5 < 1.5 < once["high"] <= 2
    assert tables.over_families([("a", 1.0), ("a", 3.0)], "difference") == {
        "difference": 2,
        "low": 2,
        "high": 2,
    }


def test_a_paired_difference_over_seeds_is_students(monkeypatch: pytest.MonkeyPatch) -> None:
    tables = load("_tables", monkeypatch)
    expected = scipy.stats.t.interval(0.95, 2, loc=2, scale=scipy.stats.sem([1, 2, 3]))
    found = tables.over_seeds([1, 2, 3])
    assert list(found.values()) == pytest.approx([2, *expected])


def test_tables_print_as_the_documentation_has_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tables = load("_tables", monkeypatch)
    gap = {"difference": 0.01, "low": -0.02, "high": 0.04}
    tables.show("title", [{"set": "five", "ERM": 0.5, "way": None, "gain": gap, "runs": 2}], markdown=True)
    assert capsys.readouterr().out.splitlines() == [
        "title",
        "",
        "| set | ERM | way | gain | runs |",
        "| --- | --- | --- | --- | --- |",
        "| five | 0.500 |  | +0.010 [-0.020, +0.040] | 2 |",
        "",
    ]


def test_products_are_those_of_forward_and_backward(monkeypatch: pytest.MonkeyPatch) -> None:
    matmuls = load("_matmuls", monkeypatch)
    x, weight, bias = torch.ones(5, 3), torch.ones(3, 4, requires_grad=True), torch.ones(4)

    def run() -> None:
        torch.addmm(bias, x, weight).sum().backward()

    recorded = matmuls.record(run)
    assert matmuls.operations(recorded) == 2 * (2 * 5 * 3 * 4)
    assert [call[0][0] for call in recorded.calls] == [(5, 3), (3, 5)]
    matmuls.replay(recorded)()


def test_operations_outside_the_known_products_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    matmuls = load("_matmuls", monkeypatch)
    with pytest.raises(RuntimeError, match="recorded 0 operations, but FlopCounterMode"):
        matmuls.record(lambda: torch.conv1d(torch.ones(1, 1, 4), torch.ones(1, 1, 2)))


def test_what_many_images_take_is_arithmetic_on_the_costs_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    scale = load("scale", monkeypatch)
    timing = sys.modules["_timing"]
    costs = {"decode": 2, "resize": 3, "thumbnail": 1, "write": 10, "list": 40, "store": 3800, "peak": 1100}
    measured = {
        name: timing.Row(name, timing.Spread.of([float(cost)]))
        for name, cost in {**costs, "fit 1024": 0.1}.items()
    }
    found = scale.takes(10**8, 1, measured, scale.Assumed())
    assert all(row.name.startswith("1e8 images: ") for row in found)
    hours = {row.name.split(": ")[1].split(",")[0].split(" at")[0]: row.value.median for row in found}
    assert hours == pytest.approx(
        {
            "trunk": 1e8 / 8000 / 3600,
            "decoding": 1e8 * 0.006 / 64 / 3600,
            "fetching": 1e8 * 100e3 / 1.25e9 / 3600,
            "requests": 1e8 * 0.03 / 128 / 3600,
            "driver": 1e8 * 10e-6 / 3600,
            "listing": 1e8 * 40e-6 / 3600,
            "an epoch of the fit": 1e8 * 0.1e-3 / 3600,
            "the store": 0.38,
            "the list in memory": 110.0,
        }
    )
