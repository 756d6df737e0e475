"""`fit`: one method on one store, into a run folder."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.base import clone

from evenhand._errors import EvenhandError
from evenhand._files import all_or_none, atomic
from evenhand._outputs import keep_apart
from evenhand._typing import Bools, PathLike
from evenhand.data.concepts import Concepts
from evenhand.data.partition import SplitRows, parts, with_held_out
from evenhand.data.store_layout import CARD
from evenhand.data.table import FeatureTable
from evenhand.evaluation.result_row import group_column, result_row
from evenhand.evaluation.results import ResultRow, Results, provenance, summarise
from evenhand.methods._training.model import Model
from evenhand.methods.base import Method
from evenhand.methods.bundle import BUNDLE, ERM_BUNDLE, write_bundle
from evenhand.methods.erm import ERM
from evenhand.methods.registry import make, method_class, registered_name
from evenhand.runs.card import RESULTS, check_free, write_card
from evenhand.runs.streaming import STREAMED, features, streams
from evenhand.runs.temperature import apart_for_confidence, calibrate_confidence

ValidationFrom = Literal["train", "given"]


def fit_row(
    table: FeatureTable,
    method: str | Method,
    seed: int,
    *,
    group_by: str | None = None,
    validation_from: ValidationFrom = "train",
    params: Mapping[str, Any] | None = None,
    concepts: Concepts | None = None,
    erm: Model | None = None,
    confidence: bool = False,
    stream: bool | None = None,
) -> tuple[ResultRow, Method, SplitRows]:
    """Fit one method on one seed; return its row of results, the fitted method and the rows it used.

    The difference is to `erm`; by default to the method's own stage 1, or else to an ERM trained for it.
    Concepts are given to methods that need words. With `confidence` a temperature is found on rows that
    trained nothing (see `calibrate_confidence`). With `stream` the features are read from the store in
    blocks; None leaves it to their size (see `experiments.streaming`).
    """
    column = group_column(table, group_by)
    name, estimator = _estimator(table, method, seed, params, concepts)
    rows = parts(table, validation_from)
    # Methods draw rows by class: what a draw must not divide is held out here.
    if estimator.group_labels_used == "validation" or table.units is not None:
        rows = with_held_out(table, rows, seed)
    if confidence:
        rows, judged, found_on = apart_for_confidence(table, rows, seed)
    stream = streams(table, rows.train, type(estimator), name, stream)
    X, y = features(table, rows.train, stream=stream), table.labels(rows.train)
    given = given_to_fit(table, rows, estimator, name, column, stream=stream)
    start = time.perf_counter()
    estimator.fit(X, y, **given)
    seconds = time.perf_counter() - start
    if erm is None:
        erm = _stage_one(estimator) or ERM(head=table.head, random_state=seed).fit(X, y).model_
    believed = None
    if confidence:
        estimator.model_, believed = calibrate_confidence(
            estimator.model_, table, judged, found_on, rows.test
        )
    test = table.stored(rows.test)
    row = result_row(
        table,
        rows,
        _right(table, rows, estimator.model_.logits(test)),
        _right(table, rows, erm.logits(test)),
        column=column,
        method=name,
        seed=seed,
        group_labels_used=estimator.group_labels_used,
        needs=list(estimator.needs),
        selection=selection_of(estimator, rows, validation_from),
        kept=estimator.kept_,
        grid=getattr(estimator, "grid_", []),
        confidence=believed,
        fit_seconds=seconds,
        notes=[*getattr(estimator, "notes_", ()), *([STREAMED] if stream else [])],
    )
    return row, estimator, rows


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
    confidence: bool = False,
    stream: bool | None = None,
) -> Results:
    """Fit and write a run folder: bundle, card, results, history, calibration set, and the ERM behind it.

    `method` is a registry name or an unfitted estimator, which is cloned; the table gives its head, `seed`
    its random state. With `confidence` the bundle holds logits already divided by the temperature. `stream`
    is as in `fit_row`.

    Raises
    ------
    EvenhandError
        If `out` holds something that is no run, or cannot be written.
    """
    out = Path(out)
    check_free(out)
    if table.source is not None:
        keep_apart(out, [table.source])
    row, estimator, rows = fit_row(
        table,
        method,
        seed,
        group_by=group_by,
        validation_from=validation_from,
        params=params,
        concepts=concepts,
        confidence=confidence,
        stream=stream,
    )
    card = {
        "method": row.method,
        "seed": seed,
        "params": {name: repr(value) for name, value in (params or {}).items()},
        "concept_words": asdict(concepts.words) if concepts and "words" in estimator.needs else None,
        "settings": getattr(estimator, "settings_", {}),
        "classes": list(table.classes),
        "width": table.width,
        "store": str(table.source.resolve()) if table.source else None,
        "store_card": table.card,
        "validation_from": validation_from,
        "group_by": group_column(table, group_by),
    }
    results = Results(
        schema=1, provenance=provenance(store=card["store"]), rows=[row], summary=summarise([row])
    )
    erm = _stage_one(estimator)
    started_from = None if erm is estimator.model_ else erm
    with all_or_none(out, last=CARD) as folder:
        write_bundle(folder / BUNDLE, estimator.model_, list(table.classes))
        if started_from is not None:
            write_bundle(folder / ERM_BUNDLE, started_from, list(table.classes))
        _write_table(folder / "history.parquet", estimator.history_)
        _write_table(folder / "calibration_set.parquet", _calibration_rows(table, estimator, rows))
        results.write(folder / RESULTS)
        write_card(folder, card)
    if started_from is None:
        (out / ERM_BUNDLE).unlink(missing_ok=True)  # of the run that this one replaces
    return results


def _estimator(
    table: FeatureTable,
    method: str | Method,
    seed: int,
    params: Mapping[str, Any] | None,
    concepts: Concepts | None,
) -> tuple[str, Method]:
    """Return a method's name and its unfitted estimator, with the head and the words of the table."""
    if isinstance(method, str):
        words = words_for(table, method, concepts)
        return method, make(method, head=table.head, random_state=seed, **words, **(params or {}))
    name = registered_name(type(method))
    given = {"head": table.head, "random_state": seed, **words_for(table, name, concepts), **(params or {})}
    estimator: Method = clone(method).set_params(**given)
    estimator.check_ranges()
    return name, estimator


def words_for(table: FeatureTable, method: str, concepts: Concepts | None) -> dict[str, Concepts]:
    """Return the concepts for a method that needs words, if they are of the store's model."""
    if concepts is None or "words" not in method_class(method).needs:
        return {}
    weights = table.card.get("weights_sha256", "")
    if concepts.weights != weights:
        raise EvenhandError(
            f"concepts: they were embedded by weights {concepts.weights[:12] or 'unknown'} but the store was "
            f"made by {weights[:12] or 'unknown'}; embed the words by the store's model"
        )
    return {"concepts": concepts}


def _stage_one(estimator: Method) -> Model | None:
    """Return the ERM model that a method is or starts from, None where it has none."""
    return estimator.model_ if isinstance(estimator, ERM) else getattr(estimator, "erm_", None)


def given_to_fit(
    table: FeatureTable,
    rows: SplitRows,
    estimator: Method,
    name: str,
    column: str | None,
    *,
    stream: bool = False,
) -> dict[str, Any]:
    """Return what else `fit` takes: validation rows if set apart, groups for methods that declare them."""
    validation: tuple[Any, ...] | None = None
    if len(rows.validation):
        validation = features(table, rows.validation, stream=stream), table.labels(rows.validation)
    if estimator.group_labels_used == "none":
        return {"validation": validation}
    if column is None:
        raise EvenhandError(
            f"method {name} uses group labels but the store has no attribute column; import or embed with "
            "--attribute-columns, or choose a label-free method"
        )
    if validation is not None:
        validation = (*validation, table.groups(column, rows.validation))
    return {"groups": table.groups(column, rows.train), "validation": validation}


def _right(table: FeatureTable, rows: SplitRows, logits: Any) -> Bools:
    right: Bools = logits.argmax(axis=1) == table.y[rows.test]
    return right


def selection_of(estimator: Method, rows: SplitRows, validation_from: str) -> str:
    """Name the rule that chose, and the rows that it chose on."""
    if estimator.kept_:
        given = "the given validation split" if validation_from == "given" else "held-out training rows"
        judged = given if len(rows.validation) else "cross-fitted training rows"
        return f"{estimator.kept_['rule']} on {judged}"
    if estimator.selection == "none":
        return "none"
    return f"{estimator.selection}, validation from {validation_from}"


def _calibration_rows(table: FeatureTable, estimator: Method, rows: SplitRows) -> list[dict[str, Any]]:
    chosen = getattr(estimator, "calibration_set_", None)
    if chosen is None:
        return []
    columns = {name: values.tolist() for name, values in chosen.columns().items()}
    return [
        {
            "id": str(table.ids[row]),
            "label": table.classes[table.y[row]],
            **{name: values[place] for name, values in columns.items()},
        }
        for place, row in enumerate(rows.train[chosen.anchors.numpy()])
    ]


def _write_table(path: Path, records: list[dict[str, Any]]) -> None:
    # Arrow would take the columns of the first record alone; later ones also tell their fold.
    names = dict.fromkeys(name for record in records for name in record)
    with atomic(path) as temporary, temporary.open("wb") as stream:
        pq.write_table(pa.table({name: [record.get(name) for record in records] for name in names}), stream)
