import numpy as np
import pytest
from scipy.stats import fisher_exact

from evenhand.audits.gaps import Gap, group_gaps, slice_gaps
from evenhand.functional.excess import holm
from evenhand.functional.power import detectable_gap, rows_for_gap

NAMES = ["gull / sea", "gull / wood", "jay / sea", "jay / wood"]


def drawn(n: int = 400) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    draw = np.random.default_rng(1)
    y, place = draw.integers(0, 2, n), draw.integers(0, 2, n)
    groups = np.array([NAMES[2 * a + b] for a, b in zip(y, place, strict=True)])
    groups[::17] = ""
    return y, draw.random(n) < np.where(groups == "gull / wood", 0.5, 0.1), groups


def test_every_group_against_the_rest_of_its_class() -> None:
    y, wrong, groups = drawn()
    found = group_gaps(y, wrong, groups, NAMES)
    p = []
    for gap, name in zip(found, NAMES, strict=True):
        code = name.startswith("jay")
        mine = [w for w, g in zip(wrong, groups, strict=True) if g == name]
        rest = [w for w, g, k in zip(wrong, groups, y, strict=True) if k == code and g not in (name, "")]
        assert (gap.name, gap.n, gap.others) == (name, len(mine), len(rest))
        assert (gap.error, gap.error_of_others) == pytest.approx((np.mean(mine), np.mean(rest)))
        table = [[sum(mine), len(mine) - sum(mine)], [sum(rest), len(rest) - sum(rest)]]
        p.append(fisher_exact(table, alternative="greater")[1])
        reference = (sum(rest) + 1) / (len(rest) + 2)
        assert gap.detectable == pytest.approx(detectable_gap(len(mine), reference, len(rest), 0.05 / 4))
        assert gap.needed is None
    assert [gap.p_corrected for gap in found] == pytest.approx(holm(np.array(p)).tolist())
    assert [gap.name for gap in found if gap.beyond_chance] == ["gull / wood"]
    assert found[1].lift == pytest.approx(found[1].error - found[1].error_of_others)


def test_a_plan_says_how_many_rows_would_show_a_gap() -> None:
    y, wrong, groups = drawn()
    gap = group_gaps(y, wrong, groups, NAMES, plan=0.1)[2]
    reference = (round(gap.error_of_others * gap.others) + 1) / (gap.others + 2)
    assert gap.needed == rows_for_gap(0.1, reference, 0.05 / 4)
    assert group_gaps(y, wrong, groups, NAMES, plan=0.999)[2].needed is None


def test_a_class_of_one_group_has_nothing_to_compare() -> None:
    y, wrong = np.array([0, 0, 1, 1]), np.array([True, False, False, True])
    groups = np.array(["gull / sea", "gull / sea", "jay / sea", "jay / wood"])
    assert [gap.name for gap in group_gaps(y, wrong, groups, NAMES)] == ["jay / sea", "jay / wood"]


def test_without_groups_it_is_a_fifth_of_the_testing_half_of_a_class() -> None:
    y = np.repeat([0, 1, 2], [200, 9, 100])
    wrong = np.arange(len(y)) % 10 == 0
    first, last = slice_gaps(y, wrong, ("gull", "owl", "jay"), plan=0.2)
    assert (first.name, first.n, first.others) == ("a fifth of class gull", 20, 80)
    assert (last.name, last.n, last.others) == ("a fifth of class jay", 10, 40)
    assert (first.error, first.lift, first.beyond_chance) == (None, 0.0, False)
    assert first.error_of_others == pytest.approx(0.1)
    assert first.detectable == pytest.approx(detectable_gap(20, 21 / 202, 80, 0.05 / 15))
    assert first.needed == rows_for_gap(0.2, 21 / 202, 0.05 / 15)


def test_few_rows_show_no_gap_at_all() -> None:
    (gap,) = slice_gaps(np.zeros(20, dtype=int), np.ones(20, dtype=bool), ("gull",))
    assert gap.n == 2
    assert gap.detectable is None


def test_the_level_of_a_gap_beyond_chance() -> None:
    gap = Gap(name="a", n=9, others=9, error=0.5, error_of_others=0.2, p_corrected=0.05, detectable=None)
    assert gap.beyond_chance
    assert not gap.model_copy(update={"p_corrected": 0.0501}).beyond_chance
