"""The six lines: each case of each, and that audit and report say the same."""

import re
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from evenhand import load_store
from evenhand.audits.associations import Associations, WordAssociation
from evenhand.audits.bottom_line import BottomLine, _compared, bottom_line
from evenhand.audits.error_analysis import ErrorAnalysis, analyze_run
from evenhand.audits.kept_findings import Findings
from evenhand.audits.pipeline import audit
from evenhand.audits.shortcut import AuditVerdict, look_for_shortcut, verdict_of_fit
from evenhand.evaluation.verdict_sentences import in_plain_words
from evenhand.reports.headline import of_run
from evenhand.reports.page import render
from evenhand.reports.source import read_source

GUARDED = {
    "candidate": "epoch 4",
    "index": 3,
    "rule": "shortcut_cell",
    "looked_at": 18,
    "gain": 0.081,
    "low": 0.0513,
    "retention": 0.9524,
}
KEPT = {
    "candidate": "balanced head (L2 1/n)",
    "runner_up": "zero-shot",
    "looked_at": 15,
    "rows": 900,
    "shortcut": "found",
    "shortcut_reason": "a hidden minority errs alike",
    "repair": "passed",
    "repair_reason": "it gains 0.084",
    "next_step": "look closely",
}
UNKNOWN = AuditVerdict(shortcut="cannot tell", reason="few rows", next_step="add rows, or answer a question")


@pytest.fixture(scope="module")
def run(make_run: Callable[..., Path]) -> Path:
    return make_run("bottom", n=1200)


@pytest.fixture(scope="module")
def view(run: Path) -> ErrorAnalysis:
    return analyze_run(run, vocabulary=Path("none"))


Line = Callable[..., BottomLine]


@pytest.fixture
def line(view: ErrorAnalysis) -> Line:
    """Return the bottom line of the run, as if its fit had kept something else and its column were clean."""
    (column,) = view.findings.associations.columns
    no_column = {"columns": (column.model_copy(update={"verdict": "clean"}),)}
    clean = with_associations(view, view.findings.associations.model_copy(update=no_column))

    def made(kept: dict[str, Any] | None, analysis: ErrorAnalysis = clean) -> BottomLine:
        kept = kept or {}
        findings = analysis.findings.model_copy(update={"signs": verdict_of_fit(kept) or UNKNOWN})
        return bottom_line(analysis.models, findings, Path("-x.run"), kept)

    return made


def without_slices(analysis: ErrorAnalysis) -> Findings:
    none = {"slices": [], "members": [], "no_words": "no slice errs"}
    return analysis.findings.model_copy(update={"named": analysis.findings.named.model_copy(update=none)})


def test_audit_and_report_say_the_same(run: Path, view: ErrorAnalysis) -> None:
    found = audit(load_store(run.parent / "x.store"), run=run, vocabulary=Path("none"))
    said = found.bottom_line
    assert len(said) == 6
    assert said[:-1] == view.bottom_line.lines[:-1]
    results, _ = read_source(run)
    shown = render(results, view, saliency=False)
    assert "\N{NO-BREAK SPACE}%" in shown
    page = shown.replace("\N{NO-BREAK SPACE}%", " %")
    *lines, step = view.bottom_line.lines
    assert all(text.replace("*", "") in page for text in lines)
    assert step.startswith("Next: look at the images: evenhand report")
    assert step not in page


def test_the_page_keeps_a_next_step_that_is_not_the_page(line: Line) -> None:
    found = line({**KEPT, "shortcut": "no sign"})
    assert of_run(found).facts[-1] == found.lines[-1]
    assert found.command[0] == "predict"


def test_the_verdicts_are_those_of_the_fit(line: Line) -> None:
    found = line(KEPT)
    assert found.shortcut == "Shortcut: found; a hidden minority errs alike."
    assert found.repair == "Repair: passed; it gains 0.084."
    assert "CFR, which keeps balanced head, with " in found.best


def test_erm_of_another_strength_is_not_the_erm_beside_it(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = {**KEPT, "candidate": "ERM (L2 30/n)"}
    assert "CFR, which keeps ERM, with " in line(kept).best

    def worst(_: object, stage: Any) -> SimpleNamespace:
        return SimpleNamespace(value=0.5 if stage.name == "erm" else 0.6)

    monkeypatch.setattr(import_module("evenhand.audits.bottom_line"), "worst_rate", worst)
    assert "CFR, which keeps ERM of another strength, with 60.0 %" in line(kept).best


@pytest.mark.parametrize(
    ("kept", "repair"),
    [
        (None, "Repair: none tested; CFR has no candidates to choose from."),
        ({"candidate": "zero-shot"}, "Repair: none passed; zero-shot is kept."),
        ({"candidate": "erm"}, "Repair: none passed; ERM is kept."),
        ({"candidate": "epoch 3"}, "Repair: passed; epoch 3 is kept."),
        ({"candidate": "epoch 3", "reason": "it gains"}, "Repair: passed; it gains."),
        (
            {**GUARDED, "reason": "gain 0.081 in shortcut_cell"},
            "Repair: passed; kept epoch 4 of 18 candidates instead of plain training (ERM): on held-out "
            "rows, the label-free score shortcut_cell is 8.1 points higher (at least 5.1), and 95.2 % of the "
            "rows that ERM classifies correctly stay correct.",
        ),
    ],
)
def test_a_method_that_looks_for_no_shortcut(line: Line, kept: dict[str, Any] | None, repair: str) -> None:
    found = line(kept)
    assert found.shortcut == "Shortcut: cannot tell; few rows."
    assert found.repair == repair


@pytest.mark.parametrize(
    ("said", "command"),
    [
        ("found", "report ./-x.run --out ./-x.html"),
        ("no sign", "predict ./-x.run NEW-IMAGES --out predictions.csv"),
        ("cannot tell", "audit STORE --against ./-x.run --plan 10"),
    ],
)
def test_the_next_step_with_known_groups(line: Line, said: str, command: str) -> None:
    found = line({**KEPT, "shortcut": said})
    expected = command.replace("STORE", found.command[1])
    assert found.lines[-1].endswith(f": evenhand {expected}")
    assert list(found.command) == expected.split()
    assert ("look closely" in found.lines[-1]) == (said != "found")


@pytest.mark.parametrize(
    ("said", "rows", "verb"),
    [
        ("found", 40, "review"),
        ("found", 39, "report"),
        ("no sign", 40, "predict"),
        ("cannot tell", 40, "review"),
        ("cannot tell", 39, "audit"),
    ],
)
def test_without_groups_some_forty_answers_settle_it(
    line: Line, view: ErrorAnalysis, said: str, rows: int, verb: str
) -> None:
    found = line({**KEPT, "shortcut": said}, cut(view, rows))
    assert found.command[0] == verb
    if verb == "review":
        assert found.lines[-1].endswith("evenhand review ./-x.run --question 'YES-OR-NO QUESTION'")


def test_the_review_asks_about_a_word_of_the_label(line: Line, view: ErrorAnalysis) -> None:
    found = view.findings.associations.model_copy(
        update={"words": (WordAssociation(**WORD),), "no_words": None}
    )
    analysis = with_associations(cut(view, 40), found)
    assert line({**KEPT, "shortcut": "found"}, analysis).command == (
        *("review", "./-x.run", "--question", 'Does the word "sea" fit the image?', "--attribute", "sea"),
    )


def test_who_is_hurt_is_the_group_farthest_from_its_class_with_both_models(
    line: Line, view: ErrorAnalysis
) -> None:
    models = view.models
    groups = models.groups(models.split.test)
    before, after = models.pair
    lifts, y = {}, models.table.y[models.split.test]
    for name in ("gull / sea", "gull / wood", "jay / sea", "jay / wood"):
        mine, rest = groups == name, (groups != name) & (y == name.startswith("jay"))
        lifts[name] = [100 * ((~s.right)[mine].mean() - (~s.right)[rest].mean()) for s in (before, after)]
    name = max(lifts, key=lambda key: lifts[key][0])
    wrong = [100 * (~stage.right)[groups == name].mean() for stage in (before, after)]
    assert line(KEPT).hurt == (
        f"Hurt: {name}: ERM misclassifies {wrong[0]:.1f} % of {(groups == name).sum()} test rows, "
        f"{lifts[name][0]:.1f} points more than in the rest of its class; "
        f"CFR misclassifies {wrong[1]:.1f} %, {lifts[name][1]:.1f} points more."
    )


def test_one_name_is_not_said_of_two_candidates() -> None:
    kept, other = "ERM (L2 3/n) is kept", "the next best is"
    assert (
        in_plain_words(f"{kept}; {other} ERM (L2 1/n), with")
        == f"ERM is kept; {other} ERM of another strength, with"
    )
    assert in_plain_words(f"{kept}; {other} zero-shot, with") == f"ERM is kept; {other} zero-shot, with"


def test_a_lift_is_said_in_words() -> None:
    assert [_compared(lift) for lift in (0.05, 0.0, -0.05)] == [
        "5.0 points more",
        "0.0 points more",
        "5.0 points less",
    ]


def test_without_groups_it_is_the_surest_slice(line: Line, view: ErrorAnalysis) -> None:
    analysis = replace(view, models=replace(view.models, table=replace(view.models.table, grouped=None)))
    one = view.findings.named.sure("erm")[0][0]
    found = line(KEPT, analysis)
    of_class = f"{100 * (one.error.value - one.lift):.1f} % of all {one.label}"
    assert found.hurt == (
        f"Hurt: the slice {one.name}, {one.n} rows that look alike: ERM misclassifies "
        f"{100 * one.error.value:.1f} % of them, compared with {of_class} rows; "
        f"CFR {100 * one.errors_of['cfr'].value:.1f} %."
    )
    assert "in its worst class" in found.best


def test_nobody_is_hurt_beyond_chance_and_what_could_have_stayed_unseen(
    line: Line, view: ErrorAnalysis
) -> None:
    models = replace(view.models, table=replace(view.models.table, grouped=None))
    analysis = replace(view, models=models, findings=without_slices(view))
    found = line(KEPT, analysis).hurt
    assert re.fullmatch(
        r"Hurt: nobody beyond chance, but in a fifth of class (gull|jay) \(29 test rows\) "
        r"only a gap of \d\d points or more would be detected\.",
        found,
    )


def cut(analysis: ErrorAnalysis, rows: int) -> ErrorAnalysis:
    """Return an analysis without groups or slices, of the first test rows."""
    models = analysis.models
    stages = [replace(one, right=one.right[:rows], predicted=one.predicted[:rows]) for one in models.on_test]
    split = replace(models.split, test=models.split.test[:rows])
    models = replace(models, table=replace(models.table, grouped=None), on_test=stages, split=split)
    return replace(analysis, models=models, findings=without_slices(analysis))


def test_too_few_rows_to_show_or_to_compare(line: Line, view: ErrorAnalysis) -> None:
    assert "(3 test rows) no gap could be detected." in line(KEPT, cut(view, 60)).hurt
    assert line(KEPT, cut(view, 6)).hurt == ("Hurt: cannot tell; there are too few test rows to compare.")


WORD = {"label": "gull", "word": "sea", "difference": 2.0, "low": 1.0, "goes_with_label": True}


def with_associations(analysis: ErrorAnalysis, found: Associations) -> ErrorAnalysis:
    return replace(analysis, findings=analysis.findings.model_copy(update={"associations": found}))


def test_words_and_columns_that_go_with_the_label(line: Line, view: ErrorAnalysis) -> None:
    found = view.findings.associations
    (column,) = found.columns
    confounded = column.model_copy(update={"verdict": "confounded"})
    clean = column.model_copy(update={"verdict": "clean"})
    more = {"words": (WordAssociation(**WORD),), "no_words": None, "columns": (confounded, clean)}
    analysis = with_associations(view, found.model_copy(update=more))
    said = "Goes with the label: gull: *sea*; the column place (confounded)."
    assert line(KEPT, analysis).goes_with == said
    four = tuple(confounded.model_copy(update={"column": name}) for name in "abcd")
    fall = column.fall.model_copy(update={"value": 0.123}) if column.fall else None
    finer = found.model_copy(update={"columns": (confounded.model_copy(update={"finer": True}),)})
    said = line(KEPT, with_associations(view, finer)).goes_with
    assert "the column place (confounded, or a finer name of the class)" in said
    inflated = [clean.model_copy(update={"verdict": "inflated", "column": "day", "fall": fall})]
    both = found.model_copy(update={"columns": (*four, *inflated)})
    assert line(KEPT, with_associations(view, both)).goes_with == (
        "Goes with the label: the column a (confounded); the column b (confounded); the column c "
        "(confounded); more columns, 4 in all. Accuracy drops by 12.3 points on values of day that are held "
        "out of training (inflated)."
    )
    nothing = found.model_copy(update={"columns": (clean,)})
    said = line(KEPT, with_associations(view, nothing)).goes_with
    assert said == f"Goes with the label: no column; words cannot tell: {found.no_words}."
    nothing = nothing.model_copy(update={"no_words": None})
    said = line(KEPT, with_associations(view, nothing)).goes_with
    assert said == "Goes with the label: no word and no column."


def test_a_model_that_the_test_rows_prefer_is_said(line: Line, view: ErrorAnalysis) -> None:
    first, *others = view.models.on_test
    perfect = replace(first, right=np.ones_like(first.right))
    analysis = replace(view, models=replace(view.models, on_test=[perfect, *others]))
    said = line(KEPT, analysis).best
    assert "(zero-shot 100.0 %, ERM " in said
    assert said.endswith("; the test rows, which the choice did not use, favor zero-shot.")
    head = replace(view.models.table.head, text=None)
    without_text = replace(analysis.models, table=replace(view.models.table, head=head))
    said = line(KEPT, replace(analysis, models=without_text)).best
    assert "(class centroids 100.0 %, ERM " in said
    assert said.endswith(" favor class centroids.")


def test_a_store_alone_has_the_verdict_of_the_fit_and_no_repair(run: Path) -> None:
    store = run.parent / "x.store"
    found = audit(load_store(store))
    assert found.signs == look_for_shortcut(load_store(store), 0)
    in_plain_words, test = found.signs.reason.split(" (skewness ")
    assert found.bottom_line[0] == f"Shortcut: {found.signs.shortcut}; {in_plain_words}."
    assert re.fullmatch(r"\d\.\d\d ± \d\.\d\d\)", test)
    assert not any(text.startswith("Repair") for text in found.bottom_line)
    assert found.bottom_line[-2].startswith("Best here: only zero-shot was measured, with ")


@pytest.mark.parametrize(("said", "why"), [("found", "train a repair"), ("no sign", "train a model")])
def test_without_a_run_the_next_step_is_fit(view: ErrorAnalysis, said: str, why: str) -> None:
    signs = AuditVerdict(shortcut=said, reason="so", next_step="look")
    findings = view.findings.model_copy(update={"signs": signs})
    found = bottom_line(
        replace(view.models, table=replace(view.models.table, grouped=None)), findings, None, {}
    )
    store = view.models.table.source
    assert store is not None
    assert found.command == ("fit", str(store), "--out", str(store.with_name("x.run")))
    assert why in found.lines[-1]
