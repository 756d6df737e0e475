"""`evenhand.fit`: one method on one table, into a run folder."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from evenhand._files import all_or_none, atomic
from evenhand._outputs import RESULTS, keep_apart
from evenhand._typing import PathLike
from evenhand.data.concepts import Concepts
from evenhand.data.partition import SplitRows, parts, with_held_out, with_temperature
from evenhand.data.store_layout import CARD
from evenhand.data.table import FeatureTable, StoredRows, no_table
from evenhand.evaluation.evaluated_rows import EvaluatedRows
from evenhand.evaluation.results import ResultRow, Results
from evenhand.methods._training.model import Model
from evenhand.methods.base import Method
from evenhand.methods.bundle import BUNDLE, ERM_BUNDLE, write_bundle
from evenhand.methods.erm import ERM
from evenhand.runs.card import AUDIT, check_free, write_card
from evenhand.runs.confidence import calibrate_confidence
from evenhand.runs.contents import CALIBRATION_SET, HISTORY
from evenhand.runs.streaming import STREAMED
from evenhand.runs.training import fit_arguments, off_cpu, selection_of, unfitted

ValidationFrom = Literal["train", "given"]


def fit(
    table: FeatureTable,
    *,
    method: str | Method = "auto",
    out: PathLike,
    seed: int = 0,
    group_by: str | None = None,
    validation_from: ValidationFrom = "train",
    params: Mapping[str, Any] | None = None,
    concepts: Concepts | None = None,
    calibrate_confidence: bool = False,
    stream: bool | None = None,
    device: str = "cpu",
) -> Results:
    """Fit one method on a table, evaluate it on the test rows, and write a run folder.

    The folder holds the fitted model, the ERM model that it started from, its card, results, training history
    and calibration set.

    Parameters
    ----------
    table : FeatureTable
        The data, as `load_store` returns it. It gives the method its head.
    method : str or Method, default="auto"
        Registry name, with a preset as in `cfr:nearest`; or an unfitted estimator, which is cloned.
    out : str or Path
        Run folder to write. An existing run is replaced.
    seed : int, default=0
        The estimator's `random_state`, and the seed of all draws of rows.
    group_by : str, optional
        Attribute that makes the groups, or several as `ground,time`; the first attribute by default.
    validation_from : "train" or "given", default="train"
        With "train", rows to choose on come from the training rows. With "given", they are the table's
        validation split.
    params : mapping of str to object, optional
        Other parameters of the estimator.
    concepts : Concepts, optional
        Embedded concept words, for methods that need words.
    calibrate_confidence : bool, default=False
        Whether to fit a temperature on rows that did not train the model, and to divide the logits by it.
    stream : bool, optional
        Whether to read features from the store in blocks; by default, if they take more than 2 GiB.
    device : str, default="cpu"
        Torch device of the features and of the products with them, such as "cuda". The run that is written
        needs no such device.

    Returns
    -------
    Results
        What results.json holds: one row for the method, and its summary.

    Raises
    ------
    EvenhandError
        If `table` is something else; `out` holds something that is not a run, is inside the store, or cannot
        be written; a name, a parameter or `group_by` is unknown; a split or class has no rows; or the method
        needs group labels or streaming that it cannot have.

    Examples
    --------
    >>> import evenhand, numpy, tempfile
    >>> X, y = numpy.random.default_rng(0).normal(size=(60, 4)), ["cat", "dog"] * 30
    >>> table = evenhand.FeatureTable.from_arrays(X, y)
    >>> results = evenhand.fit(table, method=evenhand.ERM(epochs=2), out=tempfile.mkdtemp())
    >>> results.rows[0].method, results.rows[0].split
    ('erm', 'test')
    """
    if not isinstance(table, FeatureTable):
        raise no_table(table, argument="table")
    out = Path(out)
    check_free(out)
    keep_apart(out, [table.source])
    options = FitOptions(
        group_by, validation_from, params or {}, concepts, calibrate_confidence, stream, device
    )
    fitted = fit_row(table, method, seed, options)
    results = Results.of([fitted.row], store=table.place, **off_cpu(device))
    card = _card(fitted, options)
    with all_or_none(out, last=CARD, stale=(ERM_BUNDLE, AUDIT)) as folder:
        _write_table(folder / HISTORY, fitted.estimator.history_)
        _write_table(folder / CALIBRATION_SET, _calibration_rows(fitted))
        for name, model in _models(fitted.estimator).items():
            write_bundle(folder / name, model, list(table.classes))
        results.write(folder / RESULTS)
        write_card(folder, card)
    return results


@dataclass(frozen=True)
class FitOptions:
    """How a method is fitted; `fit` documents each option."""

    group_by: str | None = None
    validation_from: ValidationFrom = "train"
    params: Mapping[str, Any] = field(default_factory=dict)
    concepts: Concepts | None = None
    calibrate_confidence: bool = False
    stream: bool | None = None
    device: str = "cpu"


class Fitted(NamedTuple):
    """A fitted estimator, its row of results, and what it was fitted on: rows of a table with its groups."""

    row: ResultRow
    estimator: Method
    rows: SplitRows
    table: FeatureTable


_DEFAULT = FitOptions()


def fit_row(
    table: FeatureTable,
    method: str | Method,
    seed: int,
    options: FitOptions = _DEFAULT,
    *,
    erm: Model | None = None,
) -> Fitted:
    """Fit one method and evaluate it, without writing anything.

    The difference in the row is to `erm`; by default to the ERM that the method started from, or else to an
    ERM trained for it.
    """
    name, estimator = unfitted(method, table, seed, options.params, options.concepts)
    table = table.with_groups(options.group_by)
    rows = parts(table, options.validation_from)
    if estimator.group_labels_used == "validation":
        rows = with_held_out(table, rows, seed)
    if options.calibrate_confidence:
        rows = with_temperature(table, rows, seed)
    arguments = fit_arguments(table, rows, estimator, name, options.stream)
    start = time.perf_counter()
    estimator.fit(**arguments, **off_cpu(options.device))
    seconds = time.perf_counter() - start
    erm = erm or _erm_of(estimator)
    if erm is None:
        erm = ERM(head=table.head, random_state=seed).fit(arguments["X"], arguments["y"]).model_
    confidence = None
    if options.calibrate_confidence:
        estimator.model_, confidence = calibrate_confidence(estimator.model_, table, rows)
    streamed = isinstance(arguments["X"], StoredRows)
    X, on = table.stored(rows.test), EvaluatedRows.of(table, rows)
    logits = estimator.model_.logits(X)
    predicted = logits.argmax(axis=1)
    row = on.result_row(
        predicted == on.y,
        erm.logits(X).argmax(axis=1) == on.y,
        figures=on.figures(predicted, logits),
        method=name,
        seed=seed,
        group_labels_used=estimator.group_labels_used,
        needs=list(estimator.needs),
        selection=selection_of(estimator, rows, options.validation_from),
        kept=estimator.kept_,
        grid=getattr(estimator, "grid_", []),
        confidence=confidence,
        fit_seconds=seconds,
        notes=[*getattr(estimator, "notes_", ()), *([STREAMED] if streamed else [])],
    )
    return Fitted(row, estimator, rows, table)


def _erm_of(estimator: Method) -> Model | None:
    """Return the ERM model that a method is or starts from; None if there is none."""
    return estimator.model_ if isinstance(estimator, ERM) else getattr(estimator, "erm_", None)


def _models(estimator: Method) -> dict[str, Model]:
    """Return the models to write, by file name: the fitted one, and the ERM that it started from."""
    erm, model = _erm_of(estimator), estimator.model_
    return {BUNDLE: model} if erm is None or erm is model else {BUNDLE: model, ERM_BUNDLE: erm}


def _card(fitted: Fitted, options: FitOptions) -> dict[str, Any]:
    table = fitted.table
    words = options.concepts if "words" in fitted.estimator.needs else None
    return {
        "method": fitted.row.method,
        "seed": fitted.row.seed,
        "params": {name: repr(value) for name, value in options.params.items()},
        "concept_words": asdict(words.words) if words else None,
        "settings": getattr(fitted.estimator, "settings_", {}),
        "classes": list(table.classes),
        "width": table.width,
        "store": table.place,
        "store_card": table.card,
        "validation_from": options.validation_from,
        "group_by": table.grouped and table.grouped.column,
        **({"group_labels_from": labels.model_dump()} if (labels := fitted.row.group_labels_from) else {}),
    }


def _calibration_rows(fitted: Fitted) -> list[dict[str, Any]]:
    chosen = getattr(fitted.estimator, "calibration_set_", None)
    if chosen is None:
        return []
    rows = fitted.rows.train[chosen.anchors.numpy()]
    columns = {name: values.tolist() for name, values in chosen.columns().items()}
    labels = zip(fitted.table.ids[rows].tolist(), fitted.table.labels(rows).tolist(), strict=True)
    return [
        {"id": name, "label": label, **{key: values[place] for key, values in columns.items()}}
        for place, (name, label) in enumerate(labels)
    ]


def _write_table(path: Path, records: list[dict[str, Any]]) -> None:
    # Arrow would take the columns of the first record alone; later ones may have more, such as `fold`.
    names = dict.fromkeys(name for record in records for name in record)
    with atomic(path) as temporary, temporary.open("wb") as stream:
        pq.write_table(pa.table({name: [record.get(name) for record in records] for name in names}), stream)
