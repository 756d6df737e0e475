"""`evenhand.audit`: what a model misclassifies, where, and what those errors have in common."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field

from evenhand._device_check import check_torch_device
from evenhand._errors import EvenhandError
from evenhand._outputs import AUDIT_FILES, check_replaceable
from evenhand._progress import Progress, silent
from evenhand._typing import Floats
from evenhand.audits.associations import Associations
from evenhand.audits.costs import cost_elsewhere
from evenhand.audits.csv_files import write_audit_files
from evenhand.audits.error_analysis import ErrorAnalysis, Search, search_errors
from evenhand.audits.evaluate import EvaluatedModels, evaluate_models
from evenhand.audits.findings import Cost, Match, Probe, Slice, Suspect
from evenhand.audits.gaps import Gap, find_gaps
from evenhand.audits.kept_findings import AuditOptions, KeptFindings
from evenhand.audits.matching import group_matches
from evenhand.audits.probes import probe_attributes
from evenhand.audits.shortcut import AuditVerdict
from evenhand.audits.slices import SLICES
from evenhand.audits.vocabulary import given_vocabulary
from evenhand.data.class_order import order_warning
from evenhand.data.head import Head
from evenhand.data.places import is_there
from evenhand.data.store_card import embedded
from evenhand.data.table import FeatureTable, as_table
from evenhand.evaluation.metric_view import by_metric
from evenhand.evaluation.results import ResultRow
from evenhand.evaluation.results_html import row_html
from evenhand.runs.contents import run_on


class Audit(ResultRow):
    """The evaluation of one model, and what its errors have in common. The model is the run's, or zero-shot.

    models: the audited models, before first; slices and probes name them. before: the evaluation of the model
    before calibration, None without a run. sampled: number of rows that were sliced. slices: of every model,
    the smallest p-value first. matches: slices against known groups. words: where the vocabulary comes from,
    None where nothing is named; the notes say why. associations: what goes with the label in training rows.
    signs: whether the training rows show a shortcut.
    bottom_line: the conclusions, at most six sentences.
    next_command: the arguments of the command that the last one names.
    gaps: how much more each group errs than the rest of its class, and what its rows could show.
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
    associations: Associations | None = None
    signs: AuditVerdict | None = None
    bottom_line: list[str] = Field(default_factory=list)
    next_command: list[str] = Field(default_factory=list)
    gaps: list[Gap] = Field(default_factory=list)

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the conclusions, and the rates of groups and classes."""
        return row_html(self.model_dump(), self.bottom_line)

    def rates(self, metric: str = "accuracy") -> dict[str, float | None]:
        """Return the rates that a gate may bound, by a metric of `figures` or by accuracy.

        With no slice beyond chance the worst class stands in for the worst slice; slices know accuracy alone.

        Raises
        ------
        EvenhandError
            If the metric is unknown, or the audit does not hold it.
        """
        if metric != "accuracy":
            return _rates_by(by_metric(self.model_dump(), metric))
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
    plan: float | None = None,
    device: str = "cpu",
    progress: Progress = silent,
    out: Path | None = None,
) -> Audit:
    """Evaluate a model by class and group, find slices of its errors, and name and probe them.

    Without a run, zero-shot is audited. With a run, its model is audited next to the ERM that it started from
    (next to zero-shot if the run has no ERM). Without text prototypes, the centered class centroids of the
    training rows take their place. Group labels are shown but never used: slices, words and suspects are the
    same without them.

    Parameters
    ----------
    X : FeatureTable or array [N, D_in]
        The table of a store, or embeddings in memory.
    y : array [N] of str or int, optional
        Labels, if `X` is an array.
    groups : array [N], or mapping of str to array [N], optional
        One attribute, or several by name, if `X` is an array.
    head : Head, optional
        Projection and text prototypes, if `X` is an array. By default there is no text.
    group_by : str, optional
        The attribute that makes the groups, or several as `ground,time`. The default is the first one.
    seed : int, default=0
        Seed of the halves, the sample and the permutations.
    run : Path, optional
        A run folder that was fitted on this store.
    vocabulary : Path, optional
        A file with one word per line, or `none`. The default is the model's own words, or else common nouns.
    slices : int, default=5
        Slices per class and method, at least 2.
    plan : float, optional
        A gap in accuracy, as a fraction; `gaps` says how many rows of each group would show it.
    device : str, default="cpu"
        Torch device of the models and of the text tower. Each block of rows is moved there once; probes,
        slices and intervals stay on the CPU.
    progress : callable, optional
        Receives the number of embedded words; by default nothing does.
    out : Path, optional
        Folder for slices.csv, errors.csv and suspects.csv: a new folder, or one that holds no other files.

    Returns
    -------
    Audit
        Plain data; `model_dump(mode="json")` gives the object that the command line prints as JSON.

    Raises
    ------
    EvenhandError
        If the table cannot be evaluated, the run is damaged or of another store, `slices` is too small,
        `plan` is not a fraction between 0 and 1, the vocabulary cannot be read, or `out` holds other files or
        cannot be written.

    Examples
    --------
    >>> import numpy as np
    >>> import evenhand
    >>> rng = np.random.default_rng(0)
    >>> y = np.tile(["cat", "dog"], 100)
    >>> X = rng.normal(size=(200, 4)) + 2 * (y == "dog")[:, None]
    >>> found = evenhand.audit(X, y, groups=np.repeat(["indoors", "outdoors"], 100))
    >>> found.worst_class.name, [rate.name for rate in found.groups][:2]
    ('cat', ['cat / indoors', 'cat / outdoors'])
    """
    if slices < 2:
        raise EvenhandError(
            f"slices: {slices} is too few; give at least 2 per class; the default is {SLICES}"
        )
    if plan is not None and not 0 < plan < 1:
        raise EvenhandError(
            f"plan: {plan:g} is not a gap in accuracy; give a fraction from 0 to 1, such as 0.1"
        )
    check_torch_device(device)
    table = as_table(X, y, groups=groups, head=head).with_groups(group_by)
    if out is not None:
        out = Path(out)
        check_replaceable(out, AUDIT_FILES, argument="out")
    found = None if run is None else run_on(table, Path(run))
    options = AuditOptions(seed, slices, given_vocabulary(vocabulary))
    models = evaluate_models(table, seed, found, device)
    kept = KeptFindings.of(found, table, options)
    search = search_errors(models, options, kept, device=device, progress=progress)
    analysis = ErrorAnalysis.of(models, search.findings)
    if out is not None:
        write_audit_files(out, analysis)
    return _audit_of(analysis, search, seed, plan)


def _rates_by(row: Mapping[str, Any]) -> dict[str, float | None]:
    return {
        "worst-class": (row["worst_class"] or {}).get("value"),
        "worst-group": (row["worst_group"] or {}).get("value"),
        "class-mean": row["averages"]["class_mean"],
        "group-mean": row["averages"]["group_mean"],
    }


def _audit_of(analysis: ErrorAnalysis, search: Search, seed: int, plan: float | None) -> Audit:
    """Return an analysis as plain data, with probes, matches and costs."""
    models, named = analysis.models, analysis.findings.named
    after = models.result(models.on_test[-1], **_fit_facts(models))
    audit = Audit(
        **after.model_dump(exclude={"notes"}),
        models=[stage.name for stage in models.audited],
        sampled=len(models.rows.y),
        slices=named.slices,
        matches=group_matches(models, search.assignments),
        words=named.words,
        probes=probe_attributes(models, named.slices, search.tower, seed),
        suspects=analysis.suspects,
        associations=analysis.findings.associations,
        signs=analysis.findings.signs,
        bottom_line=analysis.bottom_line.lines,
        next_command=list(analysis.bottom_line.command),
        gaps=find_gaps(models, models.on_test[-1], plan),
    )
    if models.run is not None:
        audit.before = models.result(models.pair[0]) if len(models.on_test) > 1 else None
        audit.costs = cost_elsewhere(models, search.tower, named.no_words)
    words = [f"no words: {named.no_words}"] if named.words is None else named.notes
    nothing = [named.nothing] if named.nothing else []
    audit.notes = [
        *after.notes,
        *models.notes,
        *_order(models),
        *nothing,
        *words,
        *_moved(models.table, audit),
    ]
    return audit


def _fit_facts(models: EvaluatedModels) -> dict[str, Any]:
    """Return what only the fit knows: its use of group labels and its choice; empty without a run."""
    if models.run is None:
        return {}
    return {name: models.run.result[name] for name in ("group_labels_used", "needs", "selection", "kept")}


def _order(models: EvaluatedModels) -> list[str]:
    """Return what the labels say about the order of imported text features."""
    table, first = models.table, models.audited[0]
    if first.name != "zero_shot" or table.head.text is None or embedded(table.card):
        return []
    warning = order_warning(first.predicted, models.rows.y, table.classes)
    return [] if warning is None else [warning]


def _moved(table: FeatureTable, audit: Audit) -> list[str]:
    """Say how many of the images that the audit points to are no longer where the store found them."""
    rows = {row for one in audit.slices for row in one.rows} | {one.row for one in audit.suspects}
    paths = [path for row in rows if (path := str(table.paths[row]))]
    gone = sum(not is_there(Path(path)) for path in paths)
    if not gone:
        return []
    return [
        f"{gone:,} of {len(paths):,} images that this audit lists are no longer at their paths; the store's "
        "thumbnails show them"
    ]
