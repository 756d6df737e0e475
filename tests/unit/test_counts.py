"""Numbers with what they count."""

import pytest

from evenhand._counts import number_of


@pytest.mark.parametrize(("n", "said"), [(0, "0 rows"), (1, "1 row"), (2, "2 rows"), (1200, "1,200 rows")])
def test_one_is_singular(n: int, said: str) -> None:
    assert number_of(n, "row") == said


def test_what_is_said_of_them_agrees() -> None:
    assert [number_of(n, "image lies", "images lie") for n in (1, 3)] == ["1 image lies", "3 images lie"]
