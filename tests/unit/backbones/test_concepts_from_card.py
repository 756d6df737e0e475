"""Concept words from a YAML file to predictions, on a store of drawn scenes."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from evenhand import EvenhandError, FeatureTable, Manifest, load_store, load_tiny
from evenhand.backbones.concepts_from_card import concepts_for
from evenhand.cli.app import app
from evenhand.data.concepts import parse_concept_words
from evenhand.datasets.scenes import write_scenes
from evenhand.extract.embed_images import embed
from evenhand.runs.fit import FitOptions, fit_row

CONTENT = {"spurious": {"ground": ["water", "land"]}}


def run(*arguments: object, code: int = 0) -> Any:
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert done.exit_code == code, (done.stdout, done.stderr, done.exception)
    return done


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("words")
    photos = write_scenes(folder / "photos", seed=0, train=60, test=20)
    embed(Manifest.read(photos, seed=0), load_tiny(), folder / "birds.store")
    (folder / "words.yaml").write_text(json.dumps(CONTENT))
    return folder / "birds.store"


@pytest.mark.parametrize("method", ["orth_cal", "roboshot"])
def test_fit_with_words_then_predict(store: Path, method: str, tmp_path: Path) -> None:
    words, made = store.parent / "words.yaml", tmp_path / "words.run"
    run("fit", store, "--method", method, "--concepts", words, "--out", made)
    card = json.loads((made / "card.json").read_text())
    assert card["concept_words"]["spurious"] == CONTENT["spurious"]
    out = tmp_path / "predictions.csv"
    run("predict", made, store.parent / "photos" / "test", "--out", out, "--device", "cpu")
    assert len(out.read_text().splitlines()) == 21


def test_words_without_a_method_for_them_are_refused(store: Path, tmp_path: Path) -> None:
    words = store.parent / "words.yaml"
    done = run("fit", store, "--method", "erm", "--concepts", words, "--out", tmp_path / "x.run", code=1)
    assert done.stderr.startswith("error: --concepts: ")
    assert done.stderr.endswith("cannot be used with --method erm, which takes no words\n")
    done = run("fit", store, "--method", "roboshot", "--out", tmp_path / "x.run", code=1)
    assert "--concepts: roboshot needs concept words; give a YAML file" in done.stderr


def test_imported_embeddings_have_no_text_tower(table: FeatureTable) -> None:
    with pytest.raises(
        EvenhandError,
        match="concept words need the text tower of the store's model, but the store holds imported",
    ):
        concepts_for(table, parse_concept_words(CONTENT))


def test_words_of_another_model_are_refused(store: Path) -> None:
    table = load_store(store)
    concepts = concepts_for(table, parse_concept_words(CONTENT))
    row, fitted, _, _ = fit_row(table, "roboshot", 0, FitOptions(concepts=concepts))
    assert row.needs == ["text", "words"]
    assert not np.array_equal(fitted.model_.projection.weight.numpy(), table.head.weight)
    fit_row(table, "zero_shot", 0, FitOptions(concepts=concepts))
    with pytest.raises(EvenhandError, match="concepts: they were embedded by weights 0000 but the store was"):
        fit_row(table, "roboshot", 0, FitOptions(concepts=dataclasses.replace(concepts, weights="0000")))
