"""How a comparison picks its winner on one seed: which method replaces ERM, and on what evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from evenhand._typing import Ints
from evenhand.comparison.job import BASELINE, JobResult
from evenhand.evaluation.results import KeptMethod, ResultRow
from evenhand.evaluation.verdict_sentences import verdict_sentences
from evenhand.selection.erm_guard import Evidence
from evenhand.selection.held_out import HeldOutPredictions
from evenhand.selection.rules import Rule

KEPT = "kept by evenhand"
"""Name of the winners in tables, as if they were one method."""
BEATEN_BY_NONE = "No other method beats it beyond chance."


def pick_winner(
    results: Mapping[str, JobResult], held_out: HeldOutPredictions, rule: Rule, seed: int
) -> KeptMethod:
    """Pick the method to keep, in two steps.

    1. The baseline is `auto`, which decides between zero-shot, ERM and its own candidates on evidence
       cross-fitted over all rows that trained it; ERM if `auto` did not run.
    2. All other methods are compared with the baseline on the held-out rows, by `selection.Evidence`. The
       best one wins if its gain is beyond chance, by a bound that holds for all of them at once; otherwise
       the baseline wins. It also wins if `auto` says that the data cannot tell: a fifth of the training
       rows cannot show what all of them do not.

    Parameters
    ----------
    results : mapping of str to JobResult
        By name, ERM and the label-free methods that ran.
    held_out : HeldOutPredictions
        Labels and reference predictions of the held-out rows.
    rule : Rule
        The rule whose score is compared.
    seed : int
        Seed of the bootstrap.
    """
    baseline = results.get(BASELINE, results["erm"])
    others = {name: one.held_out for name, one in results.items() if name not in ("erm", baseline.method)}
    predictions: Ints = np.array(list(others.values()), dtype=np.int64).reshape(len(others), len(held_out.y))
    known = replace(held_out, erm_logits=np.array(baseline.logits, dtype=np.float32))
    choice = Evidence(rule).choose(list(others), predictions, known, seed)
    replaced = choice.index is not None and not _cannot_tell(baseline)
    return KeptMethod(
        seed=seed,
        method=choice.candidate if replaced else baseline.method,
        against=baseline.method,
        rule=rule.name,
        group_labels_used=rule.group_labels_used,
        among=list(others),
        gain=choice.gain,
        low=choice.low,
        chance=choice.chance,
        trusted_gain=choice.trusted_gain,
        retention=choice.retention,
        testimony=choice.testimony,
        rows=choice.rows,
        reason=choice.reason if replaced or baseline.kept is None else _baseline_stays(baseline),
    )


def _cannot_tell(baseline: JobResult) -> bool:
    return baseline.kept is not None and baseline.kept["shortcut"] == "cannot tell"


def winners_rows(rows: Sequence[ResultRow], winners: Sequence[KeptMethod]) -> list[ResultRow]:
    """Return the rows of the winner of each seed, renamed to `KEPT`, as if they were of one method."""
    chosen = {(one.method, one.seed) for one in winners}
    return [row.model_copy(update={"method": KEPT}) for row in rows if (row.method, row.seed) in chosen]


def _baseline_stays(baseline: JobResult) -> str:
    assert baseline.kept is not None
    shortcut, repair = verdict_sentences(baseline.kept)[:2]
    others = (
        "These rows cannot show that another method is better." if _cannot_tell(baseline) else BEATEN_BY_NONE
    )
    return f"{shortcut} {repair} {others}"
