from typing import Any

import pytest

from evenhand.reports.tables import MOST, rate_table


def row(method: str, seed: int, *values: float | None, n: int = 100) -> dict[str, Any]:
    groups = [{"name": f"g{k}", "n": n, "value": value} for k, value in enumerate(values)]
    return {"method": method, "seed": seed, "groups": groups}


def test_columns_are_means_over_seeds_and_lines_are_groups() -> None:
    table = rate_table([row("erm", 0, 0.4, 1.0), row("erm", 1, 0.6, 0.9), row("cfr", 0, 0.7, None)], "groups")
    assert table.methods == ["erm", "cfr"]
    assert [line.name for line in table.rows] == ["g0", "g1"]
    assert table.rows[0].values == pytest.approx([0.5, 0.7])
    assert table.rows[1].values[1] is None
    assert table.lowest == pytest.approx([0.5, 0.7])


def test_counts_that_differ_between_seeds_are_a_range() -> None:
    table = rate_table([row("erm", 0, 0.4, n=40), row("erm", 1, 0.6, n=20)], "groups")
    assert (table.rows[0].n, table.rows[0].few) == ("20–40", True)


def test_a_method_without_such_rates_is_no_column() -> None:
    assert rate_table([row("erm", 0, 0.4), {"method": "cfr", "seed": 0}], "groups").methods == ["erm"]


def test_of_many_groups_the_lowest_are_shown() -> None:
    values = [k / 100 for k in range(MOST + 10)][::-1]
    table = rate_table([row("erm", 0, *values)], "groups")
    assert table.total == MOST + 10
    assert [line.values[0] for line in table.rows] == sorted(values)[:MOST]


def test_nothing_compares_to_nothing() -> None:
    assert rate_table([], "groups").rows == []
