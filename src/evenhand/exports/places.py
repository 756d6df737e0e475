"""Whether a format can hold a run's model, by its configuration and without torch."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from evenhand._errors import EvenhandError
from evenhand._json import parse_json
from evenhand.backbones.folder import CONFIG, folder_of
from evenhand.backbones.typed_names import config_file
from evenhand.data.store_card import embedded


def check_place(run: Path, card: Mapping[str, Any], to: str) -> None:
    """Refuse a format that cannot hold a run's model; the export checks what the configuration does not show.

    Parameters
    ----------
    run, card : Path, mapping
        The run's folder and its card.
    to : "open_clip", "transformers" or "onnx"
        The format.

    Raises
    ------
    EvenhandError
        If it cannot, or the run was fitted on imported embeddings.
    """
    made = card["store_card"]
    if not embedded(made):
        raise EvenhandError(
            f"the run {run} was fitted on imported embeddings, whose model evenhand does not have; "
            "use bundle.safetensors as it is"
        )
    if to == "open_clip" and made["family"] != "open_clip":
        raise not_open_clip(made["model"])
    if to == "transformers" and made["family"] == "open_clip":
        vision = _configuration(made["model"]).get("vision_cfg", {})
        if isinstance(vision.get("layers"), list):
            raise no_place(made["model"], "its image tower is a ModifiedResNet")


def not_open_clip(model: str) -> EvenhandError:
    """Return the error for open_clip's format and another library's model."""
    return EvenhandError(
        f"to: open_clip takes runs on open_clip models, but {model} is not one; "
        "use `to='transformers'` or `to='onnx'`"
    )


def no_place(model: str, reason: str, advice: str = "use `to='open_clip'` or `to='onnx'`") -> EvenhandError:
    """Return the error for transformers' format and a model that it cannot hold."""
    return EvenhandError(f"to: transformers has no place for model {model!r}: {reason}; {advice}")


def _configuration(model: str) -> dict[str, Any]:
    """Return what open_clip builds a model from; empty if it cannot be read."""
    folder = folder_of(model)
    path = config_file(model) if folder is None else folder / CONFIG
    with suppress(OSError, ValueError, AttributeError):
        found = parse_json(path.read_text(encoding="utf-8")) if path else {}
        return dict(found.get("model_cfg", found))
    return {}
