"""Find the store of a run, and check whether a store is the one that a run was fitted on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evenhand._errors import EvenhandError
from evenhand.data.store_card import read_card as read_store_card
from evenhand.data.store_layout import CARD
from evenhand.runs.card import read_card


def place_of_store(run: Path, card: Mapping[str, Any]) -> Path | None:
    """Return the path of the store of a run: the old one, or its old name next to the run.

    None if the run was fitted on a table in memory.

    Raises
    ------
    EvenhandError
        If it is in neither place.
    """
    if card["store"] is None:
        return None
    before = Path(card["store"])
    beside = run.resolve().parent / before.name
    for place in (before, beside):
        if (place / CARD).is_file():
            return place
    if before.exists():  # unfinished, or damaged: its reader says so
        return before
    raise EvenhandError(
        f"the store of {run} is neither at {before} nor at {beside}; give its new location as `store`"
    )


def check_store(run: Path, store: Path | None) -> Path | None:
    """Return the path of the store of a run, and refuse another store; None for a table in memory.

    Raises
    ------
    EvenhandError
        As `read_card` and `place_of_store`, or if the card of the store is another.
    """
    card = read_card(run)
    place = store or place_of_store(run, card)
    if place is not None and read_store_card(place).identity != card["store_card"]:
        raise other_store(place, run)
    return place


def other_store(store: Path | None, run: Path) -> EvenhandError:
    """Return the error for a run that was fitted on another store; None stands for a table in memory."""
    given = "the table" if store is None else f"store {store}"
    return EvenhandError(f"{given} is not the one that {run} was fitted on; give the one that its card names")
