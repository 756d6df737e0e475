import numpy as np
import pytest

from evenhand.evaluation.metrics import evaluate
from evenhand.functional.intervals import wilson
from evenhand.reports.rates import Axis, Estimate, RateRow, measure_rows, rate_rows

GROUPS = ["a / x", "a / y", "b / x", "b / y"]


def row(method: str, seed: int = 0, accuracy: float = 0.8) -> dict:
    rng = np.random.default_rng(seed)
    y = np.repeat([0, 1], 100)
    groups = np.tile(["x", "y"], 100)
    names = np.array([f"{'ab'[c]} / {g}" for c, g in zip(y, groups, strict=True)])
    found = evaluate(
        rng.random(200) < accuracy, y, ["a", "b"], groups=names, group_names=GROUPS, train_groups=names[:50]
    )
    return {"method": method, "seed": seed, **found.model_dump()}


def test_one_seed_has_intervals_over_test_rows() -> None:
    one = row("erm")
    lines = {
        line.name: line.estimates[0]
        for line in measure_rows([one], ["erm"], {GROUPS[0]: 0.5, GROUPS[1]: 0.5})
    }
    assert list(lines) == [
        "worst group",
        "worst class",
        "plain average",
        "train-weighted average",
        "group mean",
        "class mean",
    ]
    worst = lines["worst group"]
    assert (worst.value, worst.low) == (one["worst_group"]["value"], one["worst_group"]["low"])
    assert worst.note == f"{one['worst_group']['name']}, 50 rows"
    plain = lines["plain average"]
    low, high = wilson(round(plain.value * 200), 200)
    assert (plain.low, plain.high) == pytest.approx((low, high), abs=0.02)
    weighted = lines["train-weighted average"]
    assert weighted.low < weighted.value < weighted.high


def test_without_training_shares_the_weighted_average_has_no_interval() -> None:
    marks = {line.name: line.estimates[0] for line in measure_rows([row("erm")], ["erm"])}
    assert marks["train-weighted average"].value is not None
    assert marks["train-weighted average"].low is None


def test_several_seeds_have_an_interval_over_seeds_within_what_a_rate_can_be() -> None:
    rows = [row("erm", seed, 0.98) for seed in range(3)]
    mark = measure_rows(rows, ["erm"])[0].estimates[0]
    values = [one["worst_group"]["value"] for one in rows]
    assert mark.value == pytest.approx(np.mean(values))
    assert list(mark.seeds) == values
    assert mark.low < min(values)
    assert mark.high <= 1


def test_what_no_method_knows_is_no_line() -> None:
    one = row("erm") | {"worst_group": None, "groups": []}
    one["averages"] = one["averages"] | {"group_mean": None, "train_weighted": None}
    assert [line.name for line in measure_rows([one], ["erm"])] == [
        "worst class",
        "plain average",
        "class mean",
    ]


def test_each_methods_lowest_group_is_marked_unless_all_are_equal() -> None:
    lines = rate_rows([row("erm"), row("cfr", 1)], ["erm", "cfr"], "groups")
    for k in range(2):
        column = [line.estimates[k] for line in lines]
        assert [mark.value for mark in column if mark.lowest] == [min(mark.value for mark in column)]
    perfect = rate_rows([row("erm", accuracy=1.1)], ["erm"], "groups")
    assert not any(mark.lowest for line in perfect for mark in line.estimates)
    assert perfect[0].meaning == "50 rows"


def test_few_rows_are_said() -> None:
    rate = {"name": "a", "n": 1, "value": 1.0, "low": 0.2, "high": 1.0}
    (line,) = rate_rows([{"method": "erm", "groups": [rate]}], ["erm"], "groups")
    assert line.meaning == "1 row, under 30: mostly luck"


@pytest.mark.parametrize(("least", "low"), [(0.97, 0.8), (0.61, 0.6), (0.6, 0.6), (0.1, 0.0), (0.0, 0.0)])
def test_the_axis_holds_the_lowest_mark(least: float, low: float) -> None:
    axis = Axis.of([RateRow("x", [Estimate(1.0, least, 1.0), Estimate(None)])])
    assert axis.low == low
    assert axis.ticks[0] == low
    assert axis.ticks[-1] == pytest.approx(1)
    assert (axis.at(low), axis.at(1)) == (0, 100)
    assert axis.step * (len(axis.ticks) - 1) == pytest.approx(100)
