"""Which rows are asked about: each once, a quarter at random, both sides of the candidate in each class."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from tests.unit.review.conftest import Sea

from evenhand.review import Answer, ReviewRows, choose_rows
from evenhand.review.choose import rounds
from evenhand.review.rows import RARE, USUAL, ranks


def test_every_row_is_asked_once_and_evaluated(rows: ReviewRows) -> None:
    chosen = [row for row, _ in choose_rows(rows, {}, 1000)]
    assert len(chosen) == len(set(chosen)) == len(rows)
    assert set(chosen) == set(rows.numbers.tolist())


def test_a_quarter_is_random_and_all_kinds_come_from_every_class(rows: ReviewRows) -> None:
    chosen = choose_rows(rows, {}, 40)
    assert Counter(why for _, why in chosen) == {"random": 10, "candidate": 20, "unsure": 10}
    place = {int(row): k for k, row in enumerate(rows.numbers)}
    for number, (row, _) in enumerate(chosen):
        k = place[row]
        if number % 4:
            assert rows.y[k] == (number // 4) % 2
            low, high = {1: (0, RARE), 2: (RARE, USUAL), 3: (USUAL, 1)}[number % 4]
            assert low <= rows.rank[k] < high


def test_the_candidate_finds_exceptions(rows: ReviewRows, sea: Sea) -> None:
    chosen = np.array([row for row, _ in choose_rows(rows, {}, 80)])
    rare = chosen[1::4]
    usual = (np.array(sea.labels) == "gull") == sea.water
    assert (~usual[rare]).mean() > 0.9
    assert usual[chosen[3::4]].mean() > 0.6


def test_answered_rows_are_not_asked_again_and_the_draw_goes_on(rows: ReviewRows, sea: Sea) -> None:
    first = [row for row, _ in choose_rows(rows, {}, 20)]
    answers = sea.answers(np.array(first))
    second = choose_rows(rows, answers, 20)
    assert not {row for row, _ in second} & set(first)
    assert second == choose_rows(rows, answers, 20)
    assert second != choose_rows(rows, answers, 20, seed=1)


def test_answers_steer_to_the_rarer_side(rows: ReviewRows, sea: Sea) -> None:
    """Nine in ten gulls are left on the water: once the answers say what is asked, rare picks are ashore."""
    gone = (rows.y == 0) & ~sea.water[rows.numbers] & (np.arange(len(rows)) % 20 > 1)
    kept = np.flatnonzero(~gone)
    fewer = replace(
        rows,
        numbers=rows.numbers[kept],
        y=rows.y[kept],
        right=rows.right[kept],
        features=rows.features[kept],
        rank=np.full(len(kept), 0.99),
    )
    answers = sea.answers(
        np.concatenate([fewer.numbers[fewer.y == 1][:20], fewer.numbers[fewer.y == 0][:20]])
    )
    rare = [
        row for row, why in choose_rows(fewer, answers, 8) if why == "candidate" and sea.labels[row] == "gull"
    ]
    assert len(rare) == 2
    assert [bool(sea.water[row]) for row in rare] == [False, True]


def test_ranks_are_quantiles_within_a_class() -> None:
    found = ranks(np.array([3.0, 1.0, 2.0, 10.0]), np.array([0, 0, 0, 1]))
    np.testing.assert_allclose(found, [2.5 / 3, 0.5 / 3, 1.5 / 3, 0.5])


@pytest.mark.parametrize(("n", "found"), [(25, [10, 10, 5]), (10, [10]), (0, [])])
def test_rounds(n: int, found: list[int]) -> None:
    assert list(rounds(n)) == found


def test_a_single_kind_of_answer_leaves_the_candidate_in_charge(rows: ReviewRows) -> None:
    answers = {int(row): Answer("yes") for row in rows.numbers[:4]}
    place = {int(row): k for k, row in enumerate(rows.numbers)}
    chosen = choose_rows(rows, answers, 8)
    assert all(rows.rank[place[row]] < RARE for row, _ in chosen[1::4])
