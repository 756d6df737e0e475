"""Groups of several attributes, from the table to a row of results."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evenhand import EvenhandError, FeatureTable, audit
from evenhand.data.estimated import EstimatedColumn
from evenhand.data.groups import Groups
from evenhand.data.partition import parts
from evenhand.evaluation.evaluated_rows import EvaluatedRows
from evenhand.runs.group_use import kept_from_training


@pytest.fixture
def crossed(table: FeatureTable) -> FeatureTable:
    """A second attribute with few rows at dusk, and a jay at dusk that only trains."""
    time = np.where(np.arange(600) % 3 == 0, "night", "day")
    time[396:403] = "dusk"
    return replace(table, attributes={**table.attributes, "time": time})


def grouped(table: FeatureTable, group_by: str | None) -> Groups:
    found = table.with_groups(group_by).grouped
    assert found is not None
    return found


def test_the_first_attribute_makes_the_groups_unless_another_is_named(crossed: FeatureTable) -> None:
    for group_by, name in ((None, "place"), ("time", "time")):
        found = grouped(crossed, group_by)
        assert found.column == name
        assert found.values is crossed.attributes[name]
        assert found.of(np.arange(20)).tolist() == crossed.groups(name, np.arange(20)).tolist()
    assert replace(crossed, attributes={}).with_groups(None).grouped is None
    with pytest.raises(
        EvenhandError, match="group_by: 'sky' is not an attribute of this store; it has: place"
    ):
        crossed.with_groups("time, sky")
    with pytest.raises(EvenhandError, match="group_by: 'time,time' names an attribute twice; give each once"):
        crossed.with_groups("time,time")


def test_rates_of_combinations_are_those_of_a_loop(crossed: FeatureTable) -> None:
    table = crossed.with_groups("place, time")
    assert grouped(crossed, "place, time").column == "place,time"
    rows = parts(table, "train")
    right = np.arange(len(rows.test)) % 5 > 0
    row = EvaluatedRows.of(table, rows).result_row(right, None, method="mine", seed=0)
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
    of_test, of_validation = (
        grouped(replace(crossed, split=one), "place,time").values for one in (crossed.split, split)
    )
    assert np.array_equal(of_validation, of_test)
    assert len(set(of_test)) > 2


def test_only_groups_that_have_rows_are_named(crossed: FeatureTable) -> None:
    table = crossed.with_groups("place,time")
    every = np.arange(len(table))
    on, own = (
        EvaluatedRows.of(table, replace(parts(table, "train"), test=every)),
        grouped(crossed, "place,time"),
    )
    assert on.groups is not None
    assert sorted(on.group_names) == sorted(set(on.groups.tolist()))
    assert on.group_codes is not None
    assert [on.group_names[code] for code in on.group_codes] == own.of(every).tolist()
    few = Groups("place", np.array(["b", "a", ""]), np.array([0, 1, 0]), ["p", "q"])
    assert few.names == ["p / a", "p / b", "q / a", "q / b"]
    assert replace(few, crossed=own.crossed).names == ["p / b", "q / a"]
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
    table = replace(crossed, estimated=estimated).with_groups("place,time")
    kept = kept_from_training(grouped(replace(crossed, estimated=estimated), "place,time"))
    assert (kept is not None) == (used_for == "evaluation")
    on = EvaluatedRows.of(table, parts(table, "train"))
    row = on.result_row(np.ones(200, bool), None, method="m", seed=0)
    assert row.group_labels_from is not None
    assert row.group_labels_from.used_for == used_for
    assert len(row.notes) == 2
