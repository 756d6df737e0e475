"""The model that made a store, found again by its card, also from another folder and after it moved."""

from pathlib import Path
from typing import Any

import open_clip
import pytest
from PIL import Image
from safetensors.torch import load_file, save_file
from tests.small_open_clip import write_open_clip

from evenhand import EvenhandError, Manifest, embed, fit
from evenhand.audits.error_analysis import analyze_run
from evenhand.backbones.from_card import backbone_of, with_model_at
from evenhand.backbones.load import load_backbone
from evenhand.exports.run import export
from evenhand.runs.predict import predict

WEIGHTS = "open_clip_model.safetensors"


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return write_open_clip("vit", tmp_path / "model")


@pytest.fixture
def card(model: Path) -> dict[str, Any]:
    return load_backbone("local-dir:./model").card()


def changed(model: Path) -> None:
    tensors = load_file(model / WEIGHTS)
    tensors["visual.proj"] = tensors["visual.proj"] + 1
    save_file(tensors, model / WEIGHTS)


def test_a_model_is_found_from_another_folder(
    card: dict[str, Any],
    model: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert card["model"] == f"local-dir:{model}"
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert backbone_of(card, "cpu").card() == card


def test_a_model_that_moved_is_named_anew(card: dict[str, Any], model: Path) -> None:
    model.rename("moved")
    with pytest.raises(
        EvenhandError, match=r"'local-dir:.*/model', is no longer there; put it back, or give"
    ):
        backbone_of(card, "cpu")
    for name in ("moved", "local-dir:moved"):
        found = backbone_of(with_model_at(card, name), "cpu").card()
        assert found["weights_sha256"] == card["weights_sha256"]
        assert found["model"] == f"local-dir:{model.with_name('moved')}"


def test_other_weights_name_both(card: dict[str, Any], model: Path) -> None:
    changed(model)
    before = card["weights_sha256"][:12]
    with pytest.raises(
        EvenhandError, match=rf"other weights \([0-9a-f]{{12}}\) than .* \({before}\); name the same"
    ):
        backbone_of(card, "cpu")


def test_a_checkpoint_keeps_its_path_its_preprocessing_and_its_activation(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = open_clip.get_model_config("local-dir:model")
    monkeypatch.setitem(open_clip.factory._MODEL_CONFIGS, "small-vit", {**config, "quick_gelu": False})
    Path("m.safetensors").write_bytes((model / WEIGHTS).read_bytes())
    given = {
        "preprocess": "mean=0,std=1,interpolation=bilinear,resize_mode=squash",
        "activation": "quickgelu",
    }
    card = load_backbone("small-vit", "m.safetensors", **given).card()  # type: ignore[arg-type]
    assert card["pretrained"] == str(Path("m.safetensors").absolute())
    assert backbone_of(card, "cpu").card() == card
    Path("m.safetensors").rename("n.safetensors")
    with pytest.raises(EvenhandError, match=r"'small-vit' with '.*/m.safetensors', is no longer there"):
        backbone_of(card, "cpu")
    found = backbone_of(with_model_at(card, "n.safetensors"), "cpu").card()
    assert {**found, "pretrained": None} == {**card, "pretrained": None}


def test_imported_embeddings_have_no_model_to_name() -> None:
    with pytest.raises(EvenhandError, match="model: x cannot be used with a run on imported embeddings"):
        with_model_at({"family": "import"}, "x")


def test_predict_export_and_report_take_the_new_place(model: Path) -> None:
    for k in range(12):
        Path("photos", "ab"[k % 2]).mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 40), (20 * k, 100, 255 * (k % 2))).save(f"photos/{'ab'[k % 2]}/{k}.png")
    table = embed(Manifest.read("photos"), load_backbone("model"), "x.store", workers=0)
    run = Path("x.run")
    fit(table, method="erm", out=run)
    model.rename("moved")
    with pytest.raises(EvenhandError, match="is no longer there"):
        predict(run, "photos", out="p.csv", workers=0)
    assert predict(run, "photos", out="p.csv", workers=0, model="moved")["rows"] == 12
    assert export(run, "open_clip", Path("out"), model="moved")["largest_difference"] < 1e-3
    view = analyze_run(run, model="moved")
    for seen in (view.models.run.card["store_card"], view.models.table.card):
        assert seen["model"] == f"local-dir:{model.with_name('moved')}"
    changed(Path("moved"))
    with pytest.raises(EvenhandError, match="other weights"):
        predict(run, "photos", out="p.csv", workers=0, model="moved")


@pytest.mark.parametrize("precision", ["x" * 500, 8])
def test_a_card_with_an_unknown_precision_is_refused(card: dict[str, Any], precision: object) -> None:
    with pytest.raises(
        EvenhandError, match=r"^the run's card has precision .{1,20}, which no model has"
    ) as found:
        backbone_of({**card, "precision": precision}, "cpu")
    assert type(found.value) is EvenhandError, "no option of the command has that value"
