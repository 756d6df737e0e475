"""The embedded model: a small CLIP that ships with the package and needs no download."""

from __future__ import annotations

from evenhand.backbones.folder import TINY
from evenhand.backbones.openclip import load_openclip
from evenhand.backbones.openclip_model import OpenClipBackbone


def load_tiny(*, device: str = "cpu", precision: str = "fp32", site: str | None = None) -> OpenClipBackbone:
    """Return the CLIP that `scripts/train_tiny_clip.py` trains on drawn birds.

    Parameters
    ----------
    device : str, default="cpu"
        Where the trunk runs.
    precision : str, default="fp32"
        Number type of the trunk, as in `load_openclip`.
    site : str, optional
        Part of the image tower to train, as in `load_openclip`.
    """
    return load_openclip(TINY, device=device, precision=precision, site=site)
