"""Several attributes at once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenhand.data.groups import FEWEST, cross

ROWS = st.lists(
    st.tuples(st.sampled_from("pq"), st.sampled_from(["", "a", "b"]), st.sampled_from("xy"), st.booleans()),
    min_size=1,
    max_size=80,
)


@given(ROWS)
def test_a_cell_keeps_its_name_where_enough_rows_are_evaluated(
    rows: list[tuple[str, str, str, bool]],
) -> None:
    labels, first, second, evaluated = map(np.array, zip(*rows, strict=True))
    found = cross({"one": first, "two": second}, ["one", "two"], labels, evaluated)
    n = {
        cell: sum(row[:3] == cell and row[3] for row in rows) for cell in {row[:3] for row in rows if row[1]}
    }
    for value, (label, one, two, _) in zip(found.values, rows, strict=True):
        small = one and n[label, one, two] < FEWEST
        assert value == ("" if not one else "other" if small else f"{one} × {two}")
    small_cells = [f"{a} / {b} × {c} ({k})" for (a, b, c), k in sorted(n.items()) if k < FEWEST]
    assert list(found.pooled) == small_cells
    assert found.cells == len(n)


def test_the_sentence_names_the_attributes_and_what_is_pooled() -> None:
    columns = {"a": np.array(["u"] * 12), "b": np.array(["v"] * 10 + ["w"] * 2), "c": np.array(["t"] * 12)}
    every = np.ones(12, dtype=bool)
    assert cross(columns, ["a", "c"], np.array(["p"] * 12), every).sentence() == (
        "groups are those of 'a' and 'c' together"
    )
    assert cross(columns, ["a", "b", "c"], np.array(["p"] * 12), every).sentence() == (
        "groups are those of 'a' and 'b' and 'c' together; of 2 cells 1 has fewer than 10 images to "
        "evaluate, pooled as 'other': p / u × w × t (2)"
    )


def test_counts_are_of_the_evaluated_rows() -> None:
    columns = {"a": np.array(["u"] * 20), "b": np.array(["v"] * 20)}
    for evaluated, value in ((FEWEST, "u × v"), (FEWEST - 1, "other")):
        found = cross(columns, ["a", "b"], np.array(["p"] * 20), np.arange(20) < evaluated)
        assert set(found.values) == {value}


def test_an_unknown_attribute_is_the_callers_error() -> None:
    with pytest.raises(KeyError):
        cross({}, ["a"], np.array(["p"]), np.array([True]))
