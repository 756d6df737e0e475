"""What an audit finds, as plain data: a run keeps it for one state of itself, its store and the options."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from evenhand._errors import EvenhandError
from evenhand._files import sweep
from evenhand._version import __version__
from evenhand.audits.associations import Associations
from evenhand.audits.named_slices import NamedSlices
from evenhand.audits.shortcut import AuditVerdict
from evenhand.audits.slices import SLICES
from evenhand.audits.vocabulary import Vocabulary
from evenhand.backbones.folder import words_bytes
from evenhand.data.cached import fingerprint, key_of, read_cached, write_cached
from evenhand.data.table import FeatureTable
from evenhand.runs.card import AUDIT
from evenhand.runs.contents import RunContents


class Findings(BaseModel):
    """What is found whichever groups are shown: slices of errors, what goes with the label, a shortcut."""

    named: NamedSlices
    associations: Associations
    signs: AuditVerdict


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


@dataclass(frozen=True)
class KeptFindings:
    """Where a run keeps what is found, and the hash of its state; nowhere without a run."""

    path: Path | None
    key: str

    @classmethod
    def of(cls, run: RunContents | None, table: FeatureTable, options: AuditOptions) -> KeptFindings:
        """Return the place of the findings in a run, on its store and with these options."""
        if run is None:
            return cls(None, "")
        key = key_of(
            version=__version__,
            run=run.card,
            table=fingerprint(table),
            store_card=table.card,
            options=options,
            own_words=words_bytes(str(table.card.get("model"))),
        )
        return cls(run.folder / AUDIT, key)

    def read(self) -> Findings | None:
        """Return what is kept; None if nothing, or it is of another state."""
        return None if self.path is None else read_cached(self.path, self.key, Findings)

    def write(self, findings: Findings) -> None:
        """Keep findings if the folder can be written."""
        if self.path is not None:
            sweep(self.path)
            with suppress(EvenhandError):
                write_cached(self.path, self.key, findings)
