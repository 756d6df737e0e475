"""The model that made a store, loaded again from what the store's card says of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evenhand._errors import EvenhandError
from evenhand.backbones.load import Loaded, load_backbone

_NEEDED = ("activation", "model", "precision", "preprocessing", "site", "weights_sha256")


def backbone_of(card: Mapping[str, Any], device: str, *, precision: str | None = None) -> Loaded:
    """Load the model that made an embedded store, and refuse it if its weights have changed since.

    Parameters
    ----------
    card : mapping
        Of a store that `embed` made.
    device : str
        Where the model runs.
    precision : str, optional
        Numbers of the model, by default those that made the store.

    Raises
    ------
    EvenhandError
        If the card tells too little, or the model cannot be loaded or has other weights.
    """
    absent = [name for name in _NEEDED if card.get(name) is None]
    if absent:
        raise EvenhandError(f"the run's card tells no {absent[0]!r} of the model; run fit again")
    backbone = load_backbone(
        card["model"],
        card.get("pretrained"),
        device=device,
        precision=precision or card["precision"],
        site=card["site"].removeprefix("visual."),
    )
    if backbone.card()["weights_sha256"] != card["weights_sha256"]:
        raise EvenhandError(
            f"model {card['model']!r} has other weights than the run's store was made with "
            f"({card['weights_sha256'][:12]}); use the same checkpoint"
        )
    return backbone


def embedded(card: Mapping[str, Any]) -> bool:
    """Tell whether a store's card names a model that can be loaded: it does not for imported embeddings."""
    return "family" in card and card["family"] != "import"
