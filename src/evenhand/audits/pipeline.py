"""What a model gets wrong, where, and what those errors look like; with a run, before and after it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field

from evenhand._errors import EvenhandError
from evenhand._files import check_replaceable
from evenhand._progress import Progress, silent
from evenhand._typing import Floats
from evenhand.audits.files import AUDIT_FILES, write_audit_files
from evenhand.audits.findings import Cost, Match, Probe, Slice, Suspect
from evenhand.audits.inputs import Audited, audited
from evenhand.audits.named_slices import name_slices
from evenhand.audits.run_report import calibration_suspects, cost_elsewhere
from evenhand.audits.slice_report import matches, probed
from evenhand.audits.slices import SLICES
from evenhand.backbones.from_card import embedded
from evenhand.data.archives import is_there
from evenhand.data.class_order import order_warning
from evenhand.data.head import Head
from evenhand.data.table import FeatureTable, as_table
from evenhand.evaluation.result_row import group_column
from evenhand.evaluation.results import ResultRow


class Audit(ResultRow):
    """The evaluation of one model, the run's or else zero-shot's, and what was found in its errors.

    models: the audited models, before first; slices and probes name them. before: the evaluation of the model
    before calibration, None without a run. sampled: rows that slices looked at. slices: of every model, the
    surest first. matches: of slices with known groups. words: where the vocabulary comes from, None where
    nothing is named; the notes say why.
    """

    models: list[str] = Field(default_factory=list)
    before: ResultRow | None = None
    sampled: int = 0
    slices: list[Slice] = Field(default_factory=list)
    matches: list[Match] = Field(default_factory=list)
    words: str | None = None
    probes: list[Probe] = Field(default_factory=list)
    costs: list[Cost] = Field(default_factory=list)
    suspects: list[Suspect] = Field(default_factory=list)

    def rates(self) -> dict[str, float | None]:
        """Return the rates that a gate may bound; without a sure slice the worst one is the worst class."""
        by_class = self.worst_class.value if self.worst_class else None
        sure = [one for one in self.slices if one.beyond_chance and one.model == self.models[-1]]
        return {
            "worst-class": by_class,
            "worst-group": self.worst_group.value if self.worst_group else None,
            "worst-slice": min((1 - one.errors / one.n for one in sure), default=by_class),
            "plain": self.averages.plain,
            "class-mean": self.averages.class_mean,
            "group-mean": self.averages.group_mean,
            "train-weighted": self.averages.train_weighted,
        }


def audit(
    X: FeatureTable | Floats,
    y: Any = None,
    *,
    groups: Any = None,
    head: Head | None = None,
    group_by: str | None = None,
    seed: int = 0,
    run: Path | None = None,
    vocabulary: Path | None = None,
    slices: int = SLICES,
    device: str = "cpu",
    progress: Progress = silent,
    out: Path | None = None,
) -> Audit:
    """Evaluate by class, and by group where attributes are known; slice the errors, name and probe them.

    Without a run zero-shot is audited. With one its model is, beside the ERM that it started from (zero-shot
    where it keeps none). Without text, centred class centroids of the training rows stand in for the prompts.
    Group labels are shown, never used: slices, words and suspects are the same without them.

    Parameters
    ----------
    X : FeatureTable, or array [N, D_in]
        What to audit: a store's table, or embeddings in memory.
    y, groups, head : optional
        Labels [N], attributes and head of embeddings in memory, as in `FeatureTable.from_arrays`.
    group_by : str, optional
        Attribute that makes the groups; the first one by default.
    seed : int, default=0
        Of the halves, samples and permutations.
    run : Path, optional
        Run folder that was fitted on this store.
    vocabulary : Path, optional
        A file with a word a line, or `none`; by default the model's own words, or the default ones.
    slices : int
        Slices of each class and method, at least 2.
    device : str
        Of the text tower.
    progress : callable
        Told of the words that are embedded.
    out : Path, optional
        Folder for slices.csv, errors.csv and suspects.csv, a new one or one that holds no other files.

    Raises
    ------
    EvenhandError
        If the table cannot be evaluated, the run is another store's or damaged, `slices` is too small, the
        vocabulary cannot be read, or `out` holds other files or cannot be written.
    """
    if slices < 2:
        raise EvenhandError(f"slices: {slices} is too few; give at least 2 for each class, {SLICES} is usual")
    table = as_table(X, y, groups=groups, head=head)
    if out is not None:
        check_replaceable(out, AUDIT_FILES, argument="out")
    column = group_column(table, group_by)
    what = audited(table, column, seed, run)
    named = name_slices(
        what,
        table,
        seed=seed,
        slices=slices,
        vocabulary=vocabulary,
        always=run is not None,
        device=device,
        progress=progress,
    )
    tower = named.tower
    last = what.found[-1]
    audit = Audit(
        **last.model_dump(exclude={"notes"}),
        models=[stage.name for stage in what.stages],
        sampled=len(what.rows.y),
        slices=named.slices,
        matches=[] if column is None else matches(what, named.dealt, table, column),
        words=None if tower is None else tower.vocabulary.source,
        probes=probed(what, table, named.slices, tower, seed),
    )
    if run is not None:
        after = what.stages[-1]
        audit.before = what.found[0] if len(what.found) > 1 else None
        audit.costs = cost_elsewhere(table, what.rows.numbers, what.pretrained, after.model, tower, named.why)
        audit.suspects = calibration_suspects(table, run, what)
    said = [f"no words: {named.why}"] if tower is None else tower.vocabulary.notes
    if out is not None:
        write_audit_files(out, table, what, named, audit.suspects)
    audit.notes = [*what.notes, *_order(table, what), *said, *_moved(table, audit)]
    return audit


def _order(table: FeatureTable, what: Audited) -> list[str]:
    """Return what the labels say of the order of imported text features."""
    first = what.stages[0]
    if first.name != "zero_shot" or table.head.text is None or embedded(table.card):
        return []
    told = order_warning(first.predicted, table.y[what.rows.numbers], table.classes)
    return [] if told is None else [told]


def _moved(table: FeatureTable, audit: Audit) -> list[str]:
    """Say how many of the images that the audit points to are no longer where the store found them."""
    rows = {row for one in audit.slices for row in one.rows} | {one.row for one in audit.suspects}
    paths = [path for row in rows if (path := str(table.paths[row]))]
    gone = sum(not is_there(Path(path)) for path in paths)
    if not gone:
        return []
    return [
        f"{gone:,} of {len(paths):,} images that this audit points to are gone from their paths; "
        "the store's thumbnails show them"
    ]
