"""Load any model by name: the embedded one, or one of open_clip or transformers."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

from evenhand._device_check import check_torch_device
from evenhand.backbones.folder import HF_PREFIX
from evenhand.backbones.openclip import load_openclip
from evenhand.backbones.openclip_model import OpenClipBackbone
from evenhand.backbones.soundness import check_trunk
from evenhand.backbones.transformers import HfBackbone, load_hf
from evenhand.backbones.typed_names import absolute, check_own, read_model

Loaded: TypeAlias = OpenClipBackbone | HfBackbone


def load_backbone(
    model: str,
    pretrained: str | None = None,
    *,
    device: str = "cpu",
    precision: str = "fp32",
    site: str | None = None,
    preprocess: str | None = None,
    activation: str | None = None,
) -> Loaded:
    """Load a model by its name, and pass one image through it as a check.

    Parameters
    ----------
    model : str
        As `read_model` takes it: `tiny`, an open_clip name, a folder, `hf:ORG/NAME` for a model of
        transformers, or `hf-hub:ORG/NAME` for one of open_clip.
    pretrained, site, preprocess, activation : str, optional
        As in `load_openclip`; only an open_clip name takes `pretrained`, and only open_clip's models take
        `preprocess` and `activation`.
    device : str, default="cpu"
        Where the trunk runs.
    precision : str, default="fp32"
        Of the trunk, as in `load_openclip`.

    Raises
    ------
    EvenhandError
        If the model does not take an argument, cannot be loaded, or gives features that are not finite, or
        the device is not there.
    """
    model = read_model(model)
    if pretrained is not None and Path(pretrained).expanduser().is_file():
        pretrained = absolute(pretrained)
    check_own(model, pretrained=pretrained, preprocess=preprocess, activation=activation)
    check_torch_device(device)
    if model.startswith(HF_PREFIX):
        backbone: Loaded = load_hf(model, device=device, precision=precision, site=site)
    else:
        backbone = load_openclip(
            model,
            pretrained,
            device=device,
            precision=precision,
            site=site,
            preprocess=preprocess,
            activation=activation,
        )
    check_trunk(backbone)
    return backbone
