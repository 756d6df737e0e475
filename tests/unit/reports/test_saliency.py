import dataclasses
import io
import warnings
from base64 import b64decode
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tests.small_hf import write_hf
from tests.small_open_clip import write_open_clip

from evenhand import EvenhandError, EvenhandWarning, Manifest, embed, fit
from evenhand.audits import error_analysis
from evenhand.audits.error_analysis import ErrorAnalysis, analyze_run
from evenhand.backbones.from_card import backbone_of
from evenhand.backbones.load import Loaded, load_backbone
from evenhand.datasets.scenes import write_scenes
from evenhand.reports.page import render
from evenhand.reports.saliency import CELLS, SIDE, STEPS, SaliencyMaps, _shaded, cell_maps, saliency
from evenhand.reports.sampling import shown_rows
from evenhand.reports.source import read_source

VITS = ("clip", "siglip", "vit")
"""Of transformers, and of open_clip: see the modules of small models."""


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_scenes(tmp_path_factory.mktemp("scenes") / "photos", seed=0, train=80, test=24)


def maps_of(view: ErrorAnalysis) -> list[SaliencyMaps] | str:
    return saliency(view, shown_rows(view.models).saliency)


def viewed(photos: Path, model: str, folder: Path) -> ErrorAnalysis:
    with warnings.catch_warnings():  # a small random text tower may hear one word in all prompts
        warnings.simplefilter("ignore", EvenhandWarning)
        table = embed(Manifest.read(photos), load_backbone(model), folder / "x.store", workers=0)
    fit(table, method="erm", out=folder / "x.run")
    return analyze_run(folder / "x.run", vocabulary=Path("none"))


@pytest.fixture(scope="module")
def view(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> ErrorAnalysis:
    return viewed(photos, "tiny", tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module", params=VITS)
def of_vit(
    photos: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> ErrorAnalysis:
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "vit":
        return viewed(photos, f"local-dir:{write_open_clip('vit', folder / 'model')}", folder)
    return viewed(photos, f"hf:{write_hf(request.param, folder / 'model')}", folder)


def test_every_picture_has_a_map_before_and_after(view: ErrorAnalysis) -> None:
    seen = maps_of(view)
    assert not isinstance(seen, str)
    assert 1 <= len(seen) <= 8
    for one in seen:
        place = view.models.table.ids[view.models.split.test].tolist().index(one.name)
        assert one.margins == [pytest.approx(float(stage.margins[place])) for stage in view.models.pair]
        for address in (one.image, *one.maps):
            content = b64decode(address.removeprefix("data:image/jpeg;base64,"))
            assert Image.open(io.BytesIO(content)).size == (SIDE, SIDE)
    assert [one.maps for one in maps_of(view)] == [one.maps for one in seen]  # type: ignore[union-attr]


def test_the_search_and_the_maps_load_the_model_once(
    view: ErrorAnalysis, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert view.models.run is not None
    (view.models.run.folder / "audit.json").unlink(missing_ok=True)
    searched = analyze_run(view.models.run.folder, device="cpu:0")
    assert searched.tower is not None
    read = analyze_run(str(view.models.run.folder), device="cpu:0")
    assert read.tower is None, "an audit was there"
    loads: list[object] = []

    def loaded(card: Mapping[str, Any], device: str) -> Loaded:
        loads.append((card, device))
        return backbone_of(card, device)

    monkeypatch.setattr(error_analysis, "backbone_of", loaded)
    one = shown_rows(view.models).saliency[:1]
    assert isinstance(saliency(searched, one), list)
    assert not loads
    assert isinstance(saliency(read, one), list)
    assert isinstance(saliency(read, one), list)
    assert loads == [(read.models.table.card, "cpu:0")]
    with pytest.raises(EvenhandError, match=r"^device: 'gpu' cannot be used \(.*give one of this machine"):
        analyze_run(view.models.run.folder, device="gpu")


def test_a_vits_maps_are_on_the_page(of_vit: ErrorAnalysis) -> None:
    seen = maps_of(of_vit)
    assert not isinstance(seen, str)
    html = render(read_source(of_vit.models.run.folder)[0], of_vit)
    assert all(address in html for one in seen for address in (one.image, *one.maps))
    assert all(len(set(one.maps)) == 2 for one in seen), "before and after are one model"


def picture_of(view: ErrorAnalysis, place: int) -> Image.Image:
    return Image.open(view.models.table.paths[view.models.split.test[place]]).convert("RGB")


def own_embedding(backbone: Loaded, pixels: torch.Tensor) -> torch.Tensor:
    """Return what the model's library makes of pixels, by its own door."""
    if backbone.name.startswith("local-dir:"):
        return backbone.model.encode_image(pixels)  # type: ignore[no-any-return]
    found = backbone.model.get_image_features(pixel_values=pixels)
    return found if isinstance(found, torch.Tensor) else found.pooler_output


def test_a_vits_map_is_the_gradient_of_its_own_margin(of_vit: ErrorAnalysis) -> None:
    backbone = backbone_of(of_vit.models.table.card, "cpu")
    pixels = backbone.preprocess(picture_of(of_vit, 0))[None]
    y = int(of_vit.models.table.y[of_vit.models.split.test[0]])
    found = cell_maps([of_vit.models.on_test[0].model], pixels, y, backbone)[0]

    text = torch.tensor(of_vit.models.table.head.text)
    scale = of_vit.models.table.head.logit_scale
    mean = pixels.mean(dim=(2, 3), keepdim=True)
    wanted = torch.zeros(CELLS, CELLS)
    side = pixels.shape[-1] // CELLS
    for step in range(STEPS):
        x = (mean + (step + 0.5) / STEPS * (pixels - mean)).requires_grad_()
        z = own_embedding(backbone, x)[0]
        logits = scale * (text @ (z / z.norm()))
        (logits[y] - logits[1 - y]).backward()
        assert x.grad is not None
        change = ((pixels - mean) * x.grad).sum(dim=(0, 1)) / STEPS
        for i in range(CELLS):
            for j in range(CELLS):
                wanted[i, j] += change[i * side : (i + 1) * side, j * side : (j + 1) * side].sum()
    assert wanted.abs().max() > 1e-3
    assert torch.allclose(found, wanted, rtol=1e-3, atol=1e-5 * float(wanted.abs().max()))


def test_a_vits_gradient_is_a_finite_difference(of_vit: ErrorAnalysis) -> None:
    backbone = backbone_of(of_vit.models.table.card, "cpu")
    pixels = backbone.preprocess(picture_of(of_vit, 1))[None]
    generator = torch.Generator().manual_seed(0)
    way, weight = (
        torch.randn(pixels.shape, generator=generator),
        torch.randn(backbone.width, generator=generator),
    )
    x = pixels.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(backbone.differentiable_trunk(x)[0] @ weight, x)
    ends = [backbone.trunk(pixels + sign * 1e-2 * way)[0] @ weight for sign in (1, -1)]
    assert (gradient * way).sum() == pytest.approx(float(ends[0] - ends[1]) / 2e-2, rel=1e-2)


def test_a_vits_maps_add_up_to_the_margins_of_both_stages(of_vit: ErrorAnalysis) -> None:
    backbone = backbone_of(of_vit.models.table.card, "cpu")
    pixels = backbone.preprocess(picture_of(of_vit, 2))[None]
    y = int(of_vit.models.table.y[of_vit.models.split.test[2]])
    maps = cell_maps([stage.model for stage in of_vit.models.pair], pixels, y, backbone)
    assert torch.isfinite(maps).all()
    empty = backbone.trunk(pixels.mean(dim=(2, 3), keepdim=True).expand_as(pixels)).numpy()
    for found, stage in zip(maps, of_vit.models.pair, strict=True):
        logits = stage.model.logits(empty)[0]
        change = float(stage.margins[2]) - float(logits[y] - logits[1 - y])
        assert float(found.sum()) == pytest.approx(change, rel=0.05, abs=0.02)


def test_a_vits_picture_is_what_it_was_before_normalisation(of_vit: ErrorAnalysis) -> None:
    backbone = backbone_of(of_vit.models.table.card, "cpu")
    colors = (
        np.asarray(picture_of(of_vit, 0).resize((32, 32), Image.Resampling.BICUBIC), dtype=np.float32) / 255
    )
    found = backbone.picture(backbone.preprocess(picture_of(of_vit, 0))[None])[0].permute(1, 2, 0)
    assert np.abs(found.numpy() - colors).mean() < 0.02


def test_patches_of_flexible_resolution_have_no_map(photos: Path, tmp_path: Path) -> None:
    view = viewed(photos, f"hf:{write_hf('siglip2', tmp_path / 'model')}", tmp_path)
    said = str(maps_of(view))
    assert said.startswith("No saliency could be computed: model 'hf:")
    assert said.endswith("so they have no grid to show; use a SigLIP 2 of fixed resolution.")
    assert "\n" not in said


def test_colors_tell_for_from_against() -> None:
    cells = torch.zeros(1, 2, 2)
    cells[0, 0, 0], cells[0, 1, 1] = 1.0, -1.0
    (shade,) = _shaded(torch.full((1, 3, 8, 8), 0.5), cells)
    red, green = shade[0], shade[1]
    assert green[0, 0] > red[0, 0]
    assert red[-1, -1] > green[-1, -1]
    assert red[0, -1] == pytest.approx(float(green[0, -1]), abs=0.02)


@pytest.mark.parametrize("brightness", [0.0, 0.5, 1.0])
def test_where_a_map_says_nothing_the_image_shows_in_pale_gray(brightness: float) -> None:
    (shade,) = _shaded(torch.full((1, 3, 8, 8), brightness), torch.zeros(1, 2, 2))
    assert shade.flatten().tolist() == pytest.approx([0.25 + 0.6 * brightness] * shade.numel())


def test_images_that_moved_are_said(view: ErrorAnalysis) -> None:
    table = view.models.table
    gone = dataclasses.replace(table, paths=np.full(len(table), "/gone.jpg"))
    moved = dataclasses.replace(view, models=dataclasses.replace(view.models, table=gone))
    assert "are no longer at their original paths" in str(maps_of(moved))


def test_a_model_with_other_weights_is_said(view: ErrorAnalysis) -> None:
    table = view.models.table
    other = dataclasses.replace(table, card={**table.card, "weights_sha256": "0" * 64})
    said = maps_of(dataclasses.replace(view, models=dataclasses.replace(view.models, table=other)))
    assert str(said).startswith("No saliency could be computed: model 'tiny' has other weights")


def test_imported_embeddings_have_no_images(make_run: object, tmp_path: Path) -> None:
    run = make_run("no-images", n=60, pictures=False)  # type: ignore[operator]
    view = analyze_run(run)
    assert "imported embeddings" in str(maps_of(view))
    assert '<section id="saliency">' not in render(read_source(run)[0], view)
