import numpy as np
import pytest

from evenhand.evaluation.accuracy import evaluate
from evenhand.functional.intervals import wilson
from evenhand.reports.rates import Axis, Estimate, RateRow, joined, measure_rows, over_seeds, rate_rows

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


def averages(classes: list[tuple[int, float]], **shares: float) -> dict[str, Estimate]:
    rates = [
        {"name": f"g{k}", "n": n, "value": value, "low": value - 0.1, "high": min(value + 0.1, 1.0)}
        for k, (n, value) in enumerate(classes)
    ]
    record = {
        "method": "erm",
        "seed": 0,
        "classes": rates,
        "groups": rates,
        "averages": dict.fromkeys(("plain", "train_weighted", "group_mean", "class_mean"), 0.5),
    }
    return {row.name: row.estimates[0] for row in measure_rows([record], ["erm"], shares)}


def test_each_average_weights_its_rates_as_it_is_defined() -> None:
    found = averages([(30, 0.2), (10, 0.6)], g0=0.1, g1=0.9)
    values = np.array([0.2, 0.6])
    for name, weights in (
        ("plain average", [0.75, 0.25]),
        ("train-weighted average", [0.1, 0.9]),
        ("group mean", [0.5, 0.5]),
        ("class mean", [0.5, 0.5]),
    ):
        mean, half = values @ weights, 0.1 * np.linalg.norm(weights)
        assert (found[name].low, found[name].high) == pytest.approx((mean - half, mean + half)), name
    assert found["plain average"].note == "40 rows"


def test_a_class_without_rows_has_no_weight() -> None:
    rates = [{"name": "a", "n": 4, "value": 0.5, "low": 0.4, "high": 0.6}]
    rates.append({"name": "b", "n": 0, "value": None, "low": None, "high": None})  # type: ignore[dict-item]
    record = {"method": "erm", "classes": rates, "averages": {"plain": 0.5, "class_mean": None}}
    (row,) = measure_rows([record], ["erm"])
    assert (row.estimates[0].low, row.estimates[0].high) == pytest.approx((0.4, 0.6))


def test_an_interval_over_seeds_is_students_with_n_minus_1() -> None:
    found = over_seeds([0.4, 0.5, 0.6])
    half = 4.302653 * 0.1 / np.sqrt(3)
    assert (found.value, found.low, found.high) == pytest.approx((0.5, 0.5 - half, 0.5 + half))


@pytest.mark.parametrize(("values", "low", "high"), [((0.0, 0.1), 0.0, None), ((1.0, 0.9), None, 1.0)])
def test_an_interval_over_seeds_is_clipped_at_both_ends(
    values: tuple[float, float], low: float | None, high: float | None
) -> None:
    found = over_seeds(values)
    assert low is None or found.low == low
    assert high is None or found.high == high
    assert over_seeds(values[:1]).low is None


@pytest.mark.parametrize(("n", "few"), [(29, True), (30, False)])
def test_under_thirty_rows_are_few(n: int, few: bool) -> None:
    rate = {"name": "a", "n": n, "value": 1.0, "low": 0.2, "high": 1.0}
    (row,) = rate_rows([{"method": "erm", "groups": [rate]}], ["erm"], "groups")
    assert ("mostly luck" in row.meaning) is few


def test_the_class_averages_are_made_of_classes_and_the_others_of_groups() -> None:
    classes = [{"name": "a", "n": 10, "value": 0.5, "low": 0.4, "high": 0.6}]
    groups = [{"name": "a / x", "n": 5, "value": 0.5, "low": 0.1, "high": 0.9}]
    record = {
        "method": "erm",
        "classes": classes,
        "groups": groups,
        "averages": dict.fromkeys(("plain", "train_weighted", "group_mean", "class_mean"), 0.5),
    }
    lows = {row.name: row.estimates[0].low for row in measure_rows([record], ["erm"], {"a / x": 1.0})}
    assert (lows["plain average"], lows["class mean"]) == pytest.approx((0.4, 0.4))
    assert (lows["train-weighted average"], lows["group mean"]) == pytest.approx((0.1, 0.1))


def test_a_model_that_no_seed_changes_has_its_interval_over_rows() -> None:
    same = Estimate(0.7, 0.6, 0.8)
    assert joined([same, Estimate(0.7, 0.59, 0.81)]) == same
    assert joined([same, Estimate(0.9, 0.8, 1.0)]) == over_seeds([0.7, 0.9])
    assert joined([Estimate(None), same]) == same
    assert joined([]) == Estimate(None)
