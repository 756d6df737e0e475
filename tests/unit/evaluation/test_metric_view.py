"""Rows and results by another metric than accuracy."""

import json
from typing import Any, get_args

import numpy as np
import pytest

from evenhand import EvenhandError, FeatureTable, compare
from evenhand.evaluation.metric_view import NAMES, by_metric, metric_of, results_by_metric
from evenhand.evaluation.metrics import Figure, figures
from evenhand.evaluation.results import Results, no_result


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    generator = np.random.default_rng(0)
    y = np.arange(200) % 2
    X = generator.normal(size=(200, 4)).astype(np.float32)
    X[:, 0] += y
    split = np.where(np.arange(200) % 3 == 0, "test", "train")
    table = FeatureTable.from_arrays(X, y, groups=np.where(np.arange(200) % 5 < 3, "in", "out"), split=split)
    results = compare(table, methods=["linear_probe"], seeds=[0, 1], budget=1)
    return results.model_dump(mode="json", by_alias=True)


def test_accuracy_is_the_row_itself(found: dict[str, Any]) -> None:
    row = found["rows"][0]
    assert by_metric(row, "accuracy") == row
    assert results_by_metric(found, "accuracy") == found
    assert metric_of(row) == "accuracy"


@pytest.mark.parametrize("metric", get_args(Figure))
def test_the_rates_of_the_metric_take_the_places_of_accuracies(found: dict[str, Any], metric: str) -> None:
    row = found["rows"][0]
    view = by_metric(row, metric)
    own = row["figures"][metric]
    for key in ("classes", "groups", "worst_class", "worst_group"):
        assert view[key] == own[key]
    assert view["averages"] == {
        "plain": None,
        "train_weighted": None,
        "class_mean": own["class_mean"],
        "group_mean": own["group_mean"],
    }
    values = [rate["value"] for rate in own["groups"]]
    assert view["gap"] == max(values) - min(values)
    assert (view["cells"], view["difference_to_erm"]) == ([], None)
    assert metric_of(view) == NAMES[metric]
    assert {key: row[key] for key in ("method", "seed", "kept")} == {
        key: view[key] for key in ("method", "seed", "kept")
    }


@pytest.mark.parametrize("metric", get_args(Figure))
def test_rows_of_one_class_have_nothing_to_rank(metric: str) -> None:
    y = np.zeros(20, dtype=np.int64)
    made = figures(y, y, np.ones((20, 2)), ["cat", "dog"])
    row = {
        "method": "erm",
        "status": "ok",
        "notes": ["before"],
        "figures": {k: v.model_dump() for k, v in made.items()},
    }
    view = by_metric(row, metric)["notes"]
    if metric in ("auroc", "average_precision"):
        assert view.pop().startswith(f"no {NAMES[metric]}: the evaluated images are of one class alone, and ")
    assert view == ["before"]


def test_recall_is_the_accuracy_of_a_class_and_of_a_group(found: dict[str, Any]) -> None:
    for row in found["rows"]:
        for kind in ("classes", "groups"):
            accuracies = {rate["name"]: rate for rate in row[kind]}
            assert {rate["name"]: rate for rate in row["figures"]["recall"][kind]} == accuracies


def test_summaries_are_means_over_seeds_of_the_metric(found: dict[str, Any]) -> None:
    view = results_by_metric(found, "auroc")
    for one in view["summary"]:
        own = [row for row in found["rows"] if row["method"] == one["method"]]
        worst = [row["figures"]["auroc"]["worst_group"]["value"] for row in own]
        assert one["worst_group"]["mean"] == pytest.approx(np.mean(worst))
        assert (one["plain"], one["over_test_rows"]) == (None, None)
    kept = {(one["method"], one["seed"]) for one in found["kept_method"]}
    worst = [
        row["figures"]["auroc"]["worst_class"]["value"]
        for row in found["rows"]
        if (row["method"], row["seed"]) in kept
    ]
    assert view["kept_summary"]["worst_class"]["mean"] == pytest.approx(np.mean(worst))
    assert view["kept_summary"]["method"] == found["kept_summary"]["method"]


def test_a_row_that_lacks_a_metric_or_an_unknown_metric_is_one_sentence(found: dict[str, Any]) -> None:
    with pytest.raises(
        EvenhandError, match=r"^metric: 'auc' is unknown; the allowed values are accuracy, auroc"
    ):
        by_metric(found["rows"][0], "auc")
    old = {name: value for name, value in found["rows"][0].items() if name != "figures"}
    with pytest.raises(
        EvenhandError, match=r"^metric: the results of zero_shot have no f1: .* run the command again"
    ):
        by_metric(old, "f1")
    failed = no_result("jtt", 0, "failed", "why").model_dump()
    assert by_metric(failed, "f1") == failed


def test_results_without_figures_are_still_read(found: dict[str, Any]) -> None:
    text = json.loads(json.dumps(found))
    for row in text["rows"]:
        del row["figures"]
    assert Results.model_validate(text).rows[0].figures == {}
