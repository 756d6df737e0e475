"""Which method of a comparison takes ERM's place on one seed, on what evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from evenhand._typing import Ints
from evenhand.comparison.job import BASELINE, JobResult
from evenhand.evaluation.results import KeptMethod, ResultRow
from evenhand.selection.evidence import Evidence
from evenhand.selection.held_out import HeldOutPredictions
from evenhand.selection.rules import Rule

KEPT = "kept by evenhand"


def kept_rows(rows: Sequence[ResultRow], kept: Sequence[KeptMethod]) -> list[ResultRow]:
    """Return the rows of the method that was kept on each seed, as if they were of one method."""
    chosen = {(one.method, one.seed) for one in kept}
    return [row.model_copy(update={"method": KEPT}) for row in rows if (row.method, row.seed) in chosen]


def kept_method(
    units: Mapping[str, JobResult], judged: HeldOutPredictions, rule: Rule, seed: int
) -> KeptMethod:
    """Decide in two steps, each by the guard of CFR.

    CFR takes ERM's place where its own fit found evidence, cross-fitted over all rows that trained it. Then
    every other method must beat whoever holds the place, on the held-out rows, by a bound for all at once.
    Where there is no shortcut each step errs by its own level, so that the two err by at most their sum.

    Parameters
    ----------
    units : mapping of str to JobResult
        ERM, and the label-free methods that ran, by name.
    judged : HeldOutPredictions
        What the rule saw of the held-out rows.
    rule : Rule
        In which they are compared.
    seed : int
        Of the bootstrap.
    """
    holder = units["erm"]
    own = units.get(BASELINE)
    if own is not None and own.kept is not None and own.kept["candidate"] != "erm":
        holder = own
    among = {name: unit.held_out for name, unit in units.items() if name not in ("erm", holder.method)}
    known = replace(judged, erm_logits=np.array(holder.logits, dtype=np.float32))
    codes: Ints = np.array(list(among.values()), dtype=np.int64).reshape(len(among), len(judged.y))
    choice = Evidence(rule).choose(list(among), codes, known, seed)
    replaced = choice.index is not None
    return KeptMethod(
        seed=seed,
        method=choice.candidate if replaced else holder.method,
        against=holder.method,
        rule=rule.name,
        group_labels_used=rule.group_labels_used,
        among=list(among),
        gain=choice.gain,
        low=choice.low,
        chance=choice.chance,
        trusted_gain=choice.trusted_gain,
        retention=choice.retention,
        testimony=choice.testimony,
        rows=choice.rows,
        reason=choice.reason if replaced or holder is units["erm"] else _stays(holder),
    )


def _stays(holder: JobResult) -> str:
    assert holder.kept is not None
    return f"its own fit found {holder.kept['reason']}, and no other method beats it beyond chance"
