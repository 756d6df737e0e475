"""The input of an export: a run, the model of its store, and their predictions on noise images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from evenhand._errors import EvenhandError
from evenhand._random import numpy_stream
from evenhand._typing import Floats
from evenhand.backbones.load import Loaded
from evenhand.methods._training.model import Model
from evenhand.methods.bundle import read_run_bundle
from evenhand.runs.card import read_card, read_result, run_backbone

PICTURES = 3
"""Noise images on which an export is compared with the run."""


@dataclass(frozen=True)
class ExportSource:
    """A run with its model loaded in float32.

    Attributes
    ----------
    run : Path
        Its folder.
    card, result : dict
        The content of card.json, and the row of results.json.
    model, classes : Model, list of C str
        The model and classes of the bundle.
    backbone : OpenClipBackbone or HfBackbone
        The model that the store was made with; an export may write into it.
    pixels : Tensor [n, 3, H, W]
        Noise images, preprocessed.
    logits : float32 [n, C]
        What the run predicts for them.
    """

    run: Path
    card: dict[str, Any]
    result: dict[str, Any]
    model: Model
    classes: list[str]
    backbone: Loaded
    pixels: Tensor
    logits: Floats

    @property
    def prompts(self) -> dict[str, list[str]]:
        """The prompts of each class."""
        found: dict[str, list[str]] = self.card["store_card"].get("prompts", {})
        return found


def read_source(run: Path, *, model: str | None = None) -> ExportSource:
    """Read a run and load its model.

    Parameters
    ----------
    run : Path
        Its folder.
    model : str, optional
        Where the model is now, as in `with_model_at`.

    Raises
    ------
    EvenhandError
        If the run is damaged, was fitted on imported embeddings, or its model cannot be had.
    """
    card, result = read_card(run), read_result(run)
    fitted, classes = read_run_bundle(run, card), card["classes"]
    backbone = run_backbone(card, "cpu", precision="fp32", model=model)
    if backbone.width != fitted.projection.width:
        raise EvenhandError(
            f"the run {run} takes features of width {fitted.projection.width} but its model gives "
            f"{backbone.width}; run fit again"
        )
    noise = numpy_stream(0, "export").integers(0, 256, (PICTURES, 96, 128, 3), dtype=np.uint8)
    pixels = torch.stack([backbone.preprocess(Image.fromarray(picture)) for picture in noise])
    logits = fitted.logits(backbone.trunk(pixels).numpy())
    return ExportSource(run, card, result, fitted, classes, backbone, pixels, logits)


def check_text_head(source: ExportSource, target: str) -> None:
    """Refuse a run whose head is not the text tower's: a folder of towers cannot hold it.

    Raises
    ------
    EvenhandError
        If the run has intercepts, or prototypes that are not those of its prompts.
    """
    model = source.model
    text = source.backbone.head(source.classes, source.prompts).text
    # Loose, since the store may have been made on another device; other heads are far away.
    if text is None or np.abs(text - model.prototypes).max() > 1e-3 or model.intercept.any():
        raise EvenhandError(
            f"to: {target} has no place for the head of method {source.card['method']!r}, whose classes are "
            "not the text prototypes of their prompts; use `to='onnx'`, which takes any"
        )


def check_agreement(
    source: ExportSource, predict: Callable[[Tensor], Tensor], tolerance: float, to: str
) -> float:
    """Return the largest difference between the run's logits and those of what was written.

    Raises
    ------
    EvenhandError
        If it is above `tolerance`, relative to the largest logit where that is above 1.
    """
    with torch.inference_mode():
        found = predict(source.pixels).float().cpu().numpy()
    largest = float(np.abs(found - source.logits).max())
    allowed = tolerance * max(1.0, float(np.abs(source.logits).max()))
    if not largest <= allowed:
        raise EvenhandError(
            f"to: the logits of {to} differ from the run's by {largest:.2g}, more than {allowed:.2g}; "
            "nothing was written"
        )
    return largest
