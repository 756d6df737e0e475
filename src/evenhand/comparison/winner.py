"""Which method of a comparison is kept on one seed, on what evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from evenhand._typing import Ints
from evenhand.comparison.job import BASELINE, JobResult
from evenhand.evaluation.results import KeptMethod, ResultRow
from evenhand.evaluation.verdict_text import verdict_sentences
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
    """Decide in two steps.

    The baseline is `auto`, which decides between zero-shot, ERM and its own candidates on evidence
    cross-fitted over all rows that trained it; ERM where `auto` did not run. Then every other method must
    beat the baseline on the held-out rows, by the guard of `Evidence` with a bound for all at once.

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
    holder = units.get(BASELINE, units["erm"])
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
        reason=choice.reason if replaced or holder.kept is None else _stays(holder),
    )


def _stays(holder: JobResult) -> str:
    assert holder.kept is not None
    shortcut, repair = verdict_sentences(holder.kept)[:2]
    return f"{shortcut} {repair} No other method beats it beyond chance."
