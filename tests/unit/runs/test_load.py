"""A run folder is a fitted scikit-learn estimator again."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import evenhand
from evenhand import EvenhandError, FeatureTable
from evenhand.data.store_layout import sealed
from evenhand.runs.fit import FitOptions, fit, fit_row


@pytest.fixture
def run(table: FeatureTable, tmp_path: Path) -> Path:
    fit(table, method="cfr", out=tmp_path / "run", params={"folds": 2})
    return tmp_path / "run"


def test_it_gives_what_the_method_gave(table: FeatureTable, run: Path) -> None:
    method = fit_row(table, "cfr", 0, FitOptions(params={"folds": 2})).estimator
    loaded, X = evenhand.load_run(run), table.features(table.rows("test"))
    assert loaded.classes_.tolist() == method.classes_.tolist() == ["gull", "jay"]
    assert loaded.predict(X).tolist() == method.predict(X).tolist()
    assert np.array_equal(loaded.predict_proba(X), method.predict_proba(X))
    assert np.array_equal(loaded.transform(X), method.transform(X))
    assert loaded.n_features_in_ == 8
    assert loaded.history_ == method.history_
    assert loaded.kept_ == json.loads(json.dumps(method.kept_))


def test_it_declares_what_the_run_used(table: FeatureTable, tmp_path: Path) -> None:
    fit(table, method="dfr", out=tmp_path / "run")
    loaded = evenhand.load_run(str(tmp_path / "run"))
    assert (loaded.method_, loaded.group_labels_used, loaded.needs) == ("dfr", "validation", ("groups",))


def test_probabilities_are_the_softmax_of_the_logits(table: FeatureTable, run: Path) -> None:
    X = table.features(table.rows("test"))
    loaded = evenhand.load_run(run)
    assert np.allclose(loaded.predict_proba(X), softmax(loaded.model_.logits(X), axis=1), atol=1e-6)


def test_it_stands_in_pipelines_and_is_never_refitted(table: FeatureTable, run: Path) -> None:
    train, test = table.rows("train"), table.rows("test")
    loaded = evenhand.load_run(run)
    before = loaded.predict(table.features(test))
    assert clone(loaded) is loaded
    assert loaded.fit(table.features(train), np.roll(table.labels(train), 1)) is loaded
    assert loaded.predict(table.features(test)).tolist() == before.tolist()
    whole = make_pipeline(FunctionTransformer(), loaded).fit(table.features(train), table.labels(train))
    assert whole.predict(table.features(test)).tolist() == before.tolist()
    assert whole.predict_proba(table.features(test)).shape == (len(test), 2)
    probe = make_pipeline(loaded, LogisticRegression())
    assert cross_val_score(probe, table.features(train), table.labels(train), cv=3).mean() > 0.7


def test_features_of_another_width_are_refused(run: Path) -> None:
    with pytest.raises(ValueError, match="X has 3 features, but FittedRun is expecting 8"):
        evenhand.load_run(run).predict(np.zeros((2, 3), dtype=np.float32))


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("card.json", "{", "card.json cannot be read"),
        ("card.json", "[" * 100_000, "card.json cannot be read"),
        ("card.json", "[]", "card.json holds no object"),
        ("card.json", '{"schema": 1, "kind": "run"}', r"card\.json is malformed at method: Field required"),
        ("card.json", '{"schema": 7, "kind": "run"}', "card schema 7; this version reads runs of schema 1"),
        ("results.json", "{}", r"results\.json was changed since the fit; run fit again"),
        ("bundle.safetensors", "", r"bundle\.safetensors was changed since the fit; run fit again"),
    ],
)
def test_a_damaged_run_is_refused(run: Path, name: str, content: str, sentence: str) -> None:
    (run / name).write_text(content)
    with pytest.raises(EvenhandError, match=sentence):
        evenhand.load_run(run)


def test_a_card_edited_by_hand_or_without_its_files_is_refused(run: Path) -> None:
    card = run / "card.json"
    (run / "history.parquet").rename(run / "kept")
    with pytest.raises(
        EvenhandError, match=r"history\.parquet cannot be read \(No such file .*; run fit again"
    ):
        evenhand.load_run(run)
    card.write_text(card.read_text().replace('"seed": 0', '"seed": 1'))
    with pytest.raises(EvenhandError, match=r"card\.json was changed since the fit; run fit again"):
        evenhand.load_run(run)


@pytest.mark.parametrize("name", ["../card.json", "/dev/zero", "sub/x.json", "x.json\n"])
def test_a_card_has_no_file_outside_its_folder_read(run: Path, name: str) -> None:
    card = json.loads((run / "card.json").read_text())
    del card["checksum"]
    card["files"][name] = "0" * 64
    (run / "card.json").write_text(sealed(card))
    with pytest.raises(EvenhandError, match=r"(?s)card\.json is malformed at files\..*; run fit again"):
        evenhand.load_run(run)


def test_a_pipe_in_a_run_is_refused_and_not_waited_for(run: Path) -> None:
    (run / "history.parquet").unlink()
    os.mkfifo(run / "history.parquet")
    with pytest.raises(EvenhandError, match=r"history\.parquet is not a regular file; run fit again"):
        evenhand.load_run(run)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("results.json", '{"schema": 2, "rows": [{}]}', "is not what fit writes, schema 1 and one row"),
        ("results.json", '{"schema": 1, "rows": []}', "is not what fit writes, schema 1 and one row"),
        ("results.json", '{"schema": 1, "rows": [7]}', r"results\.json is malformed at its row"),
        ("results.json", '{"schema": 1, "rows": [{"seed": "x"}]}', r"results\.json is malformed at method"),
        ("history.parquet", "", "history.parquet cannot be read"),
    ],
)
def test_a_forged_run_is_refused(
    run: Path, name: str, content: str, sentence: str, reseal: Callable[..., None]
) -> None:
    (run / name).write_text(content)
    reseal(run)
    with pytest.raises(EvenhandError, match=sentence):
        evenhand.load_run(run)
