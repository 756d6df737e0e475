import dataclasses
import errno
import json
import os
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from evenhand import EvenhandError, FeatureTable
from evenhand.audits.pipeline import audit
from evenhand.data.partition import parts, with_held_out
from evenhand.evaluation.results import results_schema
from evenhand.methods.bundle import read_bundle, write_bundle
from evenhand.runs.card import is_run
from evenhand.runs.fit import FitOptions, fit, fit_row
from evenhand.runs.predict import predict


@pytest.mark.parametrize("method", ["zero_shot", "linear_probe", "erm", "cfr"])
def test_fit_writes_a_whole_run(table: FeatureTable, tmp_path: Path, method: str) -> None:
    results = fit(table, method=method, out=tmp_path / "run")
    written = json.loads((tmp_path / "run" / "results.json").read_text())
    jsonschema.validate(written, results_schema())
    (row,) = results.rows
    assert row.group_labels_used == "none"
    assert row.worst_group is not None
    assert row.averages.train_weighted is not None
    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert names == {
        "bundle.safetensors",
        "card.json",
        "results.json",
        "history.parquet",
        "calibration_set.parquet",
        *(["erm.safetensors"] if method == "cfr" else []),
    }


def test_a_run_keeps_what_its_method_started_from_and_tried(table: FeatureTable, tmp_path: Path) -> None:
    (row,) = fit(table, method="cfr", out=tmp_path / "run").rows
    erm, _ = read_bundle(tmp_path / "run" / "erm.safetensors")
    X = table.features(table.rows("test"))
    alone = fit_row(table, "erm", 0).estimator
    assert np.array_equal(erm.logits(X), alone.model_.logits(X))
    assert row.kept is not None
    assert len(row.grid) == row.kept["looked_at"]
    chosen = [trial for trial in row.grid if trial["candidate"] == row.kept["candidate"]]
    assert [trial["gain"] for trial in chosen] == [row.kept["gain"]] * len(chosen)
    card = json.loads((tmp_path / "run" / "card.json").read_text())
    assert "SGD(" in card["settings"]["erm"]
    assert {"reference", "calibration_set", "recipes", "evidence", "folds"} <= set(card["settings"])
    fit(table, method="erm", out=tmp_path / "run")
    assert not (tmp_path / "run" / "erm.safetensors").exists()


@pytest.mark.parametrize(("method", "params"), [("cfr", {}), ("contrastive_adapter", {"epochs": 4})])
def test_predict_gives_the_fitted_models_predictions(
    table: FeatureTable, tmp_path: Path, method: str, params: dict[str, int]
) -> None:
    fit(table, method=method, out=tmp_path / "run", params=params)
    X = table.features(table.rows("test"))
    np.save(tmp_path / "X.npy", X)
    found = predict(tmp_path / "run", features=tmp_path / "X.npy", out=tmp_path / "p.csv")
    model, classes = read_bundle(tmp_path / "run" / "bundle.safetensors")
    lines = (tmp_path / "p.csv").read_text().splitlines()
    assert lines[0] == "path,predicted,p_gull,p_jay"
    assert [line.split(",")[1] for line in lines[1:]] == [classes[k] for k in model.logits(X).argmax(axis=1)]
    assert found["rows"] == len(X)


def test_features_of_another_width_are_refused(table: FeatureTable, tmp_path: Path) -> None:
    fit(table, method="zero_shot", out=tmp_path / "run")
    np.save(tmp_path / "X.npy", np.zeros((2, 3), dtype=np.float32))
    with pytest.raises(EvenhandError, match="width 3 but the run takes 8"):
        predict(tmp_path / "run", features=tmp_path / "X.npy", out=tmp_path / "p.csv")
    assert not (tmp_path / "p.csv").exists()


def test_a_run_on_imported_embeddings_refuses_images(table: FeatureTable, tmp_path: Path) -> None:
    fit(table, method="zero_shot", out=tmp_path / "run")
    with pytest.raises(EvenhandError, match="fitted on imported embeddings"):
        predict(tmp_path / "run", tmp_path / "photos", out=tmp_path / "p.csv")


def test_predict_needs_images_or_features(table: FeatureTable, tmp_path: Path) -> None:
    fit(table, method="zero_shot", out=tmp_path / "run")
    with pytest.raises(EvenhandError, match="source: there are neither images nor features"):
        predict(tmp_path / "run", out=tmp_path / "p.csv")


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path, table: FeatureTable) -> None:
    with pytest.raises(EvenhandError, match=r"is not a run folder: it has no card\.json; make one with fit"):
        predict(tmp_path, tmp_path / "photos", out=tmp_path.parent / "p.csv")
    fit(table, method="zero_shot", out=tmp_path / "run")
    card = tmp_path / "run" / "card.json"
    card.write_text('{"schema": 9, "kind": "run"}')
    with pytest.raises(EvenhandError, match="card schema 9"):
        predict(tmp_path / "run", tmp_path / "photos", out=tmp_path / "p.csv")
    card.write_text('{"schema": 1, "kind": "store"}')
    with pytest.raises(
        EvenhandError, match=r"is not a run folder: its card\.json is of another kind; make one with fit"
    ):
        predict(tmp_path / "run", tmp_path / "photos", out=tmp_path / "p.csv")
    card.write_text("{")
    with pytest.raises(EvenhandError, match=r"card\.json cannot be read"):
        predict(tmp_path / "run", tmp_path / "photos", out=tmp_path / "p.csv")
    (tmp_path / "note.txt").write_text("mine")
    with pytest.raises(EvenhandError, match="exists and is not a run folder"):
        fit(table, method="erm", out=tmp_path)


def test_a_store_is_not_taken_for_a_run(table: FeatureTable, tmp_path: Path) -> None:
    card = '{"schema": 1, "kind": "store"}'
    (tmp_path / "card.json").write_text(card)
    with pytest.raises(EvenhandError, match="exists and is not a run folder"):
        fit(table, method="zero_shot", out=tmp_path)
    assert (tmp_path / "card.json").read_text() == card


def test_a_run_replaces_a_run_and_leaves_other_files(table: FeatureTable, tmp_path: Path) -> None:
    fit(table, method="cfr", out=str(tmp_path / "run"))
    (tmp_path / "run" / "report.html").write_text("mine")
    fit(table, method="zero_shot", out=str(tmp_path / "run"))
    assert (tmp_path / "run" / "report.html").read_text() == "mine"
    assert json.loads((tmp_path / "run" / "card.json").read_text())["method"] == "zero_shot"


def test_a_fit_that_was_killed_is_no_run_and_may_be_done_again(table: FeatureTable, tmp_path: Path) -> None:
    out = tmp_path / "run"
    fit(table, method="zero_shot", out=out)
    left = out / ".files.0123456789abcdef.tmp"
    left.mkdir()
    (out / "card.json").replace(left / "card.json")
    with pytest.raises(EvenhandError, match=r"is not a run folder: it has no card\.json"):
        predict(out, features=tmp_path / "X.npy", out=tmp_path / "p.csv")
    fit(table, method="zero_shot", out=out)
    assert is_run(out)
    assert not left.exists()


@pytest.mark.parametrize("file", ["bundle.safetensors", "history.parquet", "results.json"])
def test_a_full_disk_leaves_no_half_run(
    table: FeatureTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    fit(table, method="zero_shot", out=tmp_path / "old")
    before = {path.name: path.read_bytes() for path in (tmp_path / "old").iterdir()}
    real = Path.replace

    def full(path: Path, target: Path) -> Path:
        if Path(target).name == file:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(path, target)

    monkeypatch.setattr(Path, "replace", full)
    for out in ("old", "new"):
        with pytest.raises(EvenhandError, match=r"cannot write .*: No space left on device"):
            fit(table, method="erm", out=tmp_path / out)
    assert {path.name: path.read_bytes() for path in (tmp_path / "old").iterdir()} == before
    assert not (tmp_path / "new").exists()


def test_no_permission_is_told_before_the_training(
    table: FeatureTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path)  # root may write anywhere
    sentence = rf"out: {tmp_path}/a/b cannot be written: no permission in {tmp_path}; name another folder"
    with pytest.raises(EvenhandError, match=sentence):
        fit(table, method="nope", out=tmp_path / "a" / "b")


@pytest.mark.parametrize(("method", "params"), [("cfr", {}), ("contrastive_adapter", {"epochs": 4})])
def test_bundle_round_trip_is_the_identity(
    table: FeatureTable, tmp_path: Path, method: str, params: dict[str, int]
) -> None:
    fit(table, method=method, out=tmp_path / "run", params=params)
    path = tmp_path / "run" / "bundle.safetensors"
    write_bundle(tmp_path / "again.safetensors", *read_bundle(path))
    assert (tmp_path / "again.safetensors").read_bytes() == path.read_bytes()


def test_same_seed_same_bytes(table: FeatureTable, tmp_path: Path) -> None:
    for name in ("a", "b"):
        fit(table, method="cfr", out=tmp_path / name, seed=3)
    first, second = (tmp_path / name / "bundle.safetensors" for name in ("a", "b"))
    assert first.read_bytes() == second.read_bytes()


def test_unknown_names_are_refused(table: FeatureTable, tmp_path: Path) -> None:
    cases = {
        "method: 'nope' is unknown": {"method": "nope"},
        "preset: 'wild' is unknown": {"method": "cfr", "params": {"preset": "wild"}},
        "takes no parameter 'depth'": {"method": "erm", "params": {"depth": 3}},
        "'colour' is not an attribute": {"method": "erm", "group_by": "colour"},
    }
    for sentence, arguments in cases.items():
        with pytest.raises(EvenhandError, match=sentence):
            fit(table, out=tmp_path / "run", **arguments)  # type: ignore[arg-type]


def test_splits_that_cannot_be_had_are_refused(table: FeatureTable) -> None:
    with pytest.raises(EvenhandError, match="needs a validation split"):
        parts(table, "given")
    alone = dataclasses.replace(table, split=np.full(len(table), "train"))
    with pytest.raises(EvenhandError, match="neither test nor validation"):
        parts(alone, "train")
    missing = dataclasses.replace(table, y=np.where(table.split == "train", 0, table.y))
    with pytest.raises(EvenhandError, match="class 'jay' has no training rows"):
        parts(missing, "train")


def test_training_rows_are_whole_until_a_method_needs_some_held_out(table: FeatureTable) -> None:
    rows = parts(table, "train")
    assert rows.train.tolist() == table.rows("train").tolist()
    assert len(rows.validation) == 0
    apart = with_held_out(table, rows, 0)
    assert sorted([*apart.train, *apart.validation]) == rows.train.tolist()
    assert len(apart.validation) == 80
    assert with_held_out(table, apart, 0) is apart


def test_the_oracle_receives_groups_and_says_so(table: FeatureTable) -> None:
    row = fit_row(table, "dfr", 0).row
    assert (row.group_labels_used, row.needs) == ("validation", ["groups"])
    assert row.selection == "worst_group, validation from train"
    assert row.worst_group is not None
    with pytest.raises(EvenhandError, match="method: dfr uses group labels, but the store has no attribute"):
        fit_row(dataclasses.replace(table, attributes={}), "dfr", 0)


def test_groups_in_training_hold_no_row_out(table: FeatureTable) -> None:
    quick = FitOptions(params={"epochs": 2})
    row, fitted, rows, _ = fit_row(table, "group_dro", 0, quick)
    assert (row.group_labels_used, row.needs, row.selection) == ("train", ["groups"], "none")
    assert len(rows.train) == 400
    assert len(fitted.groups_) == 4  # type: ignore[attr-defined]
    validated = dataclasses.replace(table, split=np.where(np.arange(600) < 100, "validation", table.split))
    rows = fit_row(validated, "group_dro", 0, dataclasses.replace(quick, validation_from="given")).rows
    assert (len(rows.train), len(rows.validation)) == (300, 100)


def test_the_row_says_on_what_the_candidate_was_chosen(table: FeatureTable) -> None:
    row = fit_row(table, "cfr", 0).row
    assert row.selection == "shortcut_cell on cross-fitted training rows"
    validated = dataclasses.replace(table, split=np.where(np.arange(600) < 100, "validation", table.split))
    row = fit_row(validated, "cfr", 0, FitOptions(validation_from="given")).row
    assert row.selection == "shortcut_cell on the given validation split"


def test_audit_needs_no_training(table: FeatureTable) -> None:
    row = audit(table, group_by="place")
    assert row.method == "zero_shot"
    assert [group.name for group in row.groups] == ["gull / sea", "gull / wood", "jay / sea", "jay / wood"]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("a.store", r"^table: 'a.store' is a path; read the store there with load_store\('a.store'\)$"),
        (np.zeros((4, 2)), r"^table: ndarray is no table; make one with FeatureTable.from_arrays\(X, y\)$"),
    ],
)
def test_what_is_no_table_is_refused(given: object, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(EvenhandError, match=sentence):
        fit(given, out=tmp_path / "x.run")  # type: ignore[arg-type]
    assert not (tmp_path / "x.run").exists()
