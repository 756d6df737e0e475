"""What an audit finds, as plain data: a run keeps it for one state of itself, its store and the options."""

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
from evenhand.data.cached import fingerprint, key_of, read_cached, write_cached
from evenhand.data.store_layout import embedded
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


def read_findings(run: RunContents | None, table: FeatureTable, options: AuditOptions) -> Findings | None:
    """Return what an audit or a report kept in a run; None if nothing, or it is of another state.

    Parameters
    ----------
    run : RunContents or None
        The run; without one nothing is kept.
    table : FeatureTable
        Its store.
    options : AuditOptions
        How errors are searched.
    """
    if run is None:
        return None
    key = _key(run, table, options)
    return read_cached(run.folder / AUDIT, key, Findings)


def keep_findings(
    run: RunContents | None, table: FeatureTable, options: AuditOptions, findings: Findings, *, tower: bool
) -> None:
    """Write findings into a run, where the folder lets them.

    Without a text tower, because the model could not be loaded, they are not written: it may be back.
    """
    if run is not None and (tower or not embedded(table.card)):
        sweep(run.folder / AUDIT)
        with suppress(EvenhandError):
            write_cached(run.folder / AUDIT, _key(run, table, options), findings)


def _key(run: RunContents, table: FeatureTable, options: AuditOptions) -> str:
    return key_of(
        version=__version__,
        run=run.card,
        table=fingerprint(table),
        store_card=table.card,
        options=options,
        own_words=words_bytes(str(table.card.get("model"))),
    )
