"""How a comparison picks its winner on one seed: which method replaces ERM, and on what evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from evenhand._typing import Ints
from evenhand.comparison.job import JobResult
from evenhand.evaluation.results import KeptMethod, ResultRow
from evenhand.selection.evidence import Evidence
from evenhand.selection.held_out import HeldOutPredictions
from evenhand.selection.rules import Rule

KEPT = "kept by evenhand"
"""Name of the winners in tables, as if they were one method."""


def pick_winner(
    results: Mapping[str, JobResult], held_out: HeldOutPredictions, rule: Rule, seed: int
) -> KeptMethod:
    """Pick the method that replaces ERM, in two steps that use the same guard, `selection.Evidence`.

    1. The baseline is CFR if its own fit found evidence, which is cross-fitted over all of its training rows;
       otherwise the baseline is ERM.
    2. All other methods are compared with the baseline on the held-out rows. The best one wins if its gain is
       beyond chance, by a bound that holds for all of them at once; otherwise the baseline wins.

    Without a shortcut, each step errs with at most its own level, so both together with at most the sum.

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
    baseline = results["cfr"] if _cfr_found_evidence(results) else results["erm"]
    others = {name: one.held_out for name, one in results.items() if name not in ("erm", baseline.method)}
    predictions: Ints = np.array(list(others.values()), dtype=np.int64).reshape(len(others), len(held_out.y))
    known = replace(held_out, erm_logits=np.array(baseline.logits, dtype=np.float32))
    choice = Evidence(rule).choose(list(others), predictions, known, seed)
    reason = choice.reason
    if choice.index is None and baseline.kept is not None and baseline.method == "cfr":
        reason = f"its own fit found {baseline.kept['reason']}, and no other method beats it beyond chance"
    return KeptMethod(
        seed=seed,
        method=baseline.method if choice.index is None else choice.candidate,
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
        reason=reason,
    )


def winners_rows(rows: Sequence[ResultRow], winners: Sequence[KeptMethod]) -> list[ResultRow]:
    """Return the rows of the winner of each seed, renamed to `KEPT`, as if they were of one method."""
    chosen = {(one.method, one.seed) for one in winners}
    return [row.model_copy(update={"method": KEPT}) for row in rows if (row.method, row.seed) in chosen]


def _cfr_found_evidence(results: Mapping[str, JobResult]) -> bool:
    cfr = results.get("cfr")
    return cfr is not None and cfr.kept is not None and cfr.kept["candidate"] != "erm"
