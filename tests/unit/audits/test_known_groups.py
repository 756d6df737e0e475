"""A known group that errs against a column that goes with the label."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evenhand.audits.associations import Associations
from evenhand.audits.bottom_line import bottom_line
from evenhand.audits.error_analysis import ErrorAnalysis, analyze_run
from evenhand.audits.known_groups import group_sign
from evenhand.audits.shortcut import AuditVerdict
from evenhand.data.estimated import EstimatedColumn

NO_SIGN = AuditVerdict(shortcut="no sign", reason="so", next_step="look")


@pytest.fixture(scope="module")
def view(make_run: Callable[..., Path]) -> ErrorAnalysis:
    return analyze_run(make_run("known", n=1200), vocabulary=Path("none"))


def with_verdict(view: ErrorAnalysis, verdict: str) -> Associations:
    found = view.findings.associations
    (column,) = found.columns
    return found.model_copy(update={"columns": (column.model_copy(update={"verdict": verdict}),)})


def test_the_group_that_errs_most_and_its_training_rows(view: ErrorAnalysis) -> None:
    models = view.models
    sign = group_sign(models, models.pair[0], with_verdict(view, "confounded"))
    assert sign is not None
    assert sign.column == "place"
    assert sign.group in ("gull / wood", "jay / sea"), "against the places of most"
    rows = models.table.rows("train")
    assert sign.trained == (models.groups(rows) == sign.group).sum()


def test_no_sign_without_errors_a_confounded_column_or_a_group(view: ErrorAnalysis) -> None:
    models, stage = view.models, view.models.pair[0]
    confounded = with_verdict(view, "confounded")
    assert group_sign(models, replace(stage, right=np.ones_like(stage.right)), confounded) is None
    for verdict in ("clean", "inflated"):
        assert group_sign(models, stage, with_verdict(view, verdict)) is None
    assert group_sign(replace(models, table=replace(models.table, grouped=None)), stage, confounded) is None
    usual = models.groups(models.split.test)
    assert usual is not None
    in_usual = np.isin(usual, ("gull / sea", "jay / wood"))
    assert group_sign(models, replace(stage, right=~in_usual), confounded) is None


@pytest.mark.parametrize(
    ("trained", "run", "step"),
    [
        (10, True, ("fit", "-dfr.run", "train on the known groups")),
        (9, True, ("audit", ".audit", "collect training images of")),
        (10, False, ("fit", ".run", "train a repair")),
    ],
)
def test_the_bottom_line_says_so(
    view: ErrorAnalysis, monkeypatch: pytest.MonkeyPatch, trained: int, run: bool, step: tuple[str, str, str]
) -> None:
    models = replace(view.models, on_test=[replace(view.models.on_test[0], right=against(view))])
    sign = group_sign(models, models.pair[0], with_verdict(view, "confounded"))
    assert sign is not None
    monkeypatch.setattr("evenhand.audits.next_step.group_sign", lambda *_: replace(sign, trained=trained))
    update = {"associations": with_verdict(view, "confounded")}
    for shortcut in ("cannot tell", "no sign", "found"):
        signs = AuditVerdict(shortcut=shortcut, reason="so", next_step="look")
        findings = view.findings.model_copy(update={**update, "signs": signs})
        found = bottom_line(models, findings, Path("x.run") if run else None, {})
        said = f" The known groups show one: place goes with the label, and {sign.group} contradicts it."
        assert found.shortcut.endswith(said) == (shortcut != "found")
        command = (found.command[0], found.command[3], found.why)
        as_said = command[0] == step[0] and command[1].endswith(step[1]) and command[2].startswith(step[2])
        assert as_said == (shortcut != "found") or not run


def test_groups_of_a_review_are_not_trained_on(view: ErrorAnalysis) -> None:
    update = {"associations": with_verdict(view, "confounded"), "signs": NO_SIGN}
    findings = view.findings.model_copy(update=update)
    models = replace(view.models, on_test=[replace(view.models.on_test[0], right=against(view))])
    assert bottom_line(models, findings, Path("x.run"), {}).command[0] == "fit"
    about = EstimatedColumn(column="place", question="?", answers=40, error=0, low=0, high=0.1)
    table = replace(models.table, estimated={"place": about})
    found = bottom_line(replace(models, table=table), findings, Path("x.run"), {})
    assert found.command[0] == "predict"


def against(view: ErrorAnalysis) -> np.ndarray:
    groups = view.models.groups(view.models.split.test)
    assert groups is not None
    return ~np.isin(groups, ("gull / wood", "jay / sea"))
