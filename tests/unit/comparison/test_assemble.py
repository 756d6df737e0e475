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

KEPT = {
    "candidate": "balanced head",
    "runner_up": "zero-shot",
    "looked_at": 3,
    "rows": 100,
    "shortcut": "found",
    "shortcut_reason": "a hidden minority shows",
    "repair": "passed",
    "repair_reason": "balanced head gains 0.4 over zero-shot",
    "next_step": "look at the slices",
}


@pytest.fixture
def assembled(table: FeatureTable) -> Any:
    """Return results of methods with given predictions on held-out rows; ERM follows the attribute."""

    def assembled(
        uses: dict[str, Any], seeds: tuple[int, ...] = (0,), shortcut: str = "found", **predicted: Any
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
                    kept=KEPT | {"shortcut": shortcut} if name == "auto" else None,
                )
        jobs = FinishedJobs(
            table.with_groups("place"), entries, rows, SHORTCUT_CELL, found, held_out_predictions
        )
        return assemble(jobs, {})

    return assembled


def test_a_method_that_mends_the_shortcut_is_kept(assembled: Any) -> None:
    results = assembled({}, seeds=(0, 1), turned=lambda y: 1 - y, right=lambda y: y)
    for one in results.kept_method:
        assert one.method == "right"
        assert one.among == ["turned", "right"]
        assert one.gain > 0.3
        assert one.low > one.chance
        assert one.reason.startswith(f"gain {one.gain:.3f} by shortcut_cell (lower bound")
    assert results.kept_summary.method == "kept by evenhand"
    assert results.kept_summary.worst_group.mean == 1
    assert results.kept_summary.over_test_rows.difference_to_erm.value == 1


def test_the_inverted_classifier_and_the_oracle_never_are(assembled: Any) -> None:
    results = assembled({"right": "validation"}, turned=lambda y: 1 - y, right=lambda y: y)
    (kept,) = results.kept_method
    assert (kept.method, kept.among) == ("erm", ["turned"])
    assert kept.reason.startswith("no candidate passed: every candidate loses")
    assert results.kept_summary.worst_group.mean == results.summary[0].worst_group.mean


def test_without_rivals_erm_stays(assembled: Any) -> None:
    (kept,) = assembled({}).kept_method
    assert (kept.method, kept.among) == ("erm", [])


def half_mended(y: Any) -> Any:
    """Right on every row but each fifth."""
    return np.where(np.arange(len(y)) % 5, y, 1 - y)


def test_auto_is_the_baseline_and_stays_against_what_is_no_better(assembled: Any) -> None:
    (one,) = assembled({}, auto=half_mended, same=half_mended).kept_method
    assert (one.method, one.against, one.among) == ("auto", "auto", ["same"])
    assert one.reason == (
        "Shortcut: found; a hidden minority shows. Repair: passed; balanced head gains 0.4 over zero-shot. "
        "No other method beats it beyond chance."
    )
    (one,) = assembled({}, auto=half_mended).kept_method
    assert (one.method, one.among) == ("auto", [])


def test_a_row_above_what_is_kept_is_told(assembled: Any) -> None:
    """`right` is blind on held-out rows, so that only test rows show what it is worth."""
    (one,) = assembled({"right": "train"}, auto=half_mended, right=lambda y: y).kept_method
    assert one.method == "auto"
    (sentence,) = one.above
    assert sentence.startswith(
        "On the test rows, the worst-group accuracy of right is 100.0 points above that of auto (95 %"
    )
    (one,) = assembled({}, auto=half_mended, right=lambda y: y).kept_method
    assert (one.method, one.above) == ("right", [])


def test_who_beats_auto_is_kept_and_the_gain_is_over_auto(assembled: Any) -> None:
    (one,) = assembled({}, auto=half_mended, right=lambda y: y).kept_method
    assert (one.method, one.against) == ("right", "auto")
    (over_erm,) = assembled({}, right=lambda y: y).kept_method
    assert over_erm.against == "erm"
    assert 0 < one.low < one.gain < over_erm.gain


def test_where_the_data_cannot_tell_auto_stays(assembled: Any) -> None:
    (one,) = assembled({}, shortcut="cannot tell", auto=half_mended, right=lambda y: y).kept_method
    assert (one.method, one.against, one.among) == ("auto", "auto", ["right"])
    assert one.reason.endswith(" These rows cannot show that another method is better.")
    (one,) = assembled({}, shortcut="no sign", auto=half_mended, right=lambda y: y).kept_method
    assert one.method == "right"


def test_cfr_is_a_rival_like_others(assembled: Any) -> None:
    (one,) = assembled({}, cfr=lambda y: y, turned=lambda y: 1 - y).kept_method
    assert (one.method, one.against, one.among) == ("cfr", "erm", ["cfr", "turned"])
