"""`evenhand.compare` on arrays, and its arguments."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evenhand import EvenhandError, FeatureTable, compare

ONE = {"methods": ["zero_shot"], "seeds": [0], "budget": 1}


@pytest.fixture
def arrays(table: FeatureTable) -> dict[str, Any]:
    rows = np.arange(len(table))
    return {
        "X": table.features(rows),
        "y": table.labels(rows),
        "groups": {"place": table.attributes["place"]},
        "head": table.head,
    }


def test_arrays_are_compared_as_the_table_that_they_make(arrays: dict[str, Any]) -> None:
    made = FeatureTable.from_arrays(arrays["X"], arrays["y"], groups=arrays["groups"], head=arrays["head"])
    found, expected = compare(**arrays, **ONE), compare(made, **ONE)
    for one, other in zip(found.rows, expected.rows, strict=True):
        assert (one.method, one.worst_group, one.averages) == (
            other.method,
            other.worst_group,
            other.averages,
        )
    assert found.provenance["group_by"] == "place"
    assert found.provenance["store"] is None


def test_one_array_of_groups_is_called_group_and_none_is_no_group(arrays: dict[str, Any]) -> None:
    found = compare(arrays["X"], arrays["y"], groups=arrays["groups"]["place"], **ONE)
    assert found.provenance["group_by"] == "group"
    assert found.rows[0].groups[0].name == "gull / sea"
    bare = compare(arrays["X"], arrays["y"], **ONE)
    assert bare.rows[0].worst_group is None
    assert bare.rows[0].worst_class is not None


def test_a_single_method_needs_no_list(arrays: dict[str, Any]) -> None:
    assert [row.method for row in compare(**arrays, **{**ONE, "methods": "zero_shot"}).rows] == [
        "erm",
        "zero_shot",
    ]


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"y": None}, "y is missing: an array of features needs a label for each row"),
        ({"y": ["gull"]}, "X has 600 rows, but y has 1"),
        ({"groups": ["sea"]}, "X has 600 rows, but group has 1"),
        ({"X": np.zeros(3)}, "X must be a finite matrix"),
        (
            {"X": Path("a.store")},
            r"^X: 'a.store' is a path; read the store there with load_store\('a.store'\)$",
        ),
        ({"y": ["owl"] * 600}, "y holds 'owl', which is not a class of the head"),
        ({"group_by": "sky"}, "group_by: 'sky' is not an attribute of this store; it has: place"),
        ({"seeds": 3}, r"seeds: give a sequence of seeds, such as range\(3\), not a number"),
        ({"jobs": 0}, "jobs: there must be at least 1, but there are 0"),
        ({"methods": []}, "methods: it is empty; the allowed values are auto, zero_shot"),
    ],
)
def test_arguments_that_make_no_comparison_are_refused(
    arrays: dict[str, Any], more: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(EvenhandError, match=sentence):
        compare(**{**arrays, **ONE, **more})


def test_a_table_brings_its_own_labels(table: FeatureTable) -> None:
    with pytest.raises(EvenhandError, match="a table brings its labels, groups and head; leave"):
        compare(table, table.y, **ONE)
