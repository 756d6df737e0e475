"""What stands in a run folder beside the bundle, and the model that its store was made with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evenhand._errors import EvenhandError

if TYPE_CHECKING:  # a folder that is no run is told before any model is imported
    from evenhand.backbones.load import Loaded


def is_run(folder: Path) -> bool:
    """Tell whether a folder holds what `fit_run` writes, of any version."""
    try:
        return bool(_read(folder, "card.json").get("kind") == "run")
    except EvenhandError:
        return False


def read_card(run: Path) -> dict[str, Any]:
    """Return a run's card.

    Raises
    ------
    EvenhandError
        If the folder has none, it cannot be read, or it is of another version.
    """
    card = _read(run, "card.json")
    if card.get("kind") != "run":
        raise EvenhandError(f"{run} is no run folder: its card.json is another's; make one with fit")
    if card.get("schema") != 1:
        raise EvenhandError(
            f"{run} has card schema {card.get('schema')!r}; this version reads runs of schema 1"
        )
    if not isinstance(card.get("store_card"), dict):
        raise EvenhandError(f"{run / 'card.json'} tells nothing of the store; run fit again")
    return card


def read_result(run: Path) -> dict[str, Any]:
    """Return the one row of a run's results.json, as the JSON Schema of results describes it.

    Raises
    ------
    EvenhandError
        If the file cannot be read, is of another version, or does not hold one row.
    """
    results = _read(run, "results.json")
    rows = results.get("rows")
    if results.get("schema") != 1 or not isinstance(rows, list) or len(rows) != 1:
        raise EvenhandError(
            f"{run / 'results.json'} is not what fit writes, schema 1 and one row; run fit again"
        )
    row: dict[str, Any] = rows[0]
    return row


def run_backbone(card: Mapping[str, Any], device: str) -> Loaded:
    """Load the model that made a run's store, and refuse it if its weights have changed since.

    Raises
    ------
    EvenhandError
        If the store holds imported embeddings, or the model cannot be loaded or has other weights.
    """
    from evenhand.experiments.backbone import backbone_of, embedded

    made = card["store_card"]
    if not embedded(made):
        raise EvenhandError(
            "the run was fitted on imported embeddings, so images cannot be embedded; give --features X.npy"
        )
    return backbone_of(made, device)


def _read(run: Path, name: str) -> dict[str, Any]:
    try:
        found = json.loads((run / name).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise EvenhandError(f"{run} is no run folder: it has no {name}; make one with fit") from error
    except (OSError, ValueError, RecursionError) as error:
        raise EvenhandError(f"{run / name} cannot be read ({error}); run fit again") from error
    if not isinstance(found, dict):
        raise EvenhandError(f"{run / name} holds no object; run fit again")
    return found
