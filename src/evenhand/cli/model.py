"""The model that the options name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evenhand._errors import EvenhandError

if TYPE_CHECKING:
    from evenhand.backbones.base import Backbone


def load_model(
    model: str, pretrained: str | None, *, device: str, precision: str, site: str | None = None
) -> Backbone:
    """Return the embedded model for "tiny", an open_clip model otherwise.

    Raises
    ------
    EvenhandError
        If `--pretrained` came with the embedded model.
    """
    if model == "tiny":
        if pretrained is not None:
            raise EvenhandError(
                f"--pretrained {pretrained} does not go with --model tiny, whose weights ship with evenhand; "
                "leave it out or name an open_clip model"
            )
        from evenhand.backbones.tiny import load_tiny

        return load_tiny(device=device, precision=precision, site=site)
    from evenhand.backbones.openclip import load_openclip

    return load_openclip(model, pretrained, device=device, precision=precision, site=site)
