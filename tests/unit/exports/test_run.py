"""What an export refuses, and that it leaves a whole folder or none."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

import evenhand
from evenhand import EvenhandError, export
from evenhand.backbones.projection import LinearProjection
from evenhand.cli.app import app
from evenhand.methods._training.model import Model
from evenhand.methods.bundle import read_bundle, write_bundle

from .conftest import COSINES, MakeRun


def test_the_command_writes_and_tells(make_run: MakeRun, tmp_path: Path) -> None:
    arguments = ["export", str(make_run("vit")), "--to", "open_clip", "--out"]
    done = CliRunner().invoke(app, [*arguments, str(tmp_path / "a"), "--json"])
    found = json.loads(done.stdout)
    assert found["files"] == ["README.md", "open_clip_config.json", "open_clip_model.safetensors"]
    assert found["largest_difference"] < 1e-4
    done = CliRunner().invoke(app, [*arguments, str(tmp_path / "b")])
    assert "logits differ from the run's by at most" in done.stdout
    assert {path.name for path in tmp_path.iterdir()} == {"a", "b"}


@pytest.mark.parametrize("target", ["open_clip", "transformers", "onnx"])
def test_cosines_agree_at_the_logit_scale_of_pretrained_models(
    make_run: MakeRun, tmp_path: Path, target: str
) -> None:
    run = make_run("vit-sharp", "zero_shot")
    scale = read_bundle(run / "bundle.safetensors")[0].logit_scale
    assert scale == pytest.approx(100)
    assert export(run, target, tmp_path / "out")["largest_difference"] / scale < COSINES


def test_a_folder_that_holds_something_is_left_alone(make_run: MakeRun, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    for name in ("out", "file"):
        with pytest.raises(
            EvenhandError, match=f"out: .*{name} exists and is not an empty folder; name a new one"
        ):
            export(make_run("vit"), "open_clip", tmp_path / name)
    assert (tmp_path / "out" / "mine.txt").read_text() == "mine"


def test_an_empty_folder_is_filled(make_run: MakeRun, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    export(make_run("vit"), "open_clip", tmp_path / "out")
    assert (tmp_path / "out" / "README.md").is_file()


def test_an_unknown_target_is_refused(make_run: MakeRun, tmp_path: Path) -> None:
    with pytest.raises(
        EvenhandError, match="to: 'keras' is unknown; the allowed values are open_clip, transformers, onnx"
    ):
        export(make_run("vit"), "keras", tmp_path / "out")


def test_a_failure_leaves_nothing(make_run: MakeRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("evenhand.exports.openclip.save_weights", full)
    with pytest.raises(EvenhandError, match=r"cannot write .*out: No space left on device"):
        export(make_run("vit"), "open_clip", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def copy_of(run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(run, tmp_path / "copy"))


def test_other_logits_are_refused(
    make_run: MakeRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reseal: Callable[..., None]
) -> None:
    monkeypatch.setattr("evenhand.exports.openclip.write_scale", lambda source, model: None)
    run = copy_of(make_run("vit"), tmp_path)
    model, classes = read_bundle(run / "bundle.safetensors")
    scaled = Model(model.projection, model.prototypes, model.intercept, 2 * model.logit_scale)
    write_bundle(run / "bundle.safetensors", scaled, classes)
    reseal(run)
    with pytest.raises(
        EvenhandError, match=r"to: the logits of open_clip differ from the run's by .* nothing was"
    ):
        export(run, "open_clip", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_projection_without_a_place_is_refused(
    make_run: MakeRun, tmp_path: Path, reseal: Callable[..., None]
) -> None:
    run = copy_of(make_run("vit"), tmp_path)
    model, classes = read_bundle(run / "bundle.safetensors")
    biased = LinearProjection(model.projection.weight, torch.ones(32))
    write_bundle(run / "bundle.safetensors", Model(biased, model.prototypes, model.intercept, 1.0), classes)
    reseal(run)
    with pytest.raises(
        EvenhandError, match=r"no place for the projection of method 'erm' \(.*shapes.*use `to='onnx'`"
    ):
        export(run, "open_clip", tmp_path / "out")
    export(run, "onnx", tmp_path / "onnx")


def test_features_of_another_width_are_refused(
    make_run: MakeRun, tmp_path: Path, reseal: Callable[..., None]
) -> None:
    run = copy_of(make_run("vit"), tmp_path)
    model, classes = read_bundle(run / "bundle.safetensors")
    narrow = LinearProjection(model.projection.weight[:-1])
    write_bundle(run / "bundle.safetensors", Model(narrow, model.prototypes, model.intercept, 1.0), classes)
    reseal(run)
    with pytest.raises(EvenhandError, match=r"takes features of width 47.*run fit again"):
        export(run, "open_clip", tmp_path / "out")


def test_imported_embeddings_have_no_model(tmp_path: Path) -> None:
    np.save(tmp_path / "X.npy", np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32))
    rows = ["label,split", *(f"{'ab'[k % 2]},{'train' if k < 30 else 'test'}" for k in range(40))]
    (tmp_path / "rows.csv").write_text("\n".join(rows))
    table = evenhand.import_embeddings(
        [tmp_path / "X.npy"], tmp_path / "rows.csv", label_column="label", out=tmp_path / "s"
    )
    evenhand.fit(table, method="zero_shot", out=tmp_path / "run")
    with pytest.raises(
        EvenhandError, match="fitted on imported embeddings, whose model evenhand does not have"
    ):
        export(tmp_path / "run", "onnx", tmp_path / "out")


def test_a_card_that_tells_no_model_is_refused(
    make_run: MakeRun, tmp_path: Path, reseal: Callable[..., None]
) -> None:
    run = copy_of(make_run("vit"), tmp_path)
    card = json.loads((run / "card.json").read_text())
    del card["store_card"]["site"]
    reseal(run, store_card=card["store_card"])
    with pytest.raises(EvenhandError, match="the run's card lacks 'site' of the model; run fit again"):
        export(run, "open_clip", tmp_path / "out")
