"""What no split divides stays whole in every draw of rows."""

from dataclasses import replace

import numpy as np

from evenhand import FeatureTable, load_store
from evenhand.data.own_embeddings import import_embeddings
from evenhand.data.partition import held_out, parts, shown_to, with_held_out, with_temperature
from evenhand.runs.fit import fit_row
from evenhand.runs.training import fit_arguments, unfitted


def by_patient(table: FeatureTable) -> FeatureTable:
    return replace(table, units=np.array([f"p{row // 5}" for row in range(len(table))]))


def test_held_out_rows_share_no_unit_with_training(table):
    table = by_patient(table)
    assert table.units is not None
    rows = held_out(table, 0)
    assert not set(table.units[rows.train]) & set(table.units[rows.validation])
    rows = with_temperature(table, parts(table, "train"), 0)
    assert not set(table.units[rows.train]) & set(table.units[rows.temperature])


def test_rows_for_the_temperature_are_drawn_apart_from_those_to_choose_on(table):
    rows = parts(table, "train")
    for_temperature = with_temperature(table, rows, 0).temperature
    to_choose_on = with_held_out(table, rows, 0).validation
    assert len(for_temperature) == len(to_choose_on)
    assert set(for_temperature) != set(to_choose_on)


def test_validation_rows_that_are_tested_on_are_shown_to_no_method(table):
    test = np.flatnonzero(table.split == "test")
    split = table.split.astype("<U10")
    split[test[::2]] = "validation"
    given = replace(table, split=split)
    untested = replace(table, split=np.where(split == "test", "validation", split))
    for one, seen in ((given, given.rows("validation")), (untested, held_out(untested, 0).validation)):
        rows = held_out(one, 0)
        assert shown_to(one, rows, "validation").validation.tolist() == seen.tolist()
        assert not set(seen) & set(rows.test)
        assert not len(shown_to(one, rows, "train").validation)


def test_copies_of_an_image_are_held_out_together_and_with_its_patient(table):
    n = len(table)
    copies = np.array([str(row % 50) if row < 100 else "" for row in range(n)])  # rows k and k + 50
    rows = held_out(replace(table, copies=copies), 0)
    sides = np.isin(np.arange(n), rows.validation)
    train = set(table.rows("train").tolist())
    pairs = [(row, row + 50) for row in range(50) if {row, row + 50} <= train]
    assert len({sides[one] for one, _ in pairs}) == 2
    assert all(sides[one] == sides[other] for one, other in pairs)
    both = replace(by_patient(table), copies=copies)
    codes = both.unit_codes(np.arange(n))
    assert codes[0] == codes[4] == codes[50] == codes[54] != codes[5]


def test_a_method_receives_what_belongs_together(table):
    table = by_patient(table)
    _, estimator = unfitted("auto", table, 0, {}, None)
    rows = parts(table, "train")
    given = fit_arguments(table, rows, estimator, "auto")["units"]
    assert given.tolist() == table.unit_codes(rows.train).tolist()
    row, *_ = fit_row(table, "auto", 0)
    assert "cross-fitted training rows" in row.selection


def test_a_store_keeps_its_units(table, tmp_path):
    np.save(tmp_path / "X.npy", table.features(np.arange(len(table))))
    units = ["NA" if row < 5 else f"p{row // 5}" for row in range(len(table))]
    lines = [f"{table.classes[y]},{units[row]},{row % 2}" for row, y in enumerate(table.y)]
    (tmp_path / "t.csv").write_text("\n".join(["label,patient,place", *lines]))
    import_embeddings(
        [tmp_path / "X.npy"],
        tmp_path / "t.csv",
        label_column="label",
        attribute_columns=["place"],
        split_by="patient",
        out=tmp_path / "s",
    )
    found = load_store(tmp_path / "s")
    assert found.units is not None
    assert found.units[:6].tolist() == ["NA"] * 5 + ["p1"]
    assert list(found.attributes) == ["place"]
    assert all(len(set(found.split[found.units == unit])) == 1 for unit in set(found.units))
    assert found.card["notes"][-3:-1] == [
        "the images of each of the 120 values of 'patient' are kept in one split",
        "the value NA of 'patient' may stand for unknown, but keeps 5 images together; leave it empty if so",
    ]


def test_a_store_keeps_its_copies(table, tmp_path):
    X = table.features(np.arange(len(table)))
    X[7] = X[3]
    np.save(tmp_path / "X.npy", X)
    lines = [f"r{row},{table.classes[y]},{row % 2}" for row, y in enumerate(table.y)]
    (tmp_path / "t.csv").write_text("\n".join(["id,label,place", *lines]))
    import_embeddings(
        [tmp_path / "X.npy"],
        tmp_path / "t.csv",
        label_column="label",
        attribute_columns=["place"],
        out=tmp_path / "s",
    )
    found = load_store(tmp_path / "s")
    assert found.copies is not None
    assert [found.copies[row] for row in (3, 4, 7)] == ["r3", "", "r3"]
    assert list(found.attributes) == ["place"]
