"""`fit --calibrate-confidence`: a temperature from rows that trained nothing, which changes no prediction."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from scipy.special import softmax

import evenhand
from evenhand import EvenhandError, FeatureTable
from evenhand.cli.results import confidence
from evenhand.data.partition import parts, with_temperature
from evenhand.functional.confidence import expected_calibration_error
from evenhand.runs.confidence import calibrate_confidence
from evenhand.runs.fit import FitOptions, fit, fit_row

WITH = FitOptions(calibrate_confidence=True)


@pytest.mark.parametrize("method", ["erm", "linear_probe"])
def test_the_bundle_holds_the_divided_logits(table: FeatureTable, tmp_path: Path, method: str) -> None:
    results = fit(table, method=method, out=tmp_path / "run", calibrate_confidence=True)
    found = results.rows[0].confidence
    assert found is not None
    assert json.loads((tmp_path / "run" / "results.json").read_text())["rows"][0]["confidence"]["bins"] == 15
    loaded, test = evenhand.load_run(tmp_path / "run"), table.rows("test")
    after = loaded.predict_proba(table.features(test))
    assert expected_calibration_error(after, table.y[test]) == pytest.approx(found.ece_after, abs=1e-6)
    logits = found.temperature * loaded.model_.logits(table.features(test)).astype(np.float64)
    before = expected_calibration_error(softmax(logits, axis=1), table.y[test])
    assert before == pytest.approx(found.ece_before, abs=1e-4)


def test_its_rows_trained_nothing(table: FeatureTable) -> None:
    rows = with_temperature(table, parts(table, "train"), 0)
    judged = rows.temperature
    assert judged is not None
    assert sorted([*rows.train, *judged]) == table.rows("train").tolist()
    row, _, used, _ = fit_row(table, "erm", 0, WITH)
    assert row.confidence is not None
    assert (row.confidence.n, row.confidence.found_on) == (80, "held-out training rows")
    assert used.train.tolist() == rows.train.tolist()
    plain = fit_row(
        dataclasses.replace(
            table, split=np.where(np.isin(np.arange(len(table)), judged), "none", table.split)
        ),
        "erm",
        0,
    ).row
    # Without those rows the same fit, and the same predictions: only the logits are divided.
    assert [rate.value for rate in row.groups] == [rate.value for rate in plain.groups]


def test_given_validation_rows_serve(table: FeatureTable) -> None:
    given = dataclasses.replace(table, split=np.where(np.arange(600) < 100, "validation", table.split))
    row, _, rows, _ = fit_row(given, "erm", 0, dataclasses.replace(WITH, validation_from="given"))
    assert row.confidence is not None
    assert (row.confidence.n, row.confidence.found_on) == (100, "validation rows")
    assert rows.train.tolist() == given.rows("train").tolist()


def test_without_the_option_nothing_changes(table: FeatureTable) -> None:
    row, _, rows, _ = fit_row(table, "erm", 0)
    assert row.confidence is None
    assert rows.train.tolist() == table.rows("train").tolist()
    assert confidence(row.model_dump()) == []


def test_without_an_error_there_is_nothing_to_learn(table: FeatureTable) -> None:
    _, method, rows, _ = fit_row(table, "erm", 0)
    right = rows.train[method.model_.logits(table.features(rows.train)).argmax(axis=1) == table.y[rows.train]]
    sure = dataclasses.replace(rows, temperature=right[:20])
    model, found = calibrate_confidence(method.model_, table, sure)
    assert (found.temperature, found.errors, model.logit_scale) == (1, 0, method.model_.logit_scale)
    (sentence,) = confidence({"confidence": found.model_dump()})
    assert (
        "temperature 1 from 20 held-out training rows, none of them wrong; expected calibration error"
        in sentence
    )


def test_too_few_rows_are_refused(table: FeatureTable) -> None:
    train = table.rows("train")[:8]
    split = np.where(np.isin(np.arange(len(table)), train), "train", "test")
    few = dataclasses.replace(table, split=split)
    with pytest.raises(EvenhandError, match="no class has 5 training rows; leave it out"):
        fit_row(few, "erm", 0, WITH)
