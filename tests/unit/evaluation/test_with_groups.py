"""Groups of several attributes, from the table to a row of results."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evenhand import EvenhandError, FeatureTable, audit
from evenhand.data.estimated import EstimatedColumn
from evenhand.data.partition import parts
from evenhand.evaluation.evaluated_rows import evaluated_rows, group_names, with_groups
from evenhand.evaluation.result_row import result_row
from evenhand.runs.training import kept_from_training


@pytest.fixture
def crossed(table: FeatureTable) -> FeatureTable:
    """A second attribute with few rows at dusk, and a jay at dusk that only trains."""
    time = np.where(np.arange(600) % 3 == 0, "night", "day")
    time[396:403] = "dusk"
    return replace(table, attributes={**table.attributes, "time": time})


def test_one_attribute_leaves_the_table_as_it_is(crossed: FeatureTable) -> None:
    assert with_groups(crossed, None) == (crossed, "place")
    assert with_groups(crossed, "time") == (crossed, "time")
    with pytest.raises(
        EvenhandError, match="group_by: 'sky' is not an attribute of this store; it has: place"
    ):
        with_groups(crossed, "time, sky")
    with pytest.raises(EvenhandError, match="group_by: 'time,time' names an attribute twice; give each once"):
        with_groups(crossed, "time,time")


def test_rates_of_combinations_are_those_of_a_loop(crossed: FeatureTable) -> None:
    table, column = with_groups(crossed, "place, time")
    assert column == "place,time"
    rows = parts(table, "train")
    right = np.arange(len(rows.test)) % 5 > 0
    row = result_row(evaluated_rows(table, rows, column), right, None, method="mine", seed=0)
    for group in row.groups:
        label, value = group.name.split(" / ")
        mine = []
        for k, number in enumerate(rows.test):
            own = f"{crossed.attributes['place'][number]} × {crossed.attributes['time'][number]}"
            of = table.classes[table.y[number]]
            if of == label and value == ("other" if own.endswith("dusk") else own):
                mine.append(right[k])
        assert (group.n, group.value) == (len(mine), pytest.approx(np.mean(mine)))
    assert sum(group.n for group in row.groups) == len(rows.test)
    assert row.averages.group_mean is not None
    assert row.notes[0].startswith("groups are those of 'place' and 'time' together; ")
    assert " have fewer than 10 images to evaluate, pooled as 'other'" in row.notes[0]


def test_without_test_rows_cells_are_counted_on_validation_rows(crossed: FeatureTable) -> None:
    split = np.where(crossed.split == "test", "validation", "train")
    (of_test, column), (of_validation, _) = (
        with_groups(replace(crossed, split=one), "place,time") for one in (crossed.split, split)
    )
    assert column is not None
    assert np.array_equal(of_validation.values(column), of_test.values(column))
    assert len(set(of_test.values(column))) > 2


def test_only_groups_that_have_rows_are_named(crossed: FeatureTable) -> None:
    table, column = with_groups(crossed, "place,time")
    every = np.arange(len(table))
    on = evaluated_rows(table, replace(parts(table, "train"), test=every), column)
    assert sorted(on.group_names) == sorted(set(table.groups("place,time", every)))
    assert on.group_codes is not None
    assert [on.group_names[code] for code in on.group_codes] == table.groups("place,time", every).tolist()
    labels, values = np.array(["p", "q"]), np.array(["a", "b"])
    assert group_names(["p", "q"], values) == ["p / a", "p / b", "q / a", "q / b"]
    assert group_names(["p", "q"], values, labels) == ["p / a", "q / b"]
    found = on.figures(on.y, None)
    assert [rate.name for rate in found["recall"].groups] == on.group_names


def test_an_audit_of_arrays_takes_several_attributes(crossed: FeatureTable) -> None:
    X, y = crossed.features(np.arange(600)), crossed.labels(np.arange(600))
    found = audit(X, y, groups=crossed.attributes, group_by="place,time", vocabulary=Path("none"))
    assert any(" × " in group.name for group in found.groups)
    assert all(group.n >= 10 for group in found.groups if not group.name.endswith("other"))
    assert any("pooled as 'other'" in note for note in found.notes)
    assert {probe.attribute for probe in found.probes} <= {"place", "time"}


@pytest.mark.parametrize("used_for", ["evaluation", "training"])
def test_a_combination_may_be_used_for_no_more_than_its_parts(crossed: FeatureTable, used_for: str) -> None:
    def about(column: str, use: str) -> EstimatedColumn:
        fields = {"column": column, "question": "?", "answers": 40, "error": 0.1, "low": 0.0, "high": 0.3}
        return EstimatedColumn.model_validate({**fields, "used_for": use})

    estimated = {"place": about("place", "training"), "time": about("time", used_for)}
    table, column = with_groups(replace(crossed, estimated=estimated), "place,time")
    assert column is not None
    kept = kept_from_training(table, column)
    assert (kept is not None) == (used_for == "evaluation")
    on = evaluated_rows(table, parts(table, "train"), column)
    row = result_row(on, np.ones(200, bool), None, method="m", seed=0)
    assert row.group_labels_from is not None
    assert row.group_labels_from.used_for == used_for
    assert len(row.notes) == 2
