"""What no split divides stays whole in every draw of rows."""

from dataclasses import replace

import numpy as np

from evenhand import FeatureTable, load_store
from evenhand.data.embeddings import import_embeddings
from evenhand.data.partition import held_out, parts
from evenhand.runs.fit import fit_row
from evenhand.runs.temperature import rows_for_temperature


def by_patient(table: FeatureTable) -> FeatureTable:
    return replace(table, units=np.array([f"p{row // 5}" for row in range(len(table))]))


def test_held_out_rows_share_no_unit_with_training(table):
    table = by_patient(table)
    assert table.units is not None
    rows = held_out(table, 0)
    assert not set(table.units[rows.train]) & set(table.units[rows.validation])
    rows, judged, _ = rows_for_temperature(table, parts(table, "train"), 0)
    assert not set(table.units[rows.train]) & set(table.units[judged])


def test_a_method_chooses_on_rows_that_share_no_unit_with_training(table):
    row, _, rows, _ = fit_row(by_patient(table), "cfr", 0)
    assert len(rows.validation) > 0
    assert "held-out training rows" in row.selection


def test_a_store_keeps_its_units(table, tmp_path):
    np.save(tmp_path / "X.npy", table.features(np.arange(len(table))))
    lines = [f"{table.classes[y]},p{row // 5},{row % 2}" for row, y in enumerate(table.y)]
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
    assert found.units[:6].tolist() == ["p0"] * 5 + ["p1"]
    assert list(found.attributes) == ["place"]
    assert all(len(set(found.split[found.units == unit])) == 1 for unit in set(found.units))
    assert "the images of each of the 120 values of 'patient' are drawn into one split" in found.card["notes"]
