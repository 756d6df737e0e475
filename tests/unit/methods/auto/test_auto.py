"""What `auto` keeps and says on made rows."""

import warnings
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegressionCV
from tests.made_features import WIDTH, head, world

from evenhand import Auto, EvenhandError
from evenhand.methods.auto import cross_fit, estimator
from evenhand.methods.auto import part as parts
from evenhand.methods.auto.candidates import refit
from evenhand.methods.auto.penalties import Grid
from evenhand.selection.auto_guard import DecisionRule


def fitted(X: Any, y: Any, classes: int = 2, *, text: bool = True, **given: Any) -> Auto:
    own = head(classes, text=text, scale=given.pop("scale", 100.0))
    return Auto(own).fit(X, np.array(own.classes)[y], **given)


def worst_group(model: Auto, classes: int = 2) -> float:
    X, y, a = world(2000, 99, classes, minority=0.5)
    codes = model.model_.logits(X).argmax(axis=1)
    return min(
        float((codes == y)[(y == c) & (a == b)].mean()) for c in range(classes) for b in range(classes)
    )


@pytest.mark.parametrize("text", [True, False])
def test_a_shortcut_is_found_and_mended(text: bool) -> None:
    X, y, _ = world(900, 0)
    model = fitted(X, y, text=text)
    assert model.kept_ is not None
    assert model.kept_["shortcut"] in ({"found"} if text else {"found", "cannot tell"})
    assert model.kept_["repair"] == "passed"
    assert model.kept_["candidate"].startswith("balanced head")
    assert worst_group(model) > 0.9
    chosen = model.calibration_set_
    low = chosen.columns()["low"]
    a = world(900, 0)[2]
    hidden = chosen.anchors.numpy()[low >= 0.5]
    assert (a != y)[hidden].mean() > 0.8
    assert {"margin", "zero_shot_margin", "erm_margin", "low", "trust"} == set(chosen.columns())


@pytest.mark.parametrize("noise", [0.0, 0.1])
@pytest.mark.parametrize("classes", [2, 5])
@pytest.mark.parametrize("n", [100, 1000])
def test_verdicts_on_made_worlds(n: int, classes: int, noise: float) -> None:
    """Never found where nothing is hidden; never no sign where something is."""
    for seed in range(1 if n == 1000 else 2):
        flat = fitted(*world(n, seed, classes, None, noise)[:2], classes).kept_
        led = fitted(*world(n, seed, classes, 0.1, noise)[:2], classes).kept_
        assert flat is not None
        assert led is not None
        assert flat["shortcut"] != "found"
        assert led["shortcut"] != "no sign"
        if (n, classes) == (1000, 2):
            assert led["shortcut"] == "found"


def test_one_class_without_a_minority_is_no_clear_finding() -> None:
    X, y, a = world(600, 0)
    rows = (y == a) | (y == 0)
    found = fitted(X[rows], y[rows]).kept_
    assert found is not None
    assert found["shortcut"] == "cannot tell"
    assert found["reason"].startswith(f"Kept: {found['candidate']}, of 15 candidates on {rows.sum()} rows;")


def test_every_candidate_has_its_gain_and_bound() -> None:
    model = fitted(*world(300, 1)[:2])
    assert model.kept_ is not None
    own = {trial["candidate"]: trial for trial in model.grid_}
    assert len(own) == model.kept_["looked_at"] == 15
    assert own[model.kept_["baseline"]]["gain"] == own[model.kept_["baseline"]]["low"] == 0
    assert own[model.kept_["candidate"]]["low"] == model.kept_["low"] == max(t["low"] for t in own.values())


def test_without_counterexamples_nothing_reassures() -> None:
    found = fitted(*world(600, 0, minority=0.0)[:2]).kept_
    assert found is not None
    assert found["shortcut"] == "cannot tell"


def test_the_order_of_the_rows_moves_the_answer_by_rounding_alone() -> None:
    X, y, _ = world(300, 1)
    order = np.random.default_rng(0).permutation(len(y))
    first, second = fitted(X, y), fitted(X[order], y[order])
    assert first.kept_ is not None
    assert second.kept_ is not None
    assert first.kept_["candidate"] == second.kept_["candidate"]
    assert first.kept_["gain"] == pytest.approx(second.kept_["gain"], abs=0.01)
    logits = [model.model_.logits(X) for model in (first, second)]
    assert np.abs(logits[0] - logits[1]).max() < 0.02 * np.abs(logits[0]).max()


def test_classes_in_another_order_and_another_logit_scale_keep_the_answer() -> None:
    X, y, _ = world(300, 1)
    first = fitted(X, y)
    turned = head(2)
    flipped = type(turned)(turned.weight, None, ("c1", "c0"), turned.text[::-1].copy(), 100.0)  # type: ignore[index]
    second = Auto(flipped).fit(X, np.array(["c0", "c1"])[y])
    third = fitted(X, y, scale=20.0)
    for other in (second, third):
        assert first.kept_ is not None
        assert other.kept_ is not None
        assert first.kept_["shortcut"] == other.kept_["shortcut"]
        assert first.kept_["diagnostics"]["skewness"] == pytest.approx(
            other.kept_["diagnostics"]["skewness"], abs=0.05
        )
    assert (first.predict(X) == third.predict(X)).all()
    assert (first.predict(X) == second.predict(X)).mean() > 0.98


def test_small_data_fall_back_on_an_erm_as_good_as_a_cross_validated_regression() -> None:
    gains = []
    for seed in range(3):
        X, y, _ = world(60, seed, 2, None)
        X[:, :2] /= 2  # classes that overlap
        test, truth, _ = world(2000, 50 + seed, 2, None)
        test[:, :2] /= 2
        model = fitted(X, y)
        z = X / np.linalg.norm(X, axis=1, keepdims=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of defaults of its next versions
            rival = LogisticRegressionCV(Cs=np.logspace(-3, 3, 7), cv=3, max_iter=1000).fit(z, y)
        theirs = rival.score(test / np.linalg.norm(test, axis=1, keepdims=True), truth)
        gains.append(float((model.erm_.logits(test).argmax(axis=1) == truth).mean()) - theirs)
    assert np.mean(gains) > -0.01


def test_given_validation_rows_decide() -> None:
    X, y, _ = world(600, 0)
    X_val, y_val, _ = world(300, 7)
    model = fitted(X, y, validation=(X_val, np.array(["c0", "c1"])[y_val]))
    assert model.kept_ is not None
    assert model.kept_["rows"] == 300
    assert worst_group(model) > 0.85


def test_many_rows_are_sampled_and_no_row_is_left_without_a_say(monkeypatch: pytest.MonkeyPatch) -> None:
    X, y, _ = world(900, 0)
    monkeypatch.setattr(parts, "most_rows", lambda _classes: 300)
    monkeypatch.setattr(cross_fit, "REPEATED", 1000)  # one cross-fit
    refitted = []
    monkeypatch.setattr(
        estimator, "refit", lambda *given, **more: refitted.append(len(given[1].y)) or refit(*given, **more)
    )
    model = fitted(X, y)
    assert refitted == [900, 900], "ERM and what is kept are fitted on to all rows"
    assert model.kept_ is not None
    assert model.kept_["rows"] == 900
    assert model.kept_["repair"] == "passed"
    assert worst_group(model) > 0.85


def few(counts: list[int]) -> tuple[Any, Any]:
    y = np.repeat(np.arange(len(counts)), counts)
    X = np.random.default_rng(0).normal(size=(len(y), WIDTH)).astype(np.float32)
    X[np.arange(len(y)), y % WIDTH] += 2
    return X, y


PAIRS = np.repeat(np.random.default_rng(0).normal(size=(20, WIDTH)), 2, axis=0).astype(np.float32)
"""Rows that lie twice on each point, once under either label."""


@pytest.mark.parametrize(
    ("X", "y", "said"),
    [
        pytest.param(
            *few([2, 2]), "4 rows do not settle whether there is a hidden minority", id="two rows a class"
        ),
        pytest.param(
            *few([40, 1]), "the rows of a class that contradict it, about 17,", id="a class of one row"
        ),
        pytest.param(
            np.ones((20, WIDTH), dtype=np.float32), np.arange(20) % 2, "no better than chance", id="constant"
        ),
        pytest.param(
            few([20, 20])[0], 1 - few([20, 20])[1], "no better than chance", id="zero-shot is always wrong"
        ),
        pytest.param(PAIRS, np.arange(40) % 2, "the prompts do not fit", id="half of the labels are wrong"),
    ],
)
def test_hard_input_is_decided_and_told_in_one_sentence(X: Any, y: Any, said: str) -> None:
    kept = fitted(X, y).kept_
    assert kept is not None
    assert kept["shortcut"] == "cannot tell"
    assert said in kept["shortcut_reason"]
    figures = [value for value in kept["diagnostics"].values() if not isinstance(value, bool)]
    assert np.isfinite([kept["gain"], kept["low"], *figures]).all()


@pytest.mark.parametrize(
    ("X", "y", "said"),
    [
        pytest.param(*few([1, 1]), "every class has a single row", id="single rows"),
        pytest.param(np.full((20, WIDTH), np.nan, dtype=np.float32), np.arange(20) % 2, "NaN", id="nan"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(X: Any, y: Any, said: str) -> None:
    with pytest.raises((EvenhandError, ValueError), match=said):
        fitted(X, y)


def test_many_classes_of_three_rows_are_too_few_to_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimator, "usual_grid", lambda _problem: Grid((1.0,), (1.0,), 100.0, 1.0))
    y = np.repeat(np.arange(200), 3)
    centers = np.random.default_rng(0).normal(size=(200, 4))
    X = centers[y] + 0.1 * np.random.default_rng(1).normal(size=(600, 4))
    kept = Auto(rule=DecisionRule(draws=50), folds=2, repeats=1).fit(X.astype(np.float32), y).kept_
    assert kept is not None
    assert kept["shortcut_reason"].startswith("few rows: half of the classes have 3 or fewer")


def test_more_classes_than_dimensions_without_text() -> None:
    X, y = few([3] * 30)
    model = Auto().fit(X, y)
    assert np.isfinite(model.predict_proba(X)).all()


def test_the_choice_can_be_by_auroc() -> None:
    X, y, _ = world(400, 0)
    own = head(2)
    labels = np.array(own.classes)[y]
    usual, ranked = Auto(own).fit(X, labels), Auto(own, metric="auroc").fit(X, labels)
    assert usual.kept_ is not None
    assert ranked.kept_ is not None
    assert "metric" not in usual.kept_
    assert ranked.kept_["metric"] == "auroc"
    assert ranked.kept_["diagnostics"] == usual.kept_["diagnostics"]
    assert ranked.grid_[0]["utility"] > usual.grid_[0]["utility"]
    given = Auto(own, metric="auroc").fit(X, labels, validation=(X[:200], labels[:200]))
    assert given.kept_ is not None
    assert given.kept_["rows"] == 200
    with pytest.raises(EvenhandError, match="metric: no choice can be made by 'precision'"):
        Auto(own, metric="precision").fit(X, labels)
