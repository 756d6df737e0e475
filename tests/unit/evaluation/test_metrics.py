"""Every figure of every class and group, against scikit-learn row by row."""

from collections.abc import Callable
from typing import Any, get_args

import numpy as np
import pytest
from sklearn.metrics import (
    average_precision_score,
    f1_score,
    precision_score,
    recall_score,
    roc_auc_score,
)

from evenhand.data.groups import Groups, cross
from evenhand.evaluation import metrics as module
from evenhand.evaluation.evaluated_rows import EvaluatedRows
from evenhand.evaluation.metrics import Figure, empty_scores, figures
from evenhand.functional.intervals import wilson
from evenhand.functional.one_vs_rest import log_odds

CLASSES = ["cat", "dog", "fox"]
ORACLES: dict[str, Callable[..., Any]] = {
    "precision": precision_score,
    "recall": recall_score,
    "f1": f1_score,
}


@pytest.fixture
def data() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    y = generator.integers(0, 3, 300)
    logits = generator.normal(size=(300, 3))
    logits[np.arange(300), y] += 1
    return y, logits, generator.choice(["in", "out", ""], 300)


def test_every_figure_is_that_of_scikit_learn(data: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    y, logits, values = data
    said, odds = logits.argmax(axis=1), log_odds(logits)
    found = figures(y, said, logits, CLASSES, values=values, value_names=["in", "out"])
    assert tuple(found) == get_args(Figure)
    for inside, rates in [
        (np.ones(300, dtype=bool), lambda one: dict(zip(CLASSES, one.classes, strict=True))),
        (values == "out", lambda one: {rate.name.split(" / ")[0]: rate for rate in one.groups[1::2]}),
    ]:
        for code, name in enumerate(CLASSES):
            truth, answer, score = (y == code)[inside], (said == code)[inside], odds[inside, code]
            n = {
                "precision": answer.sum(),
                "recall": truth.sum(),
                "f1": (truth | answer).sum(),
                **dict.fromkeys(("auroc", "average_precision"), min(truth.sum(), (~truth).sum())),
            }
            for figure in found:
                rate = rates(found[figure])[name]
                assert rate.n == n[figure]
                assert rate.low < rate.value < rate.high
                if figure in ORACLES:
                    assert rate.value == pytest.approx(ORACLES[figure](truth, answer))
            assert rates(found["auroc"])[name].value == pytest.approx(roc_auc_score(truth, score))
            precision = average_precision_score(truth, score)
            assert rates(found["average_precision"])[name].value == pytest.approx(precision)
    one = found["recall"]
    assert [rate.name for rate in one.groups][:3] == ["cat / in", "cat / out", "dog / in"]
    assert (one.classes[0].low, one.classes[0].high) == wilson(
        int(((y == 0) & (said == 0)).sum()), int((y == 0).sum())
    )
    values_of = [rate.value for rate in one.classes]
    assert one.worst_class is not None
    assert one.worst_group is not None
    assert one.worst_class.value == min(value for value in values_of if value is not None)
    assert one.worst_group.value == min(rate.value for rate in one.groups if rate.value is not None)
    assert one.class_mean == pytest.approx(np.mean([value for value in values_of if value is not None]))
    assert one.group_mean == pytest.approx(np.mean([rate.value for rate in one.groups]))


def test_the_order_of_rows_changes_nothing(data: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    y, logits, values = data
    order = np.random.default_rng(1).permutation(len(y))

    def of(rows: np.ndarray) -> object:
        return figures(
            y[rows],
            logits[rows].argmax(axis=1),
            logits[rows],
            CLASSES,
            values=values[rows],
            value_names=["in", "out"],
        )

    for name, one in of(np.arange(len(y))).items():  # type: ignore[attr-defined]
        other = of(order)[name]  # type: ignore[index]
        assert [rate.value for rate in one.groups] == pytest.approx([rate.value for rate in other.groups])


def test_small_cells_of_a_class_are_compared_with_all_rows_of_their_combinations() -> None:
    """A combination that is small in one class alone stays whole for the comparison."""
    generator = np.random.default_rng(2)
    n = 600
    y = (generator.random(n) < 0.1).astype(np.int64)
    logits = generator.normal(size=(n, 2)) + np.eye(2)[y]
    said = logits.argmax(axis=1)
    sex, age = generator.choice(["f", "m"], n), generator.choice(["old", "new", ""], n, p=[0.6, 0.3, 0.1])
    columns = {"sex": sex, "age": age}
    crossed = cross(columns, ["sex", "age"], np.array(["sick", "well"])[1 - y], np.ones(n, dtype=np.bool_))
    grouped = Groups("sex,age", crossed.values, 1 - y, ["sick", "well"], crossed)
    rows = EvaluatedRows(1 - y, ["sick", "well"], "test", np.arange(n), grouped)
    found = rows.figures(1 - said, logits[:, ::-1])
    names = [rate.name for rate in found["auroc"].groups]
    assert names == rows.group_names
    assert {"sick / other", "well / m × old"} < set(names)
    assert "well / other" not in names
    score = log_odds(logits)[:, 1]
    for rate, precision in zip(found["auroc"].groups, found["precision"].groups, strict=True):
        label, value = rate.name.split(" / ")
        own = {name.split(" / ")[1] for name in names if name.startswith(label)} - {"other"}
        inside = np.array(
            [
                b != "" and (f"{a} × {b}" == value or (value == "other" and f"{a} × {b}" not in own))
                for a, b in zip(sex, age, strict=True)
            ]
        )
        sign, code = (1, 1) if label == "sick" else (-1, 0)
        assert rate.value == pytest.approx(roc_auc_score(y[inside] == code, sign * score[inside]))
        assert rate.n == min(y[inside].sum(), (1 - y[inside]).sum())
        assert precision.n == (said[inside] == code).sum()
    for code, label in enumerate(["well", "sick"]):
        of_class = [rate.n for rate in found["precision"].groups if rate.name.startswith(label)]
        assert sum(of_class) == ((said == code) & (age != "")).sum()


def test_what_has_no_rows_is_undefined() -> None:
    y = np.zeros(4, dtype=np.int64)
    found = figures(y, y, np.ones((4, 2)), ["cat", "dog"], values=np.array(["in"] * 4), value_names=["in"])
    empty = {figure: one.classes[1] for figure, one in found.items()}
    assert {figure: (rate.n, rate.value, rate.low) for figure, rate in empty.items()} == dict.fromkeys(
        get_args(Figure), (0, None, None)
    )
    assert (found["recall"].class_mean, found["recall"].classes[0].value) == (None, 1.0)
    assert found["auroc"].worst_class is None
    missed = figures(y, 1 - y, None, ["cat", "dog"])
    assert missed["f1"].classes[0].value == missed["precision"].classes[1].value == 0
    assert missed["precision"].classes[0].value is None
    absent = missed["f1"].classes[1]
    assert (absent.n, absent.value, absent.low, absent.high) == (4, None, None, None)


def test_without_scores_there_is_no_ranking(monkeypatch: pytest.MonkeyPatch) -> None:
    y = np.array([0, 1, 0])
    assert tuple(figures(y, y, None, ["a", "b"])) == ("precision", "recall", "f1")
    monkeypatch.setattr(module, "MOST_SCORES", 6)
    assert "auroc" in figures(y, y, np.eye(2)[y], ["a", "b"])
    assert empty_scores(3, 2) is not None
    monkeypatch.setattr(module, "MOST_SCORES", 5)
    assert tuple(figures(y, y, np.eye(2)[y], ["a", "b"])) == ("precision", "recall", "f1")
    assert empty_scores(3, 2) is None


def test_scores_of_many_blocks_are_those_of_one(
    data: tuple[np.ndarray, np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    y, logits, _ = data
    whole = figures(y, logits.argmax(axis=1), logits, CLASSES)
    monkeypatch.setattr(module, "BLOCK", 7)
    assert figures(y, logits.argmax(axis=1), logits, CLASSES) == whole
