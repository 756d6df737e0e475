"""Load the model that made a store again, from the store's card."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evenhand._errors import EvenhandError
from evenhand.backbones.folder import HF_PREFIX, PREFIX, TINY, folder_of
from evenhand.backbones.load import Loaded, load_backbone
from evenhand.backbones.outline import outline_of
from evenhand.backbones.typed_names import PRECISIONS, absolute
from evenhand.data.store_card import embedded, is_other_model

_NEEDED = ("activation", "model", "precision", "preprocessing", "site", "weights_sha256")


def backbone_of(card: Mapping[str, Any], device: str, *, precision: str | None = None) -> Loaded:
    """Load the model that made an embedded store, and refuse it if its weights have changed since.

    Parameters
    ----------
    card : mapping
        Card of a store that `embed` made.
    device : str
        Where the model runs.
    precision : str, optional
        Number type of the model, by default that of the store.

    Raises
    ------
    EvenhandError
        If the card lacks a field or has an unknown precision, or the model cannot be loaded or has other
        weights.
    """
    absent = [name for name in _NEEDED if card.get(name) is None]
    if absent:
        raise EvenhandError(f"the run's card lacks {absent[0]!r} of the model; run fit again")
    if card["precision"] not in PRECISIONS:
        shown = repr(card["precision"])[:20]
        raise EvenhandError(f"the run's card has precision {shown}, which no model has; run fit again")
    _check_there(card)
    open_clips = card["family"] == "open_clip" and card["model"] != TINY
    backbone = load_backbone(
        card["model"],
        card.get("pretrained"),
        device=device,
        precision=precision or card["precision"],
        site=card["site"].removeprefix("visual."),
        preprocess=card.get("preprocess"),
        activation=card["activation"].lower() if open_clips else None,
    )
    found = backbone.card()["weights_sha256"]
    if found != card["weights_sha256"]:
        raise EvenhandError(
            f"model {_where(card)} has other weights ({found[:12]}) than the model of the run's store "
            f"({card['weights_sha256'][:12]}); name the same checkpoint as `model`"
        )
    return backbone


def with_model_at(card: Mapping[str, Any], model: str | None) -> Mapping[str, Any]:
    """Return a store's card with the present place of its model.

    Parameters
    ----------
    card : mapping
        Card of a store that `embed` made.
    model : str, optional
        A checkpoint file where the store was made with one; else a model's name or folder. Its weights are
        compared when it is loaded.

    Raises
    ------
    EvenhandError
        If the store holds imported embeddings, which have no model, or the name is that of another model.
    """
    if model is None:
        return card
    if not embedded(card):
        raise EvenhandError(
            f"model: {model} cannot be used with a run on imported embeddings, whose model is not known; "
            "leave it out"
        )
    if card.get("pretrained") is not None and Path(model).expanduser().is_file():
        return {**card, "pretrained": absolute(model)}
    named = model.startswith((PREFIX, HF_PREFIX)) or not Path(model).is_dir()
    kind = HF_PREFIX if card["family"] == "transformers" else PREFIX
    place = model if named else kind + absolute(model)
    found = outline_of(place)
    if is_other_model(card, found.model, found.family, found.sites):
        raise EvenhandError(
            f"model: {model} is not the model of the run's store, {_where(card)}; name the same checkpoint"
        )
    return {**card, "model": place, "pretrained": None}


def _check_there(card: Mapping[str, Any]) -> None:
    """Refuse a model that is gone from where it was, before anything is loaded."""
    model, pretrained = str(card["model"]), card.get("pretrained")
    local = model.startswith(PREFIX) or model.startswith((f"{HF_PREFIX}/", f"{HF_PREFIX}."))
    if (local and folder_of(model) is None) or (
        pretrained is not None and Path(pretrained).is_absolute() and not Path(pretrained).is_file()
    ):
        raise EvenhandError(
            f"the model that the run's store was made with, {_where(card)}, is no longer there; put it back, "
            "or give its new location as `model` of predict, export or report"
        )


def _where(card: Mapping[str, Any]) -> str:
    pretrained = card.get("pretrained")
    return repr(card["model"]) + ("" if pretrained is None else f" with {pretrained!r}")
