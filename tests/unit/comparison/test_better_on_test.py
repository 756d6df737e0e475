"""Which methods are said to do better on test rows than what is kept."""

import numpy as np

from evenhand.comparison.better_on_test import above_kept
from evenhand.functional.bootstrap import worst_group_difference


def test_only_what_is_above_beyond_chance_is_said() -> None:
    cells = np.repeat([0, 1, -1], 100)
    kept = np.arange(300) % 10 > 2  # 70 % of both cells
    little, much = kept.copy(), kept.copy()
    little[[0, 100]] = True
    much[:200] |= np.arange(200) % 10 > 0
    unknown = kept | (cells < 0)
    found = above_kept(
        "a", {"a": kept, "b": little, "c": much, "d": unknown, "e": kept & False}, cells, "class"
    )
    value, low, high = worst_group_difference(much, kept, cells, 0)
    assert found == [
        f"On the test rows, the worst-class accuracy of c is {100 * value:.1f} points above that of a "
        f"(95 % interval {100 * low:.1f} to {100 * high:.1f}); the choice did not use the test rows."
    ]
    assert round(100 * value, 1) == 20.0
