"""The graph gives the run's logits for any batch, and tells what goes in and what comes out."""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from evenhand import EvenhandError
from evenhand.exports.run import export
from evenhand.methods.bundle import read_bundle
from evenhand.runs.card import read_card, run_backbone

from .conftest import CLASSES, MakeRun


@pytest.mark.parametrize(
    ("kind", "method", "site"),
    [
        ("vit", "linear_probe", None),
        ("resnet", "erm", "attnpool"),
        ("siglip", "erm", None),
        ("coca", "erm", None),
        ("vit", "contrastive_adapter", None),
    ],
)
def test_the_graph_gives_the_runs_logits(
    make_run: MakeRun, tmp_path: Path, kind: str, method: str, site: str | None
) -> None:
    run = make_run(kind, method, site)
    export(run, "onnx", tmp_path / "out")
    session = onnxruntime.InferenceSession(str(tmp_path / "out" / "model.onnx"))
    model, _ = read_bundle(run / "bundle.safetensors")
    backbone = run_backbone(read_card(run), "cpu")
    (entry,) = session.get_inputs()
    for batch in (1, 2, 7):
        pixels = torch.randn(batch, *entry.shape[1:], generator=torch.Generator().manual_seed(batch))
        (logits,) = session.run(["logits"], {"pixels": pixels.numpy()})
        wanted = model.logits(backbone.trunk(pixels).numpy())
        assert logits.shape == (batch, 3)
        assert np.abs(logits - wanted).max() <= 1e-4


def test_the_metadata_tells_classes_and_preprocessing(
    make_run: MakeRun, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run = make_run("vit", "linear_probe")
    capfd.readouterr()
    export(run, "onnx", tmp_path / "out")
    assert capfd.readouterr() == ("", "")
    session = onnxruntime.InferenceSession(str(tmp_path / "out" / "model.onnx"))
    found = session.get_modelmeta().custom_metadata_map
    assert json.loads(found["classes"]) == list(CLASSES)
    told = json.loads(found["preprocessing"])
    assert told["size"] == [32, 32]
    assert (told["interpolation"], told["resize_mode"], told["mode"]) == ("bilinear", "shortest", "RGB")
    assert len(told["mean"]) == len(told["std"]) == 3
    assert found["method"] == "linear_probe"


def test_without_the_extra_it_is_named(
    make_run: MakeRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run("vit")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(EvenhandError, match=r"onnxruntime is not installed; .*evenhand\[onnx\]"):
        export(run, "onnx", tmp_path / "out")
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(EvenhandError, match=r"transformers is not installed; .*evenhand\[hf\]"):
        export(run, "transformers", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_what_the_exporter_cannot_express_is_one_sentence(
    make_run: MakeRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("no such\noperation")

    monkeypatch.setattr(torch.onnx, "export", fail)
    with pytest.raises(
        EvenhandError, match=r"to: onnx cannot express model 'local-dir:.*': no such operation"
    ):
        export(make_run("vit"), "onnx", tmp_path / "out")
