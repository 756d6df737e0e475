import pytest

from evenhand import EvenhandError
from evenhand.audits.gate import failures, read_bounds


def test_bounds() -> None:
    assert read_bounds(["worst-class=0.8", "plain=1"]) == {"worst-class": 0.8, "plain": 1.0}


@pytest.mark.parametrize("texts", [["0.8"], [""], ["plain=0.1", "plain=0.2"]])
def test_a_bound_without_a_rate_or_a_rate_that_comes_twice(texts: list[str]) -> None:
    with pytest.raises(EvenhandError, match=r"^bounds: .* RATE=BOUND, once for each rate$"):
        read_bounds(texts)


def test_an_unknown_rate() -> None:
    with pytest.raises(EvenhandError, match=r"^bounds: 'worst' is unknown; the allowed values are wor"):
        read_bounds(["worst=0.8"])


@pytest.mark.parametrize("number", ["", "x", "80", "-0.1", "nan"])
def test_a_bound_that_is_no_fraction(number: str) -> None:
    with pytest.raises(EvenhandError, match=r"^bounds: .* fraction from 0 to 1"):
        read_bounds([f"plain={number}"])


def test_only_rates_under_their_bound_fail() -> None:
    rates = {"plain": 0.9, "worst-class": 0.75, "worst-group": None}
    assert failures(rates, {"plain": 0.9}) == []
    plain, worst_class = failures(rates, {"plain": 0.95, "worst-class": 0.8})
    assert "plain" in plain
    assert "0.95" in plain
    assert "0.7500" in worst_class


def test_a_gate_that_checks_nothing_does_not_pass() -> None:
    with pytest.raises(EvenhandError, match=r"^bounds: .*worst-group.* plain"):
        failures({"plain": 0.9, "worst-group": None}, {"worst-group": 0.1})
    with pytest.raises(EvenhandError, match=r"has no rate auroc of worst-class; it has none$"):
        failures({"worst-class": None}, {"worst-class": 0.1}, "auroc")
