"""What an audit says of a run: its cost elsewhere, and the suspects among its calibration rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from evenhand._errors import EvenhandError
from evenhand._typing import Floats, Ints
from evenhand.audits.costs import accuracy_cost, retrieval_kept, unknown_costs, words_kept
from evenhand.audits.findings import Cost, Suspect
from evenhand.audits.inputs import Audited
from evenhand.audits.suspects import suspects
from evenhand.audits.vocabulary import Vocabulary
from evenhand.audits.words import TextTower
from evenhand.data.table import FeatureTable
from evenhand.methods._training.model import Model

NO_ATTRIBUTE = "the store has no attribute column whose values could be other classes"


def cost_elsewhere(
    table: FeatureTable, rows: Ints, before: Model, after: Model, tower: TextTower | None, reason: str
) -> list[Cost]:
    """Measure on `rows` what the run's projection costs outside the task; `reason`: why there is no tower."""
    by_attribute = [f"{kind}:{name}" for name in table.attributes for kind in ("zero_shot", "retrieval")]
    if tower is None:
        return unknown_costs(
            [*(by_attribute or ["zero_shot", "retrieval"]), "words_kept", "retrieval_kept"], reason
        )
    X = table.features(rows)
    pair = before.embed(X), after.embed(X)
    costs = [] if by_attribute else unknown_costs(["zero_shot", "retrieval"], NO_ATTRIBUTE)
    for name, column in table.attributes.items():
        costs += _by_attribute(table, rows, name, column[rows], pair, tower)
    if len(tower.vocabulary.words) < 2:
        return costs + unknown_costs(
            ["words_kept", "retrieval_kept"], "the vocabulary has fewer than 2 words"
        )
    return [*costs, words_kept(*pair, tower.embedded), retrieval_kept(*pair, tower.embedded)]


def _by_attribute(
    table: FeatureTable,
    rows: Ints,
    name: str,
    column: np.ndarray,
    pair: tuple[Floats, Floats],
    tower: TextTower,
) -> list[Cost]:
    values = [str(value) for value in np.unique(column) if value != ""]
    if len(values) < 2:
        reason = f"attribute {name} has fewer than 2 values on these rows"
        return unknown_costs([f"zero_shot:{name}", f"retrieval:{name}"], reason)
    of_value = {value: code for code, value in enumerate(values)}
    codes = np.array([of_value.get(str(value), -1) for value in column], dtype=np.int64)
    texts = {
        f"{label}, {value}": [f"a photo of a {label.replace('_', ' ')}, {value.replace('_', ' ')}."]
        for label in table.classes
        for value in values
    }
    own = np.where(codes >= 0, table.y[rows] * len(values) + codes, -1)
    spoken = Vocabulary(tuple(values), name).prompts()
    return [
        accuracy_cost(f"zero_shot:{name}", "zero_shot", *pair, tower.embed(spoken), codes),
        accuracy_cost(f"retrieval:{name}", "retrieval", *pair, tower.embed(texts), own),
    ]


def calibration_suspects(table: FeatureTable, run: Path, what: Audited) -> list[Suspect]:
    """Return the suspects among the run's calibration rows; empty where the run calibrates none.

    Raises
    ------
    EvenhandError
        If the run's calibration set cannot be read, or names rows that the store lacks.
    """
    rows = _calibration_rows(table, run / "calibration_set.parquet")
    if not len(rows):
        return []
    X, y = table.features(rows), what.rows.y
    models = {"zero_shot": what.pretrained, what.stages[-1].name: what.stages[-1].model}
    right = [what.pretrained_right, what.stages[-1].right]
    trusted = np.array(
        [
            all((y == c).any() and flags[y == c].mean() > 0.5 for flags in right)
            for c in range(len(table.classes))
        ]
    )
    logits = {name: model.logits(X) for name, model in models.items()}
    return suspects(
        rows, table.y[rows], logits, trusted, table.classes, table.ids.tolist(), table.paths.tolist()
    )


def _calibration_rows(table: FeatureTable, path: Path) -> Ints:
    try:
        found = pq.read_table(path)
        ids = found["id"].to_pylist() if found.num_rows else []
    except (OSError, KeyError, pa.ArrowException) as error:
        raise EvenhandError(f"{path} cannot be read ({error}); run fit again") from error
    numbers = {name: row for row, name in enumerate(table.ids.tolist())}
    missing = next((name for name in ids if name not in numbers), None)
    if missing is not None:
        raise EvenhandError(f"{path} names the row {missing!r}, which the store lacks; run fit again")
    return np.array([numbers[name] for name in ids], dtype=np.int64)
