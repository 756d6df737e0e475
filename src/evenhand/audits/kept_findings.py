"""What an audit finds, as plain data: a run keeps it, so that its report need not search again."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from pydantic import BaseModel

from evenhand._errors import EvenhandError
from evenhand._files import sweep
from evenhand._version import __version__
from evenhand.audits.associations import Associations
from evenhand.audits.named_slices import NamedSlices
from evenhand.audits.shortcut import ShortcutSigns
from evenhand.audits.slices import SLICES
from evenhand.audits.vocabulary import Vocabulary
from evenhand.backbones.folder import words_bytes
from evenhand.backbones.from_card import embedded
from evenhand.data.cached import fingerprint, key_of, read_cached, write_cached
from evenhand.data.table import FeatureTable
from evenhand.runs.card import AUDIT
from evenhand.runs.contents import RunContents


class Findings(BaseModel):
    """What is found whichever groups are shown: slices of errors, what goes with the label, a shortcut."""

    named: NamedSlices
    associations: Associations
    signs: ShortcutSigns


@dataclass(frozen=True)
class AuditOptions:
    """How errors are searched.

    Attributes
    ----------
    seed : int
        Seed of the sample, the halves and the permutations.
    slices : int, default=5
        Slices per class and method.
    vocabulary : Vocabulary or None
        The words that name slices, as `given_vocabulary` returns them.
    """

    seed: int
    slices: int = SLICES
    vocabulary: Vocabulary | None = None


class FindingsFile:
    """The findings in a run folder: valid for one state of the run, its store, the options and the version.

    Parameters
    ----------
    run : RunContents
        The run.
    table : FeatureTable
        Its store.
    options : AuditOptions
        How errors are searched.
    """

    def __init__(self, run: RunContents, table: FeatureTable, options: AuditOptions) -> None:
        self._path = run.folder / AUDIT
        self._complete = not embedded(table.card)
        self._key = key_of(
            version=__version__,
            run=run.card,
            table=fingerprint(table),
            store_card=table.card,
            options=options,
            own_words=words_bytes(str(table.card.get("model"))),
        )

    def read(self) -> Findings | None:
        """Return the findings; None if there are none, or they are of another state."""
        return read_cached(self._path, self._key, Findings)

    def write(self, findings: Findings, *, tower: bool = True) -> Findings:
        """Write findings where the folder lets them, and return them.

        Without a text tower, because the model could not be loaded, they are not written: it may be back.
        """
        if self._complete or tower:
            sweep(self._path)
            with suppress(EvenhandError):
                write_cached(self._path, self._key, findings)
        return findings
