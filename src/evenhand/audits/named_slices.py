"""The slices of audited models, in words where a text tower is to be had: for audit and report alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from evenhand._errors import EvenhandError
from evenhand._progress import Progress, silent
from evenhand._typing import Bools
from evenhand.audits.findings import Slice
from evenhand.audits.inputs import Audited
from evenhand.audits.slice_report import find_slices, with_words
from evenhand.audits.slices import SLICES, Sliced
from evenhand.audits.vocabulary import Vocabulary, read_vocabulary
from evenhand.audits.words import TextTower, load_tower
from evenhand.data.table import FeatureTable

NO_WORDS = "none"
"""Vocabulary for when no text tower is wanted."""


@dataclass(frozen=True)
class NamedSlices:
    """Slices and how they came about.

    Attributes
    ----------
    slices : list of Slice
        Of every audited model, the surest of each first.
    members : list of bool [N]
        The members of each among the sliced rows.
    dealt : dict
        How each (model, method) deals the sliced rows.
    tower : TextTower or None
        What named them.
    why : str
        Why there are no words; empty where there is a tower.
    """

    slices: list[Slice]
    members: list[Bools]
    dealt: Mapping[tuple[str, str], Sliced]
    tower: TextTower | None
    why: str

    def sure(self) -> list[tuple[Slice, Bools]]:
        """Return the slices beyond chance with their members, without those of mostly the same rows."""
        return [
            (one, members)
            for one, members in zip(self.slices, self.members, strict=True)
            if one.beyond_chance and one.same_as is None
        ]


def name_slices(
    what: Audited,
    table: FeatureTable,
    *,
    seed: int,
    slices: int = SLICES,
    vocabulary: Path | None = None,
    always: bool = False,
    device: str = "cpu",
    progress: Progress = silent,
) -> NamedSlices:
    """Find the slices of all audited models, and name those beyond chance.

    Parameters
    ----------
    what, table
        The audited models, and the store that they are audited on.
    seed : int
        Of the permutations behind the words.
    slices : int
        Of each class and method.
    vocabulary : Path, optional
        A file with a word a line, or `none`; by default the model's own words, or the default ones.
    always : bool
        Load the text tower even where no slice is beyond chance, for other uses of it.
    device, progress
        Of the text tower.

    Raises
    ------
    EvenhandError
        If the vocabulary cannot be read.
    """
    unwanted = vocabulary is not None and str(vocabulary) == NO_WORDS
    given = None if vocabulary is None or unwanted else read_vocabulary(vocabulary)
    found, dealt = find_slices(what, slices)
    wanted = always or any(one.beyond_chance for one, _ in found)
    tower, why = None, _nothing_to_name(what)
    if unwanted and wanted:
        why = "none were asked for"
    elif wanted:
        tower, why = _tower(table, given, device, progress)
    named = with_words(what, found, table, tower, seed)
    return NamedSlices(named, [members for _, members in found], dealt, tower, why)


def _tower(
    table: FeatureTable, given: Vocabulary | None, device: str, progress: Progress
) -> tuple[TextTower | None, str]:
    """Return the text tower, or None and why there is none."""
    try:
        return load_tower(table, given, device=device, progress=progress), ""
    except EvenhandError as error:
        return None, str(error)


def _nothing_to_name(what: Audited) -> str:
    if all(stage.right.all() for stage in what.stages):
        return f"there is no error among {len(what.rows.y):,} rows"
    return "no slice errs more than its class beyond chance"
