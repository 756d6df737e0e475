"""An exported folder is a CLIPModel of transformers' that predicts what the run predicts."""

from pathlib import Path
from typing import Any

import open_clip
import pytest
import torch
import transformers
from open_clip.tokenizer import SimpleTokenizer
from PIL import Image

from evenhand import EvenhandError
from evenhand.backbones.transformers import load_hf
from evenhand.exports.run import export
from evenhand.exports.transformers import _check_tokens
from evenhand.methods.bundle import read_bundle
from evenhand.runs.card import read_card, run_backbone

from .conftest import CLASSES, COSINES, TEMPLATES, MakeRun


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def logits_of_run(run: Path, pixels: torch.Tensor, templates: list[str]) -> torch.Tensor:
    model, _ = read_bundle(run / "bundle.safetensors")
    backbone = run_backbone(read_card(run), "cpu")
    prompts = {name: [template.replace("{}", name) for template in templates] for name in CLASSES}
    z = torch.from_numpy(model.embed(backbone.trunk(pixels).numpy()))
    return model.logit_scale * z @ torch.tensor(backbone.head(CLASSES, prompts).text).T


@pytest.mark.parametrize(("kind", "activation"), [("vit", "quick_gelu"), ("vit-gelu", "gelu")])
def test_transformers_alone_predicts_what_the_run_predicts(
    make_run: MakeRun, out: Path, kind: str, activation: str
) -> None:
    run = make_run(kind)
    export(run, "transformers", out)
    model = transformers.CLIPModel.from_pretrained(out).eval()
    processor = transformers.CLIPProcessor.from_pretrained(out)
    assert model.config.vision_config.hidden_act == model.config.text_config.hidden_act == activation
    assert model.config.text_config.max_position_embeddings == processor.tokenizer.model_max_length == 24
    pixels = torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    texts = processor.tokenizer(
        [f"a photo of a {name}." for name in CLASSES], padding=True, return_tensors="pt"
    )
    with torch.inference_mode():
        logits = model(**texts, pixel_values=pixels).logits_per_image
    wanted = logits_of_run(run, pixels, TEMPLATES[:1])
    assert (logits - wanted).abs().max() / model.logit_scale.exp() < COSINES


def test_the_pipeline_classifies_pictures(make_run: MakeRun, out: Path) -> None:
    run = make_run("vit")
    export(run, "transformers", out)
    photos = sorted((run.parent / "photos" / "test").rglob("*.png"))
    classify = transformers.pipeline("zero-shot-image-classification", model=str(out))
    found = classify(str(photos[0]), candidate_labels=list(CLASSES), hypothesis_template="a photo of a {}.")
    backbone = run_backbone(read_card(run), "cpu")
    pixels = backbone.preprocess(Image.open(photos[0]))[None]
    wanted = logits_of_run(run, pixels, TEMPLATES[:1]).softmax(dim=1)[0]
    scores = {entry["label"]: entry["score"] for entry in found}
    # The two resize by Pillow and by torchvision, which differ by a unit of 255 here and there.
    assert [scores[name] for name in CLASSES] == pytest.approx(wanted.tolist(), abs=2e-4)


def test_pictures_are_prepared_alike(make_run: MakeRun, out: Path) -> None:
    run = make_run("vit")
    export(run, "transformers", out)
    backbone = run_backbone(read_card(run), "cpu")
    images = transformers.AutoImageProcessor.from_pretrained(out)
    photos = [Image.open(photo) for photo in sorted((run.parent / "photos").rglob("*.png"))]
    own = torch.stack([backbone.preprocess(photo) for photo in photos])
    other = torch.stack([images(images=photo, return_tensors="pt")["pixel_values"][0] for photo in photos])
    units = ((own - other) * torch.tensor(images.image_std)[:, None, None] * 255).abs()
    # What the how-to says of resizing by Pillow and by torchvision.
    assert units.max() < 1.01
    assert (units > 0.5).float().mean() < 0.06
    before, after = (logits_of_run(run, pixels, TEMPLATES).softmax(dim=1) for pixels in (own, other))
    assert 0 < (before - after).abs().max() < 2e-4


@pytest.mark.parametrize(
    "text", ["a photo of a cat.", "Müller's  café, 12 years_old!", "naïve façade – ½", "x" * 200, "日本語 🐦"]
)
def test_prompts_are_read_as_open_clip_reads_them(make_run: MakeRun, out: Path, text: str) -> None:
    export(make_run("vit"), "transformers", out)
    tokenizer = transformers.AutoTokenizer.from_pretrained(out)
    wanted = SimpleTokenizer(context_length=24)(text)
    tokens = tokenizer([text], padding="max_length", truncation=True, return_tensors="pt").input_ids
    _check_tokens([text], tokens, wanted)


def test_prompts_that_are_read_in_another_way_are_refused() -> None:
    tokens = open_clip.tokenize(["a cat", "a dog"])
    with pytest.raises(
        EvenhandError, match="tokenizes the prompt 'a cat' differently from open_clip; use plain"
    ):
        _check_tokens(["a cat", "a dog"], tokens.flip(0), tokens)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("resnet", "its image tower is a ModifiedResNet"),
        ("timm-linear", "its image tower is a TimmModel"),
        ("siglip", "its image tower is a TimmModel"),
        ("vit-average", "its pooling is not CLIP's"),
        ("coca", "it is not a CLIP of open_clip's own towers"),
    ],
)
def test_families_without_a_place_are_refused(make_run: MakeRun, out: Path, kind: str, reason: str) -> None:
    with pytest.raises(
        EvenhandError, match=f"no place for model .*: {reason}; use `to='open_clip'` or `to='onnx'`"
    ):
        export(make_run(kind), "transformers", out)
    assert not out.exists()


def with_other(run: Path, monkeypatch: pytest.MonkeyPatch, change: Any) -> None:
    """Let exports of a run see its backbone changed."""
    backbone = run_backbone(read_card(run), "cpu")
    change(backbone)
    monkeypatch.setattr("evenhand.exports.source.run_backbone", lambda *_, **__: backbone)


def test_other_tokenizers_paddings_and_blocks_are_refused(
    make_run: MakeRun, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run("vit")
    with_other(
        run, monkeypatch, lambda b: setattr(b, "tokenizer", lambda texts: open_clip.tokenize(texts, 24))
    )
    with pytest.raises(EvenhandError, match="its tokenizer is not CLIP's"):
        export(run, "transformers", out)
    with_other(run, monkeypatch, lambda b: b.model.visual.preprocess_cfg.update(resize_mode="longest"))
    with pytest.raises(EvenhandError, match="it pads images"):
        export(run, "transformers", out)
    with_other(run, monkeypatch, lambda b: b.model.register_buffer("more", torch.zeros(1)))
    with pytest.raises(EvenhandError, match="its transformer blocks are not CLIP's"):
        export(run, "transformers", out)


def test_a_model_of_transformers_exports_to_itself(make_run: MakeRun, out: Path, tmp_path: Path) -> None:
    export(make_run("vit"), "transformers", tmp_path / "first")
    (tmp_path / "first" / "words.txt").write_text("bird\ncat\n")
    run = make_run(f"hf:{tmp_path / 'first'}")
    export(run, "transformers", out)
    model, _ = read_bundle(run / "bundle.safetensors")
    again = load_hf(f"hf:{out}")
    assert again.words == ("bird", "cat")
    assert torch.equal(again.site.projection.weight, model.projection.weight)
    with pytest.raises(
        EvenhandError, match=r"to: open_clip takes runs on open_clip models, but hf:.* is not one"
    ):
        export(run, "open_clip", tmp_path / "third")


def test_siglip_of_transformers_is_refused(
    make_run: MakeRun, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export(make_run("vit"), "transformers", tmp_path / "first")
    run = make_run(f"hf:{tmp_path / 'first'}")
    with_other(run, monkeypatch, lambda b: setattr(b.model.config, "model_type", "siglip"))
    with pytest.raises(
        EvenhandError, match="ends without a projection; use `to='onnx'`, or fit on open_clip's"
    ):
        export(run, "transformers", out)
