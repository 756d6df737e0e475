from typing import Any

import numpy as np
import pytest

from evenhand.audits.findings import Slice, Word
from evenhand.evaluation.accuracy import Rate
from evenhand.reports.galleries import Gallery
from evenhand.reports.headline import verdict
from evenhand.reports.rates import Estimate, RateRow
from evenhand.reports.slice_panels import ModelPanels, SlicePanel, SliceSection


def rate(value: float | None, n: int = 100) -> dict[str, Any] | None:
    return None if value is None else {"name": "a", "n": n, "value": value, "low": 0.0, "high": 1.0}


def row(method: str, seed: int, worst: float | None, **more: Any) -> dict[str, Any]:
    return {
        "method": method,
        "seed": seed,
        "worst_group": rate(worst),
        "worst_class": rate(0.8),
        "averages": {"plain": 0.9},
        "group_labels_used": "none",
        **more,
    }


def text(rows: list[dict[str, Any]], *more: Any) -> str:
    found = verdict(rows, *more)
    return " ".join([found.headline, *found.facts]).replace("\u00a0", " ")


ERM = [row("erm", 0, 0.4), row("erm", 1, 0.5)]
SURE = {"value": 0.25, "low": 0.1, "high": 0.4}
UNSURE = {"value": 0.02, "low": -0.05, "high": 0.09}
KEPT = {"candidate": "erm"}


@pytest.mark.parametrize(
    ("after", "sentence"),
    [
        (0.7, "raises the worst group from 45.0 % to 70.0 %, without group labels."),
        (0.2, "lowers the worst group from 45.0 % to 20.0 %, without group labels."),
        (0.45, "leaves the worst group at 45.0 %."),
        (0.45049, "leaves the worst group at 45.0 %."),
        (0.45051, "raises the worst group from 45.0 % to 45.1 %, without group labels."),
    ],
)
def test_headline_says_which_way_it_went(after: float, sentence: str) -> None:
    assert f"Calibration (CFR) {sentence}" in text([*ERM, row("cfr", 0, after)])


def test_erm_kept_is_the_verdict_when_every_seed_kept_it() -> None:
    found = text([row("erm", 0, 0.4), row("cfr", 0, 0.4, kept=KEPT, difference_to_erm=UNSURE)])
    assert found.startswith("No calibrated candidate passed: ")
    assert "with 40.0 % in its worst group" in found
    assert "Where calibration replaced" not in found


def test_seeds_that_kept_erm_are_counted() -> None:
    found = text([*ERM, row("cfr", 0, 0.4, kept=KEPT), row("cfr", 1, 0.7, kept={"candidate": "epoch 3"})])
    assert "In 1 of 2 seeds no candidate passed, and ERM was kept." in found


DECIDED = {
    "candidate": "balanced head (L2 1/n)",
    "runner_up": "zero-shot",
    "looked_at": 15,
    "rows": 900,
    "shortcut": "found",
    "shortcut_reason": "a hidden minority errs alike",
    "repair": "passed",
    "repair_reason": "balanced head (L2 1/n) gains 0.084 over zero-shot, at least 0.023",
    "next_step": "look at the slices of the report to name it",
}


def test_the_page_of_auto_prints_the_verdicts_of_kept_and_nothing_of_its_own() -> None:
    own = row("auto", 0, 0.7, kept=DECIDED, difference_to_erm=SURE)
    found = verdict([*ERM, own, row("zero_shot", 0, 0.8)])
    assert found.headline == "Shortcut: found; a hidden minority errs alike."
    facts = [fact.replace("\u00a0", " ") for fact in found.facts]
    weighed = "balanced head (L2 1/n), which gives both sides of the shortcut equal weight"
    assert facts[:3] == [
        "Repair: passed; balanced head (L2 1/n) gains 0.084 over zero-shot, at least 0.023.",
        f"Kept: {weighed}, of 15 candidates on 900 rows; the runner-up is zero-shot. L2 k/n means "
        "an L2 penalty of k divided by the number n of training rows.",
        "Next: look at the slices of the report to name it.",
    ]
    of_erm = "The kept model has 70.0 % in its worst group; ERM with the L2 strength that it chose has 45.0 %"
    assert facts[3].startswith(f"{of_erm} (the method erm is trained with SGD and chooses no strength); ")
    alone = verdict([own]).facts[3].replace("\u00a0", " ")
    assert alone.startswith(f"{of_erm}; ")
    assert "The highest worst group here is 80.0 %, by zero-shot." in facts


def test_verdicts_of_several_seeds_are_counted() -> None:
    unsure = {**DECIDED, "shortcut": "cannot tell"}
    found = verdict([row("auto", 0, 0.7, kept=DECIDED), row("auto", 1, 0.6, kept=unsure)])
    assert found.headline == "Shortcut: found in 1, cannot tell in 1 of 2 seeds."
    assert found.facts[1].startswith("Seed 1: Shortcut: cannot tell; ")
    assert found.facts[0].endswith("passed; balanced head gains 0.084 over zero-shot, at least 0.023.")


def test_one_run_alone_knows_erm_from_its_paired_difference() -> None:
    found = text([row("cfr", 0, 0.7, difference_to_erm=SURE)])
    assert "from 45.0 % to 70.0 %" in found
    assert "changes by +25.0 points, 95 % interval +10.0 to +40.0." in found


def test_a_difference_that_may_be_chance_says_so() -> None:
    assert "−5.0 to +9.0; it may be chance." in text([row("cfr", 0, 0.7, difference_to_erm=UNSURE)])


def test_differences_of_several_seeds_are_listed() -> None:
    rows = [row("cfr", 0, 0.7, difference_to_erm=SURE), row("cfr", 1, 0.7, difference_to_erm=UNSURE)]
    assert "+25.0 and +2.0 points, seed by seed; the 95 % interval is above 0 in 1 of 2." in text(rows)


def test_calibration_alone_gives_its_rate() -> None:
    assert text([row("cfr", 0, None)]).startswith("Calibrated (CFR), the worst class is 80.0 %.")


def test_the_average_moves_with_a_verb() -> None:
    lower = row("cfr", 0, 0.7, averages={"plain": 0.8})
    assert "The average over all test rows falls from 90.0 % to 80.0 %." in text([*ERM, lower])


def test_a_method_that_does_better_is_named() -> None:
    found = text([*ERM, row("cfr", 0, 0.7), row("zero_shot", 0, 0.8)])
    assert "The highest worst group here is 80.0 %, by zero-shot." in found


def test_group_labels_take_the_claim_away() -> None:
    assert "without group labels" not in text([*ERM, row("cfr", 0, 0.7, group_labels_used="validation")])


def test_few_rows_are_said() -> None:
    found = text([row("erm", 0, 0.4, worst_group=rate(0.4, n=12))])
    assert "A worst group has 12 test rows: under 30 its rate is mostly luck." in found


def test_without_cfr_the_best_method_is_named() -> None:
    assert text([row("erm", 0, None)]) == "The highest worst class is 80.0 %, by ERM."


def test_no_result_says_so() -> None:
    assert text([]) == "No method gave a result."


def sliced(of: str, before: float, after: float | None, *, named: bool = True) -> SliceSection:
    """Return slices of which one, of the errors of model `of`, is shown."""
    estimates = [Estimate(value, value - 0.1, value + 0.05) for value in (before, after) if value is not None]
    words = [Word(word="forest", score=1.2, p=0.001, beyond_chance=named)]
    error = Rate(name="waterbird 1", n=40, value=before, low=0.0, high=1.0)
    one = Slice(
        name="waterbird 1",
        model="erm",
        method="mixture",
        label="waterbird",
        predicted="landbird",
        n=40,
        errors=30,
        error=error,
        errors_of={},
        lift=0.5,
        p=1e-9,
        p_corrected=1e-8,
        beyond_chance=True,
        rows=[],
        wrong=[],
        words=words,
        sentence="waterbird: errors look like *forest*",
    )
    shown = SlicePanel(one, RateRow("waterbird 1", estimates), Gallery("waterbird 1", 0, []))
    models = ["ERM", "CFR"] if after is not None else ["ERM"]
    return SliceSection(models, [ModelPanels(of, [shown], 1, np.array([]))], "", "", "", (), np.array([]))


IS = (
    "waterbird: errors look like *forest*; {} misclassifies 75.0 % of 40 such rows "
    "(95 % interval 65.0 to 80.0 %)"
)


@pytest.mark.parametrize(
    ("of", "before", "after", "rest"),
    [
        ("ERM", 0.75, 0.25, ", and CFR lowers that to 25.0 % (15.0 to 30.0 %)."),
        ("ERM", 0.75, 0.85, ", and CFR raises that to 85.0 % (75.0 to 90.0 %)."),
        ("ERM", 0.75, 0.75, ", and CFR does not change that."),
        ("ERM", 0.75, None, "."),
        ("CFR", 0.25, 0.75, "; ERM misclassifies 25.0 % (15.0 to 30.0 %)."),
    ],
)
def test_the_surest_slice_with_a_name_is_in_the_verdict(
    of: str, before: float, after: float | None, rest: str
) -> None:
    slices, sentence = sliced(of, before, after), IS.format(of) + rest
    assert sentence in text([*ERM, row("cfr", 0, 0.7)], slices)
    assert sentence in text([row("erm", 0, 0.4)], slices), "whatever the method"
    assert f"With seed 3, {sentence}" in text([row("cfr", 0, 0.7)], slices, 3)


def test_without_a_named_slice_the_verdict_says_nothing_of_slices() -> None:
    rows = [*ERM, row("cfr", 0, 0.7)]
    none = SliceSection(["ERM", "CFR"], [], "no slice errs more", "", "", (), np.array([]))
    assert text(rows) == text(rows, none) == text(rows, sliced("ERM", 0.75, 0.25, named=False))


@pytest.mark.parametrize(("after", "verb"), [(0.4502, "leaves"), (0.451, "raises"), (0.449, "lowers")])
def test_a_difference_that_one_decimal_shows_is_a_change(after: float, verb: str) -> None:
    assert f"{verb} the worst group" in text([*ERM, row("cfr", 0, after)])
