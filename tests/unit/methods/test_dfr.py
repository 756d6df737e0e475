"""DFR against the explicit scikit-learn pipeline, and what it refuses."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.preprocessing import StandardScaler

from evenhand import EvenhandError, Head
from evenhand._random import child_seed
from evenhand.data.splits import hold_out
from evenhand.methods import dfr
from evenhand.methods._training.model import Model
from evenhand.methods.dfr import DFR

WIDTH = 6


def world(n: int, classes: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return X [n, WIDTH], y, attribute: a weak core direction a class, a strong one an attribute."""
    generator = np.random.default_rng(seed)
    y = generator.integers(0, classes, n)
    attribute = np.where(generator.random(n) < 0.8, y, generator.integers(0, classes, n))
    X = generator.normal(size=(n, WIDTH))
    X[np.arange(n), y] += 1.5
    X[np.arange(n), WIDTH - 1 - attribute] += 3
    return X.astype(np.float32), y, attribute


def fitted(
    train: tuple[np.ndarray, np.ndarray],
    validation: tuple[np.ndarray, np.ndarray, np.ndarray | None],
    classes: int,
    **params: object,
) -> tuple[DFR, Model]:
    names = np.array([*"abc"[:classes]])
    eye = np.eye(WIDTH, dtype=np.float32)
    method = DFR(Head(eye, None, tuple(names.tolist()), eye[:classes]), **params)
    X_val, y_val, groups = validation
    labels = None if groups is None else ["" if group < 0 else f"group {group}" for group in groups]
    method.fit(train[0], names[train[1]], validation=(X_val, names[y_val], labels))
    return method, method.model_


def unit_rows(X: np.ndarray) -> np.ndarray:
    return (X / np.linalg.norm(X, axis=1, keepdims=True)).astype(np.float64)


def l1(C: float) -> OneVsRestClassifier:
    return OneVsRestClassifier(LogisticRegression(C=C, solver="liblinear", random_state=0, **dfr._L1))


@pytest.mark.parametrize("classes", [2, 3])
def test_dfr_is_the_explicit_pipeline(classes: int) -> None:
    X, y, _ = world(300, classes, 0)
    X_val, y_val, attribute = world(200, classes, 1)
    method, model = fitted((X, y), (X_val, y_val, attribute), classes)
    z, group = unit_rows(X_val), np.unique(y_val * classes + attribute, return_inverse=True)[1]

    fitting, judging = hold_out(group, seed=child_seed(0, "dfr", "halves"), share=0.5)
    rows = fitting[dfr._balanced(group[fitting], 0, "choose")]
    scaler = StandardScaler().fit(z[rows])
    scores = {}
    for C in dfr.GRID:
        right = l1(C).fit(scaler.transform(z[rows]), y_val[rows]).predict(scaler.transform(z)) == y_val
        scores[C] = min(right[judging][group[judging] == g].mean() for g in np.unique(group))
    assert [(tried["C"], tried["worst_group"]) for tried in method.grid_] == list(scores.items())[::-1]
    assert max(C for C in scores if scores[C] == max(scores.values())) == method.C_

    X_test, _, _ = world(50, classes, 2)
    scaler = StandardScaler().fit(unit_rows(X))
    decisions = []
    for number in range(20):
        rows = dfr._balanced(group, 0, "refit", number)
        regression = l1(method.C_).fit(scaler.transform(z[rows]), y_val[rows])
        decisions.append(regression.decision_function(scaler.transform(unit_rows(X_test))))
    expected = np.mean(decisions, axis=0)
    logits = model.logits(X_test)
    found = logits[:, 1] - logits[:, 0] if classes == 2 else logits
    assert np.allclose(found, expected, atol=1e-4)


def test_refitting_uses_all_of_validation(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []
    fit = dfr._one_vs_rest

    def counted(z: np.ndarray, *rest: object) -> np.ndarray:
        sizes.append(len(z))
        return fit(z, *rest)

    monkeypatch.setattr(dfr, "_one_vs_rest", counted)
    train, (X_val, y_val, _) = world(100, 2, 0)[:2], world(80, 2, 1)
    group = 2 * y_val + np.arange(80) % 2
    least = np.bincount(group).min()
    fitted(train, (X_val, y_val, np.arange(80) % 2), 2)
    assert sizes == [4 * (least - least // 2)] * len(dfr.GRID) + [4 * least] * 20


def test_subsets_hold_as_many_rows_of_each_group() -> None:
    groups = np.repeat([2, 0, 1], [50, 7, 20])
    first, second = dfr._balanced(groups, 0, "refit", 0), dfr._balanced(groups, 0, "refit", 1)
    for rows in (first, second):
        assert np.bincount(groups[rows]).tolist() == [7, 7, 7]
        assert len(np.unique(rows)) == 21
    assert set(first) != set(second)


def test_a_strong_penalty_leaves_few_coefficients() -> None:
    train, validation = world(300, 2, 0)[:2], world(200, 2, 1)
    _, strong = fitted(train, validation, 2, Cs=(0.05,), n_refits=1)
    _, weak = fitted(train, validation, 2, Cs=(100.0,), n_refits=1)
    assert np.count_nonzero(strong.prototypes) < np.count_nonzero(weak.prototypes)


def test_equal_scores_go_to_the_weakest_penalty() -> None:
    y = np.arange(80) % 2
    X = np.where(y[:, None] == 0, -1.0, 1.0).repeat(WIDTH, axis=1).astype(np.float32)
    method, _ = fitted((X, y), (X, y, np.arange(80) // 2 % 2), 2, Cs=(0.7, 1.0))
    assert [tried["worst_group"] for tried in method.grid_] == [1.0, 1.0]
    assert method.C_ == 1.0


def test_groups_of_training_without_a_validation_row_are_told() -> None:
    X, y, attribute = world(300, 2, 0)
    X_val, y_val, attribute_val = world(200, 2, 1)
    kept = (y_val != 1) | (attribute_val != 0)
    validation = X_val[kept], y_val[kept], attribute_val[kept]
    method = DFR().fit(X, y, groups=attribute, validation=validation)
    assert method.notes_ == (
        "validation has no row of 1 of the 4 groups of training: DFR neither balances nor scores them",
    )
    assert DFR().fit(X, y, groups=attribute, validation=(X, y, attribute)).notes_ == ()
    assert DFR().fit(X, y, validation=validation).notes_ == ()


def test_rows_of_unknown_group_are_left_out() -> None:
    train, (X_val, y_val, attribute) = world(300, 2, 0)[:2], world(200, 2, 1)
    X_more, y_more, _ = world(50, 2, 2)
    _, plain = fitted(train, (X_val, y_val, attribute), 2)
    more = np.concatenate([X_val, X_more]), np.concatenate([y_val, y_more])
    _, same = fitted(train, (*more, np.append(attribute, np.full(50, -1))), 2)
    assert plain.prototypes.tobytes() == same.prototypes.tobytes()


def test_crossed_groups_are_the_groups_of_their_attribute() -> None:
    train, (X_val, y_val, attribute) = world(300, 3, 0)[:2], world(200, 3, 1)
    _, by_attribute = fitted(train, (X_val, y_val, attribute), 3)
    _, by_group = fitted(train, (X_val, y_val, 3 * y_val + attribute), 3)
    assert by_attribute.prototypes.tobytes() == by_group.prototypes.tobytes()


def test_constant_features_give_finite_weights() -> None:
    y = np.arange(80) % 2
    X = np.ones((80, WIDTH), dtype=np.float32)
    _, model = fitted((X, y), (X, y, np.arange(80) // 2 % 2), 2)
    assert np.isfinite(model.logits(X)).all()


def test_it_lifts_the_worst_group_above_a_fit_that_ignores_groups() -> None:
    X, y, _ = world(1000, 2, 0)
    _, model = fitted((X, y), world(600, 2, 1), 2)
    X_test, t, a = world(4000, 2, 2)
    plain = LogisticRegression().fit(unit_rows(X), y).predict(unit_rows(X_test))

    def worst(predicted: np.ndarray) -> float:
        return min(float((predicted == t)[(t == c) & (a == k)].mean()) for c in (0, 1) for k in (0, 1))

    assert worst(model.logits(X_test).argmax(axis=1)) > worst(plain) + 0.1


@pytest.mark.parametrize("groups", [None, np.full(40, -1)])
def test_no_groups_are_refused(groups: np.ndarray | None) -> None:
    X, y, _ = world(40, 2, 0)
    with pytest.raises(
        EvenhandError,
        match=r"validation: no row has a group label, but DFR balances validation by group; give \(X_val",
    ):
        fitted((X, y), (X, y, groups), 2)


def test_a_class_without_group_labels_is_refused() -> None:
    X, y, attribute = world(40, 2, 0)
    with pytest.raises(
        EvenhandError, match="validation: no row of class 'b' has a group label; DFR needs at least 2"
    ):
        fitted((X, y), (X, y, np.where(y == 1, -1, attribute)), 2)


def test_a_group_of_one_row_is_refused() -> None:
    X, y, _ = world(40, 2, 0)
    attribute = np.zeros(40, dtype=np.int64)
    attribute[np.flatnonzero(y == 1)[0]] = 7
    with pytest.raises(
        EvenhandError, match="validation: a group of class 'b' has 1 row; DFR needs at least 2, one to fit"
    ):
        fitted((X, y), (X, y, attribute), 2)
