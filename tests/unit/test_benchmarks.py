"""What the benchmark programs stand on; the programs themselves are run by `make bench`."""

import importlib
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest
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
