"""A ResNet's whole attention pool, from pictures to predictions, and back in the model."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pytest
import torch
from open_clip.model import CLIP
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from typer.testing import CliRunner

from evenhand import EvenhandError, load_store
from evenhand.backbones.projection import head_projection
from evenhand.backbones.sites import write_projection
from evenhand.cli.app import app
from evenhand.data.images.decode import read_image
from evenhand.methods.bundle import read_bundle, write_bundle
from evenhand.methods.registry import make
from evenhand.runs.predict import predict

CONFIG: dict[str, Any] = {
    "embed_dim": 32,
    "vision_cfg": {"image_size": 64, "layers": [1, 1, 1, 1], "width": 8, "head_width": 16},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1},
}
WIDTH = 256 * 2 * 2


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small ResNet, two classes of photos that differ in colour, and a store of the photos' maps."""
    folder = tmp_path_factory.mktemp("attention-pool")
    (folder / "model").mkdir()
    (folder / "model/open_clip_config.json").write_text(
        json.dumps({"model_cfg": CONFIG, "preprocess_cfg": {}})
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        save_file(CLIP(**CONFIG).state_dict(), folder / "model/open_clip_model.safetensors")
    generator = np.random.default_rng(0)
    for name, red in (("fire", 150), ("sea", 0)):
        (folder / "photos" / name).mkdir(parents=True)
        for k in range(24):
            noise = generator.integers(0, 100, (8, 8, 3), dtype=np.uint8)
            noise[..., 0] += red
            Image.fromarray(noise).resize((64, 64)).save(folder / "photos" / name / f"{k}.png")
    run("embed", folder / "photos", "--model", f"local-dir:{folder / 'model'}", "--site", "attnpool")
    return folder


def run(command: str, source: Path, *options: object) -> None:
    """Run a command on `source`; what it makes lies beside it, under the command's name."""
    out = source.parent / command
    done = CliRunner().invoke(app, [command, str(source), "--out", str(out), *map(str, options)])
    assert done.exit_code == 0, (done.stderr, done.exception)


def test_the_store_holds_flattened_maps_and_the_pool(folder: Path) -> None:
    table = load_store(folder / "embed")
    assert table.card["site"] == "visual.attnpool"
    assert table.parts[0].dtype == np.float16
    assert table.width == table.head.width == WIDTH
    assert len(table.head.pool) == 6


@pytest.mark.parametrize("method", ["erm", "cfr"])
def test_predictions_are_those_of_the_model_that_it_was_written_back_into(folder: Path, method: str) -> None:
    options = ("--param", "epochs=3", "--param", "learning_rate=0.001") if method == "erm" else ()
    run("fit", folder / "embed", "--method", method, *options)
    predict(folder / "fit", folder / "photos", out=folder / "predictions.csv")
    fitted, classes = read_bundle(folder / "fit/bundle.safetensors")
    before = head_projection(load_store(folder / "embed").head).tensors()
    moved = {name for name, t in fitted.projection.tensors().items() if not torch.equal(t, before[name])}
    assert moved == set(before), "every tensor of the pool is trained"

    with (folder / "predictions.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    found = np.array([[float(row[f"p_{name}"]) for name in classes] for row in rows])
    model, _, transform = open_clip.create_model_and_transforms(f"local-dir:{folder / 'model'}")
    write_projection(model, fitted.projection)
    with torch.inference_mode():
        pixels = torch.stack([transform(read_image(folder / "photos" / row["path"])) for row in rows])
        z = model.eval().encode_image(pixels, normalize=True)
    own = torch.softmax(fitted.logit_scale * z @ torch.from_numpy(fitted.prototypes).T, dim=1)
    assert len(found) == 48
    assert np.abs(found - own.numpy()).max() < 1e-4


def test_a_bundle_of_a_pool_round_trips(folder: Path, tmp_path: Path) -> None:
    table = load_store(folder / "embed")
    rows = table.rows("train")
    model = make("zero_shot", head=table.head).fit(table.features(rows), table.labels(rows)).model_
    write_bundle(tmp_path / "a", model, ["fire", "sea"])
    again, classes = read_bundle(tmp_path / "a")
    write_bundle(tmp_path / "b", again, classes)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    X = table.features(rows)
    assert np.array_equal(again.logits(X), model.logits(X))


@pytest.mark.parametrize("name", ["gate", "query_weight"])
def test_a_bundle_of_an_unknown_projection_is_refused(folder: Path, tmp_path: Path, name: str) -> None:
    table = load_store(folder / "embed")
    rows = table.rows("train")
    model = make("zero_shot", head=table.head).fit(table.features(rows), table.labels(rows)).model_
    write_bundle(tmp_path / "b", model, ["fire", "sea"])
    tensors = load_file(tmp_path / "b")
    with safe_open(tmp_path / "b", framework="pt") as file:
        save_file({**tensors, name: torch.zeros(3)}, tmp_path / "b", metadata=file.metadata())
    with pytest.raises(EvenhandError, match=f"b holds a model that this version cannot read: .*{name}"):
        read_bundle(tmp_path / "b")


def test_the_linear_probe_stands_on_the_pretrained_pool(folder: Path) -> None:
    table = load_store(folder / "embed")
    rows = table.rows("train")
    X, y = table.features(rows), table.labels(rows)
    probe = make("linear_probe", head=table.head).fit(X, y)
    z = head_projection(table.head).embed(torch.from_numpy(X)).numpy()
    assert np.array_equal(probe.transform(X), z)
    assert probe.score(X, y) == 1


def test_features_of_another_site_are_refused(folder: Path, tmp_path: Path) -> None:
    run("fit", folder / "embed", "--method", "zero_shot")
    np.save(tmp_path / "X.npy", np.zeros((2, 256), dtype=np.float32))
    with pytest.raises(EvenhandError, match=f"width 256 but the run takes {WIDTH}"):
        predict(folder / "fit", features=tmp_path / "X.npy", out=tmp_path / "p.csv")
