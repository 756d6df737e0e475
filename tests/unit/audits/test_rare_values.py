"""The class that is typical of a value, against a loop."""

import numpy as np

from evenhand.audits.rare_values import by_typical_class


def test_it_is_the_class_with_the_largest_share_over_its_share_of_all_rows_in_the_other_half() -> None:
    generator = np.random.default_rng(0)
    y = generator.choice(3, 400, p=[0.7, 0.2, 0.1])
    values = np.where(
        generator.random(400) < 0.1, "", np.char.add("v", (y + generator.integers(0, 9, 400)).astype(str))
    )
    found = by_typical_class(values, y, np.random.default_rng(1))
    first = np.random.default_rng(1).permutation(400) < 200
    assert (found[first] == "").all()
    of_class = [sum(first & (y == c)) for c in range(3)]
    for row in np.flatnonzero(~first):
        same = first & (values == values[row])
        if values[row] == "" or not same.any():
            assert found[row] == ""
            continue
        lifts = [sum(same & (y == c)) / of_class[c] for c in range(3)]
        assert found[row] == f"(mostly {lifts.index(max(lifts))})"
    assert len(set(found.tolist())) == 4


def test_a_value_that_stands_in_one_half_alone_is_unknown() -> None:
    values = np.array([f"v{k}" for k in range(40)])
    assert (by_typical_class(values, np.arange(40) % 2, np.random.default_rng(0)) == "").all()
    assert by_typical_class(values[:0], np.zeros(0, np.int64), np.random.default_rng(0)).shape == (0,)
