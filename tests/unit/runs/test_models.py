import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evenhand import EvenhandError, load_store
from evenhand.audits.evaluate import evaluate_models
from evenhand.data.known_labels import KnownLabels
from evenhand.runs.contents import RunContents, read_contents, store_of_run
from evenhand.runs.models import predicted_stages
from evenhand.runs.scores import Scores


@pytest.fixture
def run(small_run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(small_run, tmp_path / "x.run"))


def test_stages_are_zero_shot_erm_and_the_runs_own(run: Path) -> None:
    found = read_contents(run)
    table = store_of_run(found)
    rows = table.rows("test")
    stages = evaluate_models(table, 0, found).on_test
    assert [stage.name for stage in stages] == ["zero_shot", "erm", "cfr"]
    X, y = table.features(rows), table.y[rows]
    assert table.head.text is not None
    cosines = X @ table.head.text.T
    assert np.array_equal(stages[0].predicted, cosines.argmax(axis=1))
    for stage in stages:
        logits = stage.model.logits(X)
        assert np.array_equal(stage.right, logits.argmax(axis=1) == y)
        assert np.array_equal(stage.right, stage.margins > 0)
    (row,) = json.loads((run / "results.json").read_text())["rows"]
    assert stages[-1].right.mean() == pytest.approx(row["averages"]["plain"])


def test_a_run_without_erm_has_two_stages_and_no_rows_are_fine(
    run: Path, reseal: Callable[..., None]
) -> None:
    (run / "erm.safetensors").unlink()
    reseal(run)
    found = read_contents(run)
    assert list(found.models) == ["cfr"]
    table = store_of_run(found)
    assert len(predicted_stages(found.models, table, np.zeros(0, dtype=np.int64))[0].right) == 0


@pytest.mark.parametrize("started_from", ["erm", "itself", "nothing"])
def test_predictions_are_compared_with_the_erm_that_a_run_is_or_started_from(
    run: Path, started_from: str
) -> None:
    found = read_contents(run)
    table = store_of_run(found)
    rows = table.rows("test")
    known = KnownLabels(table.y[rows], table.labels(rows), {"place": table.attributes["place"][rows]})
    scores = Scores.of(run, found.card, table.classes, known, None)
    if started_from != "erm":
        method = "erm" if started_from == "itself" else "cfr"
        scores = replace(scores, erm=None, about={**scores.about, "method": method})
    X = table.features(rows)
    scores.add(range(len(rows)), found.models["cfr"].logits(X), X)
    difference, on_test = scores.as_dict()["difference_to_erm"], found.result["difference_to_erm"]
    if started_from == "nothing":
        assert difference is None
    else:
        assert difference["value"] == (pytest.approx(on_test["value"]) if started_from == "erm" else 0)


def test_images_without_a_class_of_the_run_are_in_no_group(run: Path) -> None:
    y = np.repeat([0, 1, -1, -1], 10)
    labels = np.repeat(["landbird", "waterbird", "penguin", ""], 10)
    columns = {"place": np.full(40, "land"), "time": np.full(40, "day")}
    known = KnownLabels(y, labels, columns)
    scores = Scores.of(run, read_contents(run).card, ["landbird", "waterbird"], known, "place,time")
    assert scores.grouped is not None
    assert scores.grouped.names == ["landbird / land × day", "waterbird / land × day"]
    assert scores.grouped.crossed is not None
    assert (scores.grouped.crossed.cells, scores.grouped.crossed.pooled) == (2, ())


def with_card(run: Path, **fields: Any) -> RunContents:
    found = read_contents(run)
    return replace(found, card={**found.card, **fields})


def test_a_store_that_moved_is_found_where_it_is_said_to_be(run: Path, tmp_path: Path) -> None:
    moved = Path(shutil.copytree(read_contents(run).card["store"], tmp_path / "moved.store"))
    gone = with_card(run, store=str(tmp_path / "gone.store"))
    with pytest.raises(
        EvenhandError,
        match=r"of .*x\.run is neither at .*gone\.store nor at .*give its new location as `store`",
    ):
        store_of_run(gone)
    assert len(store_of_run(gone, moved)) == len(load_store(moved))
    beside = with_card(run, store="/once/elsewhere/moved.store")
    assert store_of_run(beside).source == moved
    both = Path(shutil.copytree(moved, tmp_path / "elsewhere" / "moved.store"))
    assert store_of_run(with_card(run, store=str(both))).source == both
    (tmp_path / "gone.store").mkdir()
    with pytest.raises(EvenhandError, match=r"gone\.store is not a store"):
        store_of_run(gone)


def test_another_store_is_refused(run: Path) -> None:
    other = with_card(run, store_card={**read_contents(run).card["store_card"], "model": "another"})
    with pytest.raises(
        EvenhandError,
        match=r"^store .* is not the one that .* was fitted on; give the one that its card",
    ):
        store_of_run(other)
    classes = with_card(run, classes=["landbird", "seabird"])
    with pytest.raises(EvenhandError, match="is not the one that"):
        store_of_run(classes)


def test_a_run_that_names_no_store_asks_for_it(run: Path) -> None:
    with pytest.raises(EvenhandError, match="names no store; give its folder as `store`"):
        store_of_run(with_card(run, store=None))
