"""Summaries over seeds, and the schema that ships with the package."""

import importlib.util
import json
import math
from pathlib import Path

import jsonschema
import pytest
from scipy import stats

from evenhand.evaluation.accuracy import Averages, Rate
from evenhand.evaluation.results import Difference, ResultRow, Results, no_result, results_schema, summarize

ROOT = Path(__file__).resolve().parents[3]


def row(method: str, seed: int, worst: float, seconds: float | None = None) -> ResultRow:
    rate = Rate(name="a / b", n=10, value=worst, low=0, high=1)
    return ResultRow(
        method=method,
        seed=seed,
        worst_group=rate,
        averages=Averages(plain=worst + 0.1, train_weighted=None, group_mean=None, class_mean=None),
        difference_to_erm=Difference(value=worst - 0.5, low=0, high=1),
        fit_seconds=seconds,
    )


def test_a_summary_is_the_mean_over_seeds_with_students_interval() -> None:
    values = [0.5, 0.6, 0.85]
    (found,) = summarize([row("erm", seed, value) for seed, value in enumerate(values)])
    low, high = stats.t.interval(0.95, 2, loc=0.65, scale=stats.sem(values))
    assert found.worst_group is not None
    assert found.worst_group.seeds == 3
    assert (found.worst_group.mean, found.worst_group.low, found.worst_group.high) == pytest.approx(
        (0.65, low, high)
    )
    assert found.plain is not None
    assert found.plain.mean == pytest.approx(0.75)
    assert found.difference_to_erm is not None
    assert found.difference_to_erm.mean == pytest.approx(0.15)


def test_one_seed_has_no_interval_and_unknown_figures_no_mean() -> None:
    (found,) = summarize([row("erm", 0, 0.5)])
    assert found.worst_group is not None
    assert (found.worst_group.mean, found.worst_group.low, found.worst_group.high) == (0.5, None, None)
    assert (found.worst_class, found.fit_seconds) == (None, None)


def test_only_seeds_that_went_well_count_and_methods_keep_their_order() -> None:
    rows = [row("b", 0, 0.5), no_result("b", 1, "failed", "no memory"), row("a", 0, 0.7), row("b", 2, 0.7)]
    found = summarize(rows)
    assert [one.method for one in found] == ["b", "a"]
    assert found[0].worst_group is not None
    assert (found[0].worst_group.seeds, found[0].worst_group.mean) == (2, pytest.approx(0.6))
    assert not math.isnan(found[0].worst_group.low or math.nan)


def test_what_is_written_fits_the_schema(tmp_path: Path) -> None:
    rows = [row("erm", 0, 0.5, 1.0), no_result("cfr", 0, "failed", "no memory")]
    Results(provenance={}, rows=rows, summary=summarize(rows)).write(tmp_path / "results.json")
    found = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    jsonschema.validate(found, results_schema())
    assert found["schema"] == 1
    assert [one["status"] for one in found["rows"]] == ["ok", "failed"]
    assert found["rows"][1]["reason"] == "no memory"


def test_the_shipped_schema_is_that_of_the_models() -> None:
    path = ROOT / "scripts" / "results_schema.py"
    spec = importlib.util.spec_from_file_location("results_schema", path)
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    assert script.FILE.read_text(encoding="utf-8") == script.text(), f"run: .venv/bin/python {path}"
    assert results_schema()["title"] == "Results"
