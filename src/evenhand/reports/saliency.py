"""Which parts of an image raise and lower the score of its label, before and after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate

from evenhand._errors import EvenhandError
from evenhand._typing import Floats, Ints
from evenhand.audits.error_analysis import ErrorAnalysis
from evenhand.audits.evaluate import EvaluatedModels
from evenhand.backbones.load import Loaded
from evenhand.data.images.decode import UnreadableImage, read_image
from evenhand.data.places import is_there
from evenhand.extract.short_side import KEY
from evenhand.functional.attribution import cell_sums, integrated_gradients
from evenhand.methods._training.model import Model
from evenhand.methods.cfr.calibration_set import margins
from evenhand.reports.thumbnails import address, encoded

CELLS, STEPS, SIDE = 8, 16, 128
"""Cells on a side of the grid; steps of the integral; pixels on a side of what is shown."""
FOR, AGAINST = (13, 148, 136), (194, 77, 20)


@dataclass(frozen=True)
class SaliencyMaps:
    """One image with its maps: `data:` addresses of the image and of each model's map, and the margins."""

    name: str
    label: str
    change: str
    image: str
    maps: list[str]
    margins: list[float]


def saliency(analysis: ErrorAnalysis, places: Ints) -> list[SaliencyMaps] | str:
    """Return the images at positions [n] among the test rows, with maps; or why there are none."""
    models, card = analysis.models, analysis.models.table.card
    paths = [Path(path) for path in models.table.paths[models.split.test[places]].tolist()]
    if card.get("family") == "import":
        return "The run was fitted on imported embeddings: there are no images to compute saliency on."
    if not any(map(is_there, paths)):
        return "The images are no longer at their original paths, so no saliency could be computed."
    maps, short_side = [], card.get(KEY)
    try:
        backbone = analysis.backbone
        for place, path in zip(places.tolist(), paths, strict=True):
            try:
                pixels = backbone.preprocess(read_image(path, short_side))[None]
            except UnreadableImage:
                continue
            maps.append(_maps_of(models, place, pixels, backbone))
    except EvenhandError as error:
        return f"No saliency could be computed: {error}."
    return maps or "No image could be read, so no saliency could be computed."


def _maps_of(models: EvaluatedModels, place: int, pixels: Tensor, backbone: Loaded) -> SaliencyMaps:
    row = int(models.split.test[place])
    y = int(models.table.y[row])
    image = backbone.picture(pixels)
    cells = cell_maps([stage.model for stage in models.pair], pixels, y, backbone)
    before, after = (bool(stage.right[place]) for stage in models.pair)
    return SaliencyMaps(
        str(models.table.ids[row]),
        models.table.classes[y],
        {(False, True): "newly correct", (True, False): "newly wrong"}.get((before, after), "unchanged"),
        address(encoded(_image(_sized(image)[0]))),
        [address(encoded(_image(shade))) for shade in _shaded(image, cells)],
        [float(stage.margins[place]) for stage in models.pair],
    )


def cell_maps(models: Sequence[Model], pixels: Tensor, y: int, backbone: Loaded) -> Tensor:
    """Return each model's map of one image [1, 3, H, W]: what cells add to the margin of class y.

    Returns
    -------
    Tensor [S, CELLS, CELLS]
        Integrated gradients (Sundararajan et al., ICML 2017) from an image of the mean color, summed over
        cells, in logits.
    """
    label = torch.tensor([y])
    baseline = pixels.mean(dim=(2, 3), keepdim=True).expand_as(pixels)

    def scores(x: Tensor) -> list[Tensor]:
        h = backbone.differentiable_trunk(x)
        return [margins(model.logits_of(model.projection.embed(h)), label) for model in models]

    return cell_sums(integrated_gradients(scores, pixels, baseline, STEPS), CELLS)[:, 0]


def _shaded(image: Tensor, cells: Tensor) -> Sequence[Tensor]:
    """Tint the gray image [1, 3, H, W] by each map [S, k, k], on one scale, so that maps compare."""
    strength = interpolate(cells[:, None], size=SIDE, mode="bilinear")
    strength = (strength / cells.abs().max().clamp(min=1e-12)).clamp(-1, 1)
    gray = _sized(image).mean(dim=1, keepdim=True) * 0.6 + 0.25
    colors = torch.tensor([FOR, AGAINST]).float()[:, :, None, None] / 255
    share = 0.9 * strength.abs()
    tint = torch.where(strength > 0, colors[:1], colors[1:])
    return list(gray * (1 - share) + tint * share)


def _sized(image: Tensor) -> Tensor:
    return interpolate(image, size=SIDE, mode="bilinear").clamp(0, 1)


def _image(colors: Tensor) -> Image.Image:
    array: Floats = (colors.clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
    return Image.fromarray(array)
