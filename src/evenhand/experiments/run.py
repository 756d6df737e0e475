"""`fit`: one method on one store, into a run folder."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from evenhand._errors import EvenhandError
from evenhand._files import atomic
from evenhand._typing import Bools
from evenhand.data.table import FeatureTable
from evenhand.experiments.bundle import BUNDLE, ERM_BUNDLE, write_bundle
from evenhand.experiments.evaluation import group_column, result_row
from evenhand.experiments.results import ResultRow, Results, provenance, summarise
from evenhand.experiments.splits import Rows, parts, with_held_out
from evenhand.methods._model import Model
from evenhand.methods.base import Method
from evenhand.methods.erm import ERM
from evenhand.methods.registry import make

ValidationFrom = Literal["train", "given"]


def fit_row(
    table: FeatureTable,
    method: str,
    seed: int,
    *,
    group_by: str | None = None,
    validation_from: ValidationFrom = "train",
    params: Mapping[str, Any] | None = None,
    erm: Model | None = None,
) -> tuple[ResultRow, Method, Rows]:
    """Fit one method on one seed; return its row of results, the fitted method and the rows it used.

    The difference is to `erm`; by default to the method's own stage 1, or else to an ERM trained for it.
    """
    column = group_column(table, group_by)
    estimator = make(method, head=table.head, random_state=seed, **(params or {}))
    rows = parts(table, validation_from)
    if estimator.group_labels_used != "none":
        rows = with_held_out(table, rows, seed)
    X, y = table.features(rows.train), table.labels(rows.train)
    given = _given(table, rows, estimator, method, column)
    start = time.perf_counter()
    estimator.fit(X, y, **given)
    seconds = time.perf_counter() - start
    if erm is None:
        erm = _stage_one(estimator) or ERM(head=table.head, random_state=seed).fit(X, y).model_
    row = result_row(
        table,
        rows,
        _right(table, rows, estimator.model_.logits(table.features(rows.test))),
        _right(table, rows, erm.logits(table.features(rows.test))),
        column=column,
        method=method,
        seed=seed,
        group_labels_used=estimator.group_labels_used,
        needs=list(estimator.needs),
        selection=_selection(estimator, rows, validation_from),
        kept=estimator.kept_,
        grid=getattr(estimator, "grid_", []),
        fit_seconds=seconds,
        notes=list(getattr(estimator, "notes_", ())),
    )
    return row, estimator, rows


def fit_run(
    table: FeatureTable,
    *,
    method: str,
    out: Path,
    seed: int = 0,
    group_by: str | None = None,
    validation_from: ValidationFrom = "train",
    params: Mapping[str, Any] | None = None,
) -> Results:
    """Fit and write a run folder: bundle, card, results, history, calibration set, and the ERM behind it.

    Raises
    ------
    EvenhandError
        If `out` holds something that is no run, or cannot be written.
    """
    if out.exists() and (not out.is_dir() or (any(out.iterdir()) and not (out / "card.json").exists())):
        raise EvenhandError(f"--out {out} exists and is no run folder; name a new one")
    row, estimator, rows = fit_row(
        table, method, seed, group_by=group_by, validation_from=validation_from, params=params
    )
    card = {
        "schema": 1,
        "kind": "run",
        "method": method,
        "seed": seed,
        "params": {name: repr(value) for name, value in (params or {}).items()},
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
    write_bundle(out / BUNDLE, estimator.model_, list(table.classes))
    erm = _stage_one(estimator)
    if erm is None or erm is estimator.model_:
        (out / ERM_BUNDLE).unlink(missing_ok=True)
    else:
        write_bundle(out / ERM_BUNDLE, erm, list(table.classes))
    _write_table(out / "history.parquet", estimator.history_)
    _write_table(out / "calibration_set.parquet", _calibration_rows(table, estimator, rows))
    results.write(out / "results.json")
    with atomic(out / "card.json") as temporary:
        temporary.write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return results


def _stage_one(estimator: Method) -> Model | None:
    """Return the ERM model that a method is or starts from, None where it has none."""
    return estimator.model_ if isinstance(estimator, ERM) else getattr(estimator, "erm_", None)


def _given(
    table: FeatureTable, rows: Rows, estimator: Method, name: str, column: str | None
) -> dict[str, Any]:
    """Return what else `fit` takes: validation rows if set apart, groups for methods that declare them."""
    validation: tuple[Any, ...] | None = None
    if len(rows.validation):
        validation = table.features(rows.validation), table.labels(rows.validation)
    if estimator.group_labels_used == "none":
        return {"validation": validation}
    if column is None:
        raise EvenhandError(
            f"method {name} uses group labels but the store has no attribute column; import or embed with "
            "--attribute-columns, or choose a label-free method"
        )
    groups = table.groups(column, rows.train)
    return {"groups": groups, "validation": (*(validation or ()), table.groups(column, rows.validation))}


def _right(table: FeatureTable, rows: Rows, logits: Any) -> Bools:
    right: Bools = logits.argmax(axis=1) == table.y[rows.test]
    return right


def _selection(estimator: Method, rows: Rows, validation_from: str) -> str:
    """Name the rule that chose, and the rows that it chose on."""
    if estimator.kept_:
        judged = "the given validation split" if len(rows.validation) else "cross-fitted training rows"
        return f"{estimator.kept_['rule']} on {judged}"
    if estimator.selection == "none":
        return "none"
    return f"{estimator.selection}, validation from {validation_from}"


def _calibration_rows(table: FeatureTable, estimator: Method, rows: Rows) -> list[dict[str, Any]]:
    chosen = getattr(estimator, "calibration_set_", None)
    if chosen is None:
        return []
    anchors = chosen.anchors.numpy()
    return [
        {"id": str(table.ids[row]), "label": table.classes[table.y[row]], "margin": float(margin)}
        for row, margin in zip(rows.train[anchors], chosen.margins.numpy()[anchors], strict=True)
    ]


def _write_table(path: Path, records: list[dict[str, Any]]) -> None:
    # Columns come from all records: pyarrow alone would drop what the first one lacks.
    columns = dict.fromkeys(name for record in records for name in record)
    filled = [{name: record.get(name) for name in columns} for record in records]
    with atomic(path) as temporary:
        pq.write_table(pa.Table.from_pylist(filled), temporary)
