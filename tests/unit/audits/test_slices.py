"""Slices are found on one half and tested on the other."""

import numpy as np
import pytest

from evenhand.audits import slices as slices_module
from evenhand.audits.matching import match
from evenhand.audits.slices import (
    SLICERS,
    SliceAssignment,
    SlicedRows,
    assess_slices,
    by_mixture,
    candidate_slices,
    halves,
    slice_rows,
)


def rows(n: int = 400, seed: int = 0, apart: float = 4.0) -> tuple[SlicedRows, np.ndarray]:
    """Two classes; an eighth of the rows of either lies apart. Return them, and which do."""
    generator = np.random.default_rng(seed)
    y = np.arange(n) % 2
    odd = generator.random(n) < 1 / 8
    z = generator.normal(size=(n, 6)) + apart * np.outer(odd, [0, 0, 1, 0, 0, 0])
    z = (z + np.outer(2.0 * y - 1, [1, 0, 0, 0, 0, 0])).astype(np.float32)
    return SlicedRows(z, y, ("gull", "jay"), np.arange(n) + 1000, halves(y, seed)), odd


def audit(of: SlicedRows, predicted: np.ndarray) -> list:
    sliced = slice_rows(of, predicted, 5)
    return assess_slices(of, sliced, {"erm": predicted}, "erm")


def test_a_planted_slice_is_found_by_both_methods() -> None:
    of, odd = rows()
    found = audit(of, np.where(odd, 1 - of.y, of.y))
    sure = [(one, members) for one, members in found if one.beyond_chance]
    assert {one.method for one, _ in sure} == set(SLICERS)
    assert {one.label for one, _ in sure} == {"gull", "jay"}
    for one, members in sure[:2]:
        assert odd[members].mean() > 0.9
        assert one.errors / one.n > 0.9
        assert one.predicted == {"gull": "jay", "jay": "gull"}[one.label]
        assert (np.array(one.rows) >= 1000).all()
        assert one.wrong == [bool(odd[row - 1000]) for row in one.rows]


def test_counts_are_of_the_half_that_tests() -> None:
    of, odd = rows()
    predicted = np.where(odd, 1 - of.y, of.y)
    for one, members in audit(of, predicted):
        mine = np.isin(np.arange(len(of.y)), members) & ~of.finds
        code = of.classes.index(one.label)
        of_class = ~of.finds & (of.y == code)
        assert (one.n, one.errors) == (mine.sum(), (mine & odd).sum())
        assert one.lift == pytest.approx(odd[mine].mean() - odd[of_class].mean())


def test_the_rows_that_test_have_no_say_in_what_is_tested() -> None:
    of, odd = rows()
    predicted = np.where(odd, 1 - of.y, of.y)
    other = np.where(of.finds, predicted, np.random.default_rng(9).permutation(predicted))
    one, another = slice_rows(of, predicted, 5), slice_rows(of, other, 5)
    for method in SLICERS:
        assert np.array_equal(one[method].member, another[method].member)
    assert {s.label for s, _ in audit(of, other)} == {s.label for s, _ in audit(of, predicted)}


def test_errors_at_random_are_rarely_beyond_chance() -> None:
    false = 0
    for seed in range(40):
        of, _ = rows(300, seed)
        blind = np.random.default_rng(100 + seed).random(300) < 0.2
        false += any(one.beyond_chance for one, _ in audit(of, np.where(blind, 1 - of.y, of.y)))
    assert false <= 6, "5 % of 40 are 2; 6 has a chance under 2 %"


def test_a_search_that_tests_on_what_it_found_would_be_fooled() -> None:
    """The control: the same numbers on the half that finds are beyond chance far too often."""
    from evenhand.functional.excess import excess_errors

    fooled = 0
    for seed in range(20):
        of, _ = rows(300, seed)
        wrong = np.random.default_rng(100 + seed).random(300) < 0.2
        predicted = np.where(wrong, 1 - of.y, of.y)
        p = [
            excess_errors(int(wrong[mine].sum()), int(mine.sum()), int(wrong[whole].sum()), int(whole.sum()))
            for part in slice_rows(of, predicted, 5).values()
            for place, code in enumerate(part.classes)
            for mine in [(part.member == place) & of.finds]
            for whole in [(of.y == code) & of.finds]
            if mine.any()
        ]
        fooled += min(p) * len(p) <= 0.05
    assert fooled >= 4


def test_later_slices_of_the_same_rows_say_so() -> None:
    of, odd = rows()
    found = audit(of, np.where(odd, 1 - of.y, of.y))
    twins = [one for one, _ in found if one.same_as]
    assert twins
    names = [one.name for one, _ in found]
    assert all(names.index(one.same_as) < names.index(one.name) for one in twins)
    assert len(set(names)) == len(names)


def test_no_error_makes_no_slice() -> None:
    of, _ = rows()
    assert slice_rows(of, of.y, 5) == {}
    assert audit(of, of.y) == []


@pytest.mark.parametrize("n", [1, 2, 5, 10])
def test_few_rows(n: int) -> None:
    of, _ = rows(n)
    assert audit(of, 1 - of.y) == []


def test_slices_that_are_groups_match_them_and_others_do_not() -> None:
    of, odd = rows(800)
    sliced = slice_rows(of, np.where(odd, 1 - of.y, of.y), 3)["mixture"]
    groups = np.array(["gull / ", "jay / "])[of.y].astype(object) + np.where(odd, "odd", "even")
    names = sorted(set(groups))
    found = match("erm", "mixture", sliced, of.y, groups.astype(str), names, ~of.finds)
    assert found is not None
    assert found.mean_precision > 0.9
    assert found.adjusted_mutual_information > 0.3
    shuffled = np.random.default_rng(0).permutation(groups).astype(str)
    by_chance = match("erm", "mixture", sliced, of.y, shuffled, names, ~of.finds)
    assert by_chance is not None
    assert abs(by_chance.adjusted_mutual_information) < 0.05
    assert match("erm", "mixture", sliced, of.y, np.full(800, ""), [], ~of.finds) is None


def assigned(members: list[np.ndarray], n: int) -> dict[str, SliceAssignment]:
    """Return slices of class 0, one per method, with these members."""
    of = [np.where(np.isin(np.arange(n), rows), 0, -1) for rows in members]
    return {
        method: SliceAssignment(np.array([0]), slice_of, np.arange(n) * 1.0)
        for method, slice_of in zip(SLICERS, of, strict=False)
    }


def plain(n: int = 200) -> SlicedRows:
    return SlicedRows(
        np.zeros((n, 2), np.float32), np.zeros(n, int), ("gull", "jay"), np.arange(n), np.arange(n) % 2 == 0
    )


@pytest.mark.parametrize(("rows", "found"), [(10, 1), (9, 0), (8, 0)])
def test_a_slice_needs_five_rows_in_either_half(rows: int, found: int) -> None:
    wrong = np.arange(200) < rows
    assert len(candidate_slices(plain(), assigned([np.arange(rows)], 200), wrong)) == found


def test_a_slice_that_errs_like_its_class_is_no_candidate() -> None:
    wrong = np.arange(200) % 4 < 2
    assert candidate_slices(plain(), assigned([np.arange(100)], 200), wrong) == []


@pytest.mark.parametrize(("shared", "same"), [(11, True), (10, False), (9, False)])
def test_slices_are_the_same_if_they_share_more_than_half_of_the_smaller(shared: int, same: bool) -> None:
    wrong = np.arange(200) < 60
    slices = assigned([np.arange(40), np.arange(40 - shared, 60 - shared)], 200)
    found = assess_slices(plain(), slices, {"erm": wrong.astype(int)}, "erm")
    assert [one.same_as is not None for one, _ in found] == [False, same]


def test_a_slice_is_beyond_chance_up_to_five_percent() -> None:
    of, found = plain(), []
    inside, outside = np.flatnonzero(~of.finds)[:10], np.flatnonzero(~of.finds)[10:]
    for few in range(2, 8):
        for many in range(5, 50, 5):
            wrong = np.isin(np.arange(200), [*range(0, 20, 2), *inside[:few], *outside[:many]])
            found += assess_slices(of, assigned([np.arange(20)], 200), {"erm": wrong.astype(int)}, "erm")
    near = sorted(one.p_corrected for one, _ in found)
    assert any(0.03 < p <= 0.05 for p in near), near
    assert any(0.05 < p < 0.08 for p in near), near
    assert all(one.beyond_chance == (one.p_corrected <= 0.05) for one, _ in found)


def test_a_slice_lists_its_48_most_typical_rows_and_has_all_members() -> None:
    wrong = np.arange(200) < 60
    ((one, members),) = assess_slices(
        plain(), assigned([np.arange(100)], 200), {"erm": wrong.astype(int)}, "erm"
    )
    assert members.tolist() == list(range(99, -1, -1))
    assert one.rows == members[:48].tolist()
    assert one.wrong == [row < 60 for row in one.rows]


class AskedError(Exception):
    pass


@pytest.mark.parametrize(("n", "slices", "components"), [(400, 5, 10), (400, 60, 40), (2000, 60, 100)])
def test_the_mixture_sees_16_components_and_has_a_bounded_number_of_slices(
    n: int, slices: int, components: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slices × classes, at least five rows for each, and never over a hundred."""

    def asked(x: np.ndarray, y: np.ndarray, predicted: np.ndarray, classes: int, number: int) -> None:
        assert x.shape == (n // 2, 16)
        raise AskedError(number)

    monkeypatch.setattr(slices_module, "fit_mixture", asked)
    z = np.random.default_rng(0).normal(size=(n, 20)).astype(np.float32)
    y = np.arange(n) % 2
    with pytest.raises(AskedError, match=f"^{components}$"):
        by_mixture(z, y, 1 - y, np.arange(n) % 4 < 2, 2, slices)
