"""One door to every model: the embedded one, open_clip's, transformers'."""

from __future__ import annotations

from typing import TypeAlias

from evenhand._errors import EvenhandError
from evenhand.backbones.folder import HF_PREFIX
from evenhand.backbones.hf import HfBackbone, load_hf
from evenhand.backbones.openclip import OpenClipBackbone, load_openclip
from evenhand.backbones.tiny import load_tiny

Loaded: TypeAlias = OpenClipBackbone | HfBackbone


def load_backbone(
    model: str,
    pretrained: str | None = None,
    *,
    device: str = "cpu",
    precision: str = "fp32",
    site: str | None = None,
) -> Loaded:
    """Return the model that a name stands for.

    Parameters
    ----------
    model : str
        `tiny`, an open_clip name, `local-dir:FOLDER`, or `hf:NAME_OR_FOLDER` for a model of transformers.
    pretrained, device, precision, site : str
        As in `load_openclip`; only an open_clip name takes `pretrained`.

    Raises
    ------
    EvenhandError
        If `pretrained` came with another model than an open_clip name, or the model cannot be loaded.
    """
    if model != "tiny" and not model.startswith(HF_PREFIX):
        return load_openclip(model, pretrained, device=device, precision=precision, site=site)
    if pretrained is not None:
        raise EvenhandError(
            f"--pretrained {pretrained} does not go with --model {model}, which brings its own weights; "
            "leave it out or name an open_clip model"
        )
    if model == "tiny":
        return load_tiny(device=device, precision=precision, site=site)
    return load_hf(model, device=device, precision=precision, site=site)
