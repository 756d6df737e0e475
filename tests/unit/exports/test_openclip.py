"""An exported folder is a model of open_clip's that predicts what the run predicts."""

import json
from pathlib import Path
from typing import Any

import open_clip
import pytest
import torch
from PIL import Image
from tests.small_open_clip import MODELS
from torch.nn.functional import normalize

from evenhand import EvenhandError
from evenhand.backbones.load import load_backbone
from evenhand.backbones.openclip import load_openclip
from evenhand.backbones.projection import head_projection
from evenhand.exports.run import export
from evenhand.methods.bundle import read_bundle
from evenhand.runs.card import read_card, run_backbone

from .conftest import CLASSES, COSINES, TEMPLATES, MakeRun


def zero_shot(folder: Path, pixels: torch.Tensor, templates: list[str]) -> torch.Tensor:
    """Classify by open_clip alone, as its README does."""
    model, _, _ = open_clip.create_model_and_transforms(f"local-dir:{folder}")
    tokenizer = open_clip.get_tokenizer(f"local-dir:{folder}")
    model.eval()
    with torch.inference_mode():
        image = model.encode_image(pixels, normalize=True)
        texts = []
        for name in CLASSES:
            prompts = tokenizer([template.replace("{}", name) for template in templates])
            texts.append(normalize(model.encode_text(prompts, normalize=True).mean(0), dim=0))
        return model.logit_scale.exp() * image @ torch.stack(texts).T


def run_logits(run: Path, pixels: torch.Tensor) -> torch.Tensor:
    model, _ = read_bundle(run / "bundle.safetensors")
    backbone = run_backbone(read_card(run), "cpu")
    return torch.from_numpy(model.logits(backbone.trunk(pixels).numpy()))


def pixels_of(run: Path) -> torch.Tensor:
    backbone = run_backbone(read_card(run), "cpu")
    photos = sorted((run.parent / "photos").rglob("*.png"))[::8]
    return torch.stack([backbone.preprocess(Image.open(path)) for path in photos])


CASES = [*((kind, None) for kind in MODELS), ("resnet", "attnpool")]


@pytest.mark.parametrize(("kind", "site"), CASES, ids=lambda part: part or "")
def test_open_clip_alone_predicts_what_the_run_predicts(
    make_run: MakeRun, tmp_path: Path, kind: str, site: str | None
) -> None:
    run = make_run(kind, "erm", site)
    found = export(run, "open_clip", tmp_path / "out")
    pixels = pixels_of(run)
    wanted = run_logits(run, pixels)
    scale = read_bundle(run / "bundle.safetensors")[0].logit_scale
    assert found["largest_difference"] / scale < COSINES
    logits = zero_shot(tmp_path / "out", pixels, TEMPLATES)
    assert (logits - wanted).abs().max() / scale < COSINES
    # The run is trained: the pretrained model gives something else.
    before = head_projection(run_backbone(read_card(run), "cpu").head(CLASSES, read_prompts(run)))
    after = read_bundle(run / "bundle.safetensors")[0].projection
    assert any(
        (before.tensors()[name] - tensor).abs().max() > 1e-4 for name, tensor in after.tensors().items()
    )


def read_prompts(run: Path) -> dict[str, Any]:
    return dict(read_card(run)["store_card"]["prompts"])


def test_the_pictures_and_other_prompts_are_read_as_before(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run("vit")
    out = tmp_path / "out"
    export(run, "open_clip", out)
    backbone = run_backbone(read_card(run), "cpu")
    _, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{out}")
    photo = Image.open(next((run.parent / "photos").rglob("*.png")))
    assert torch.equal(preprocess(photo), backbone.preprocess(photo))
    other = zero_shot(out, pixels_of(run), ["a drawing of the {}"])
    text = backbone.head(CLASSES, {name: [f"a drawing of the {name}"] for name in CLASSES}).text
    model, _ = read_bundle(run / "bundle.safetensors")
    z = torch.from_numpy(model.embed(backbone.trunk(pixels_of(run)).numpy()))
    assert torch.allclose(other, model.logit_scale * z @ torch.tensor(text).T, atol=1e-4)


@pytest.mark.parametrize(("kind", "activation"), [("vit", "QuickGELU"), ("vit-gelu", "GELU")])
def test_activation_and_context_are_kept(
    make_run: MakeRun, tmp_path: Path, kind: str, activation: str
) -> None:
    export(make_run(kind), "open_clip", tmp_path / "out")
    card = load_openclip(f"local-dir:{tmp_path / 'out'}").card()
    assert card["activation"] == activation
    assert open_clip.get_tokenizer(f"local-dir:{tmp_path / 'out'}").context_length == 24


def test_an_export_may_be_exported_again(make_run: MakeRun, tmp_path: Path) -> None:
    export(make_run("siglip"), "open_clip", tmp_path / "out")
    config = json.loads((tmp_path / "out" / "open_clip_config.json").read_text())["model_cfg"]
    assert config["vision_cfg"]["timm_proj"] == "linear"
    again = load_openclip(f"local-dir:{tmp_path / 'out'}")
    model, _ = read_bundle(make_run("siglip") / "bundle.safetensors")
    assert torch.equal(again.site.projection.weight, model.projection.weight)


def test_the_words_that_a_model_knows_are_kept(make_run: MakeRun, tmp_path: Path) -> None:
    export(make_run("tiny"), "open_clip", tmp_path / "out")
    assert "meadow" in load_backbone("tiny").words == load_backbone(f"local-dir:{tmp_path / 'out'}").words


def test_tensors_are_readable_by_others_and_float32(make_run: MakeRun, tmp_path: Path) -> None:
    export(make_run("vit"), "open_clip", tmp_path / "out")
    (tmp_path / "probe").touch()
    file = tmp_path / "out" / "open_clip_model.safetensors"
    assert file.stat().st_mode == (tmp_path / "probe").stat().st_mode


def test_a_probe_is_no_text_head(make_run: MakeRun, tmp_path: Path) -> None:
    for target in ("open_clip", "transformers"):
        with pytest.raises(
            EvenhandError, match=f"to: {target} has no place for the head of method 'linear_pr"
        ):
            export(make_run("vit", "linear_probe"), target, tmp_path / "out")
    with pytest.raises(
        EvenhandError, match=r"no place for the projection of method 'contrastive_adapter' \("
    ):
        export(make_run("vit", "contrastive_adapter"), "open_clip", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
