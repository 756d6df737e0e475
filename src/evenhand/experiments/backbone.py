"""The model that made a store, loaded again from what the store's card says of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evenhand._errors import EvenhandError
from evenhand.backbones.base import Backbone
from evenhand.backbones.openclip import load_openclip
from evenhand.backbones.tiny import load_tiny


def backbone_of(card: Mapping[str, Any], device: str) -> Backbone:
    """Load the model that made an embedded store, and refuse it if its weights have changed since.

    Parameters
    ----------
    card : mapping
        Of a store that `embed` made.
    device : str
        Where the model runs.

    Raises
    ------
    EvenhandError
        If the model cannot be loaded, or has other weights.
    """
    how = {"device": device, "precision": card["precision"], "site": card["site"].removeprefix("visual.")}
    if card["model"] == "tiny":
        backbone = load_tiny(**how)
    else:
        backbone = load_openclip(card["model"], card["pretrained"], **how)
    if backbone.card()["weights_sha256"] != card["weights_sha256"]:
        raise EvenhandError(
            f"model {card['model']!r} has other weights than the run's store was made with "
            f"({card['weights_sha256'][:12]}); use the same checkpoint"
        )
    return backbone


def embedded(card: Mapping[str, Any]) -> bool:
    """Tell whether a store's card names a model that can be loaded: it does not for imported embeddings."""
    return card.get("family") == "open_clip"
