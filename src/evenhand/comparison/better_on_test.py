"""Which methods of a comparison do better on the test rows than the kept one."""

from __future__ import annotations

from collections.abc import Mapping

from evenhand._typing import Bools, Ints
from evenhand.functional.bootstrap import worst_group_difference


def above_kept(kept: str, correct: Mapping[str, Bools], cells: Ints, unit: str) -> list[str]:
    """Return one sentence for each method whose worst cell is above that of the kept one beyond chance.

    Parameters
    ----------
    kept : str
        Name of the kept method.
    correct : mapping of str to bool [N]
        Whether each method classifies a test row correctly, on one seed.
    cells : int64 [N]
        Group or class codes of the test rows, negative where unknown.
    unit : str
        "group" or "class".
    """
    found = []
    for name, right in correct.items():
        value, low, high = worst_group_difference(right, correct[kept], cells, 0)
        if low > 0:
            found.append(
                f"On the test rows, the worst-{unit} accuracy of {name} is {100 * value:.1f} points above "
                f"that of {kept} (95 % interval {100 * low:.1f} to {100 * high:.1f}); the choice did not "
                "use the test rows."
            )
    return found
