"""Checks of a backbone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from evenhand.backbones.base import Backbone
from evenhand.backbones.projection import head_projection
from evenhand.backbones.prompts import class_prompts

CLASSES = ("landbird", "waterbird", "bird")


def check_backbone(
    backbone: Backbone,
    encode_image: Callable[[Tensor], Tensor] | None = None,
    *,
    tolerance: float = 1e-5,
) -> None:
    """Run all checks of a backbone.

    Parameters
    ----------
    backbone : Backbone
        The backbone, in float32.
    encode_image : callable or None, default=None
        The model's own function from pixels [B, 3, H, W] to image embeddings [B, D_out] of any norm. The
        backbone's embeddings must equal them.
    tolerance : float, default=1e-05
        Largest allowed difference in a coordinate of a unit vector.

    Raises
    ------
    AssertionError
        If a check fails.

    Examples
    --------
    >>> from evenhand import load_tiny
    >>> from evenhand.testing import check_backbone
    >>> check_backbone(load_tiny())
    """
    pixels = check_shapes(backbone)
    check_same_pixels_same_bytes(backbone, pixels)
    check_batch_invariance(backbone, pixels, tolerance)
    check_prepare(backbone, tolerance)
    check_head(backbone, tolerance)
    if encode_image is not None:
        check_parity(backbone, encode_image, pixels, tolerance)


def check_shapes(backbone: Backbone) -> Tensor:
    """Images of any shape give pixels of one shape and finite float32 features; return those pixels."""
    generator = np.random.default_rng(0)
    sizes = [(48, 64), (200, 90), (17, 17)]
    images = [Image.fromarray(generator.integers(0, 256, (*size, 3), dtype=np.uint8)) for size in sizes]
    prepared = [backbone.preprocess(image) for image in images]
    assert len({tuple(p.shape) for p in prepared}) == 1, "images of different sizes give different pixels"
    assert prepared[0].ndim == 3, "pixels are not [3, H, W]"
    pixels = torch.stack(prepared)
    h = backbone.trunk(pixels)
    assert h.shape == (len(sizes), backbone.width), f"features are {tuple(h.shape)}, not [B, width]"
    assert h.dtype == torch.float32, f"features are {h.dtype}, not float32"
    assert bool(torch.isfinite(h).all()), "features are not finite"
    return pixels


def check_same_pixels_same_bytes(backbone: Backbone, pixels: Tensor) -> None:
    """The trunk is frozen: no dropout, no running statistics, no state that a pass changes."""
    card = backbone.card()
    first, second = backbone.trunk(pixels), backbone.trunk(pixels)
    assert torch.equal(first, second), "two passes over the same pixels differ"
    assert backbone.card() == card, "a pass changes the card"


def check_batch_invariance(backbone: Backbone, pixels: Tensor, tolerance: float) -> None:
    """The features of an image do not depend on the other images in its batch."""
    together = _projected(backbone, backbone.trunk(pixels))
    alone = _projected(backbone, torch.cat([backbone.trunk(row[None]) for row in pixels]))
    _near(together, alone, tolerance, "features depend on the batch")


def check_prepare(backbone: Backbone, tolerance: float) -> None:
    """The trunk gives the same features for what `prepare` returns, if there is one, as for the pixels."""
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8))
    prepared = getattr(backbone, "prepare", backbone.preprocess)(image)
    one, other = (backbone.trunk(tensor[None]) for tensor in (prepared, backbone.preprocess(image)))
    assert bool((one - other).abs().max() <= tolerance), "`prepare` and `preprocess` give other features"


def check_head(backbone: Backbone, tolerance: float) -> None:
    """One unit prototype per class, in the order asked for, and a projection that fits the trunk."""
    prompts = class_prompts(CLASSES, ["a photo of a {}.", "one {}"])
    head = backbone.head(CLASSES, prompts)
    assert head.classes == CLASSES, "the head has other classes"
    assert head.prompts == prompts, "the head has other prompts"
    assert head.width == backbone.width, "W0 does not fit the trunk"
    assert head.bias is None or head.bias.shape == head.weight.shape[1:], "b0 does not fit W0"
    assert head.logit_scale > 0, "the logit scale is not positive"
    if head.text is None:
        return
    assert head.text.shape == (len(CLASSES), head.weight.shape[1]), "prototypes are not [C, D_out]"
    assert np.allclose(np.linalg.norm(head.text, axis=1), 1, atol=1e-5), "prototypes are not unit vectors"
    turned = backbone.head(CLASSES[::-1], prompts).text
    assert turned is not None, "prototypes depend on the order of the classes"
    _near(
        torch.from_numpy(turned[::-1].copy()),
        torch.from_numpy(head.text),
        tolerance,
        "prototypes depend on the order of the classes",
    )


def check_parity(
    backbone: Backbone, encode_image: Callable[[Tensor], Tensor], pixels: Tensor, tolerance: float
) -> None:
    """The head projects features to the model's own image embedding."""
    with torch.inference_mode():
        own = torch.nn.functional.normalize(encode_image(pixels).float().cpu(), dim=-1)
    _near(
        _projected(backbone, backbone.trunk(pixels)),
        own,
        tolerance,
        "the head does not give encode_image",
    )


def _projected(backbone: Backbone, h: Tensor) -> Tensor:
    return head_projection(backbone.head(CLASSES, class_prompts(CLASSES))).embed(h)


def _near(found: Tensor, expected: Tensor, tolerance: float, fault: str) -> None:
    largest = float((found - expected).abs().max())
    assert largest <= tolerance, f"{fault}: the largest difference is {largest:.2g}"
