"""One row of results from the correctness of predictions."""

import numpy as np
import pytest

from evenhand import EvenhandError, FeatureTable
from evenhand.data.group_by import check_group_by
from evenhand.data.partition import SplitRows, parts
from evenhand.evaluation.evaluated_rows import EvaluatedRows


def test_groups_are_class_by_known_value_and_unknown_rows_are_in_none(table: FeatureTable) -> None:
    table.attributes["place"][7] = ""
    rows = SplitRows(table.rows("train"), np.array([]), np.arange(20), "test")
    on = EvaluatedRows.of(table.with_groups("place"), rows)
    assert on.group_names == [
        "gull / sea",
        "gull / wood",
        "jay / sea",
        "jay / wood",
    ]
    assert on.groups is not None
    assert on.groups.tolist() == table.groups("place", rows.test).tolist()
    assert on.group_codes is not None
    expected = 2 * table.y[:20] + (table.attributes["place"][:20] == "wood")
    expected[7] = -1
    assert on.group_codes.tolist() == expected.tolist()
    bare = EvaluatedRows.of(table, rows)
    assert (bare.groups, bare.group_codes, list(bare.group_names)) == (None, None, [])


def test_an_attribute_that_the_store_lacks_is_refused(table: FeatureTable) -> None:
    table.attributes["sky"] = table.attributes["place"]
    with pytest.raises(
        EvenhandError, match="group_by: 'sea' is not an attribute of this store; it has: place, sky"
    ):
        table.with_groups("sea")
    with pytest.raises(EvenhandError, match="it has: none"):
        check_group_by("sea", [])


def test_a_row_weights_groups_by_training_and_compares_with_erm(table: FeatureTable) -> None:
    rows = parts(table, "train")
    groups = table.groups("place", rows.test)
    on = EvaluatedRows.of(table.with_groups("place"), rows)
    right, erm_right = groups != "gull / wood", groups == "jay / wood"
    row = on.result_row(right, erm_right, method="mine", seed=3)
    assert (row.method, row.seed, row.split) == ("mine", 3, "test")
    assert row.worst_group is not None
    assert (row.worst_group.name, row.worst_group.value) == ("gull / wood", 0)
    share = (table.groups("place", rows.train) == "gull / wood").mean()
    assert row.averages.train_weighted == pytest.approx(1 - share)
    assert [cell.name for cell in row.cells][:2] == ["gull / ERM right", "gull / ERM wrong"]
    assert row.difference_to_erm is not None
    assert row.difference_to_erm.value == 0
    better = on.result_row(right | True, erm_right, method="mine", seed=3)
    assert better.difference_to_erm is not None
    assert better.difference_to_erm.value == 1
    alone = on.result_row(right, None, method="mine", seed=3)
    assert (alone.difference_to_erm, alone.cells) == (None, [])
    bare = EvaluatedRows.of(table, rows).result_row(right, erm_right, method="mine", seed=3)
    assert (bare.groups, bare.worst_group, bare.difference_to_erm) == ([], None, None)
