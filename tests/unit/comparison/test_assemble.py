"""Which method replaces ERM, from what jobs predict on held-out rows."""

from typing import Any

import numpy as np
import pytest

from evenhand import FeatureTable
from evenhand.comparison.assemble import FinishedJobs, assemble
from evenhand.comparison.job import JobResult, Trial
from evenhand.comparison.requirements import Entry
from evenhand.data.partition import held_out
from evenhand.evaluation.results import Results
from evenhand.selection.held_out import HeldOutPredictions
from evenhand.selection.rules import SHORTCUT_CELL


@pytest.fixture
def assembled(table: FeatureTable) -> Any:
    """Return results of methods with given predictions on held-out rows; ERM follows the attribute."""

    def assembled(
        uses: dict[str, Any], seeds: tuple[int, ...] = (0,), kept: str = "erm", **predicted: Any
    ) -> Results:
        rows = {seed: held_out(table, seed) for seed in seeds}
        held_out_predictions, found = {}, {}
        entries = [
            Entry("erm", "ok", None),
            *(Entry(name, "ok", None, uses.get(name, "none")) for name in predicted),
        ]
        for seed in seeds:
            y = table.y[rows[seed].validation]
            place = (table.attributes["place"][rows[seed].validation] == "wood").astype(np.int64)
            logits = 4.0 * np.eye(2, dtype=np.float32)[place]
            held_out_predictions[seed] = HeldOutPredictions(
                y=y, zero_shot=y, erm_logits=-logits, shortcut=place
            )
            for name, held in {"erm": place, **predicted}.items():
                codes = held(y) if callable(held) else held
                found[name, seed] = JobResult(
                    method=name,
                    seed=seed,
                    status="ok",
                    grid=[Trial(params={}, fit_seconds=1.0, picked=True)],
                    test=(table.y[rows[seed].test] if name == "right" else 0 * rows[seed].test).tolist(),
                    held_out=codes.tolist(),
                    logits=np.eye(2)[codes].tolist(),
                    kept={"candidate": kept, "reason": "gain 0.4"} if name == "cfr" else None,
                )
        jobs = FinishedJobs(table, entries, rows, SHORTCUT_CELL, "place", found, held_out_predictions)
        return assemble(jobs, {})

    return assembled


def test_a_method_that_mends_the_shortcut_is_kept(assembled: Any) -> None:
    results = assembled({}, seeds=(0, 1), turned=lambda y: 1 - y, right=lambda y: y)
    for one in results.kept_method:
        assert one.method == "right"
        assert one.among == ["turned", "right"]
        assert one.gain > 0.3
        assert one.low > one.chance
        assert one.reason.startswith(f"gain {one.gain:.3f} in shortcut_cell, lower bound")
    assert results.kept_summary.method == "kept by evenhand"
    assert results.kept_summary.worst_group.mean == 1
    assert results.kept_summary.over_test_rows.difference_to_erm.value == 1


def test_the_inverted_classifier_and_the_oracle_never_are(assembled: Any) -> None:
    results = assembled({"right": "validation"}, turned=lambda y: 1 - y, right=lambda y: y)
    (kept,) = results.kept_method
    assert (kept.method, kept.among) == ("erm", ["turned"])
    assert kept.reason.startswith(
        "no evidence of a shortcut that calibration can mend: every candidate loses"
    )
    assert results.kept_summary.worst_group.mean == results.summary[0].worst_group.mean


def test_without_rivals_erm_stays(assembled: Any) -> None:
    (kept,) = assembled({}).kept_method
    assert (kept.method, kept.among) == ("erm", [])


def half_mended(y: Any) -> Any:
    """Right on every row but each fifth."""
    return np.where(np.arange(len(y)) % 5, y, 1 - y)


def test_cfr_takes_the_place_by_its_own_evidence_and_holds_it_against_what_is_no_better(
    assembled: Any,
) -> None:
    (one,) = assembled({}, kept="epoch 3", cfr=half_mended, same=half_mended).kept_method
    assert (one.method, one.against, one.among) == ("cfr", "cfr", ["same"])
    assert one.reason == "its own fit found gain 0.4, and no other method beats it beyond chance"
    (one,) = assembled({}, kept="epoch 3", cfr=half_mended).kept_method
    assert (one.method, one.among) == ("cfr", [])


def test_who_beats_cfr_is_kept_and_the_gain_is_over_cfr(assembled: Any) -> None:
    (one,) = assembled({}, kept="epoch 3", cfr=half_mended, right=lambda y: y).kept_method
    assert (one.method, one.against) == ("right", "cfr")
    (over_erm,) = assembled({}, right=lambda y: y).kept_method
    assert over_erm.against == "erm"
    assert 0 < one.low < one.gain < over_erm.gain


def test_where_cfr_keeps_erm_it_is_a_candidate_like_others(assembled: Any) -> None:
    (one,) = assembled({}, cfr=lambda y: y, turned=lambda y: 1 - y).kept_method
    assert (one.method, one.against, one.among) == ("cfr", "erm", ["cfr", "turned"])


def test_cfr_that_did_not_run_holds_no_place(assembled: Any) -> None:
    (one,) = assembled({}, right=lambda y: y).kept_method
    assert (one.method, one.against) == ("right", "erm")
