"""Which parts of a picture spoke for its label, before and after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate

from evenhand._errors import EvenhandError
from evenhand._typing import Bools, Floats, Ints
from evenhand.backbones.load import Loaded
from evenhand.data.images.decode import UnreadableImage, read_image
from evenhand.data.places import is_there
from evenhand.functional.saliency import cell_sums, integrated_gradients
from evenhand.methods.cfr.calibration_set import margins
from evenhand.reports.pictures import address, encoded
from evenhand.reports.sampling import sample
from evenhand.reports.source import RunView
from evenhand.runs.card import run_backbone
from evenhand.runs.models import Stage

RIGHT, WRONG = 6, 2
"""Newly right and newly wrong pictures shown at most."""
CELLS, STEPS, SIDE = 8, 16, 128
"""Cells of the grid on a side; steps along the line; pixels of what is shown."""
FOR, AGAINST = (13, 148, 136), (194, 77, 20)


@dataclass(frozen=True)
class SaliencyMaps:
    """One picture with its maps: addresses of the picture and of each stage's map, and the margins."""

    name: str
    label: str
    change: str
    picture: str
    maps: list[str]
    margins: list[float]


def saliency(view: RunView, device: str = "cpu") -> list[SaliencyMaps] | str:
    """Return drawn pictures that changed, or any where none did, with their maps; or why there are none."""
    chosen = _choose(view)
    paths = [Path(path) for path in view.table.paths[view.test[chosen]].tolist()]
    if view.card["store_card"].get("family") == "import":
        return "The run was fitted on imported embeddings: there are no images to compute saliency on."
    if not any(map(is_there, paths)):
        return "The images are not where they were embedded from, so no saliency could be computed."
    seen = []
    try:
        backbone = run_backbone(view.card, device)
        for place, path in zip(chosen.tolist(), paths, strict=True):
            try:
                pixels = backbone.preprocess(read_image(path))[None]
            except UnreadableImage:
                continue
            seen.append(_look(view, place, pixels, backbone))
    except EvenhandError as error:
        return f"No saliency could be computed: {error}."
    return seen or "No picture could be read, so no saliency could be computed."


def _choose(view: RunView) -> Ints:
    before, after = view.pair
    right = _drawn(~before.right & after.right, RIGHT, view, "newly right")
    wrong = _drawn(before.right & ~after.right, WRONG, view, "newly wrong")
    found = np.concatenate([right, wrong])
    return found if len(found) else sample(len(view.test), RIGHT, view.card["seed"], "saliency")


def _drawn(chosen: Bools, most: int, view: RunView, name: str) -> Ints:
    places = np.flatnonzero(chosen)
    return places[sample(len(places), most, view.card["seed"], "saliency", name)]


def _look(view: RunView, place: int, pixels: Tensor, backbone: Loaded) -> SaliencyMaps:
    row = int(view.test[place])
    y = int(view.table.y[row])
    picture = backbone.picture(pixels)
    cells = cell_maps(view.pair, pixels, y, backbone)
    before, after = (bool(stage.right[place]) for stage in view.pair)
    return SaliencyMaps(
        str(view.table.ids[row]),
        view.table.classes[y],
        {(False, True): "newly right", (True, False): "newly wrong"}.get((before, after), "unchanged"),
        address(encoded(_image(_sized(picture)[0]))),
        [address(encoded(_image(shade))) for shade in _shaded(picture, cells)],
        [float(stage.margins[place]) for stage in view.pair],
    )


def cell_maps(stages: Sequence[Stage], pixels: Tensor, y: int, backbone: Loaded) -> Tensor:
    """Return each stage's map of one picture [1, 3, H, W]: what cells add to the margin of class y.

    Returns
    -------
    Tensor [S, CELLS, CELLS]
        Integrated gradients from a picture of the mean colour, summed over cells, in logits.
    """
    label = torch.tensor([y])
    baseline = pixels.mean(dim=(2, 3), keepdim=True).expand_as(pixels)

    def scores(x: Tensor) -> list[Tensor]:
        h = backbone.differentiable_trunk(x)
        return [margins(_logits(stage, h), label) for stage in stages]

    return cell_sums(integrated_gradients(scores, pixels, baseline, STEPS), CELLS)[:, 0]


def _logits(stage: Stage, h: Tensor) -> Tensor:
    model = stage.model
    z = model.projection.embed(h)
    return model.logit_scale * (z @ torch.from_numpy(model.prototypes).T) + torch.from_numpy(model.intercept)


def _shaded(picture: Tensor, cells: Tensor) -> Sequence[Tensor]:
    """Tint the grey picture [1, 3, H, W] by each map [S, k, k], on one scale, so that maps compare."""
    strength = interpolate(cells[:, None], size=SIDE, mode="bilinear")
    strength = (strength / cells.abs().max().clamp(min=1e-12)).clamp(-1, 1)
    grey = _sized(picture).mean(dim=1, keepdim=True) * 0.6 + 0.25
    colours = torch.tensor([FOR, AGAINST]).float()[:, :, None, None] / 255
    share = 0.9 * strength.abs()
    tint = torch.where(strength > 0, colours[:1], colours[1:])
    return list(grey * (1 - share) + tint * share)


def _sized(picture: Tensor) -> Tensor:
    return interpolate(picture, size=SIDE, mode="bilinear").clamp(0, 1)


def _image(colours: Tensor) -> Image.Image:
    array: Floats = (colours.clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
    return Image.fromarray(array)
