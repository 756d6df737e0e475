"""The embedded model: a small CLIP that ships with the package and needs no download."""

from __future__ import annotations

from importlib import resources

from evenhand.backbones.openclip import load_openclip
from evenhand.backbones.openclip_model import OpenClipBackbone


def load_tiny(*, device: str = "cpu", precision: str = "fp32", site: str | None = None) -> OpenClipBackbone:
    """Return the CLIP that `scripts/train_tiny_clip.py` trains on drawn birds.

    Parameters
    ----------
    device, precision, site : str
        As in `load_openclip`.
    """
    folder = resources.files("evenhand.backbones") / "tiny_model"
    with resources.as_file(folder) as path:
        backbone = load_openclip(f"local-dir:{path}", device=device, precision=precision, site=site)
    backbone.name = "tiny"
    return backbone
