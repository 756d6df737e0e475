"""WiSE-FT: the line of weights from zero-shot to ERM, and the share that a label-free rule takes."""

from collections.abc import Callable

import numpy as np
import pytest

from evenhand import ERM, EvenhandError, Head, WiSEFT
from evenhand._typing import Floats, Ints
from evenhand.methods._training.loop import SGD

STEP = SGD(learning_rate=3e-2, epochs=4, batch_size=16)
World = Callable[..., tuple[Floats, Ints, Ints]]


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_the_weights_lie_on_the_line(
    world: World,
    head: Callable[[int], Head],
    slow_erm: Callable[..., tuple[Floats, float]],
    classes: int,
    share: float,
) -> None:
    X, y, _ = world(120, classes)
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    model = WiSEFT(head(classes), shares=(share,), erm=STEP).fit(X, y.astype(str)).model_
    projection, scale = slow_erm(X, y, classes, STEP)
    start = head(classes).logit_scale
    expected = (1 - share) * np.eye(6) + share * projection
    assert np.allclose(model.projection.weight.numpy(), expected, atol=1e-4)
    assert model.logit_scale == pytest.approx(start ** (1 - share) * scale**share, rel=1e-4)


def test_the_ends_are_zero_shot_and_the_method_erm(world: World, head: Callable[[int], Head]) -> None:
    X, y, _ = world(120, 2)
    names = y.astype(str)
    ends = [WiSEFT(head(2), shares=(share,)).fit(X, names) for share in (0.0, 1.0)]
    z = X / np.linalg.norm(X, axis=1, keepdims=True)
    assert ends[0].predict(X).tolist() == z[:, :2].argmax(axis=1).astype(str).tolist()
    erm = ERM(head(2)).fit(X, names).model_
    assert ends[1].model_.projection.weight.numpy().tobytes() == erm.projection.weight.numpy().tobytes()


@pytest.mark.parametrize("rule", ["accuracy", "worst_class"])
def test_the_share_is_the_best_on_the_validation_rows(
    world: World, head: Callable[[int], Head], rule: str
) -> None:
    X, y, _ = world(300, 3, share=0.6)
    X_val, y_val, _ = world(90, 3, seed=1, share=0.2)
    shares, names = (1.0, 0.0, 0.4), y.astype(str)
    method = WiSEFT(head(3), shares=shares, rule=rule).fit(X, names, validation=(X_val, y_val.astype(str)))
    scores = []
    for share in shares:
        right = WiSEFT(head(3), shares=(share,)).fit(X, names).predict(X_val) == y_val.astype(str)
        by_class = [right[y_val == c].mean() for c in range(3)]
        scores.append(right.mean() if rule == "accuracy" else min(by_class))
    assert len(set(scores)) > 1
    assert [tried["share"] for tried in method.grid_] == list(shares)
    assert [tried[rule] for tried in method.grid_] == pytest.approx(scores)
    assert method.share_ == shares[int(np.argmax(scores))]
    assert method.selection == rule


def test_without_validation_rows_a_fifth_chooses_and_all_rows_train(
    world: World, head: Callable[[int], Head]
) -> None:
    X, y, _ = world(200, 2)
    method = WiSEFT(head(2)).fit(X, y.astype(str))
    assert len(method.grid_) == 11
    fixed = WiSEFT(head(2), shares=(method.share_,)).fit(X, y.astype(str))
    assert fixed.grid_ == []
    assert fixed.selection == "none"
    assert (
        method.model_.projection.weight.numpy().tobytes() == fixed.model_.projection.weight.numpy().tobytes()
    )


def test_too_few_rows_to_score_take_the_usual_share() -> None:
    X = np.array([[0.0, 1], [1, 0]] * 3)
    method = WiSEFT().fit(X, ["left", "right"] * 3)
    assert method.share_ == 0.5
    assert method.notes_ == ("too few rows are held out to score a share: the usual 0.5 is used",)


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"shares": (0.5, 1.5)}, "shares must"),
        ({"rule": "worst_group"}, "rule: worst_group uses group labels, which wise_ft never sees; choose"),
        ({"rule": "best"}, "selection: 'best' is unknown"),
    ],
)
def test_what_cannot_be_is_refused(world: World, params: dict[str, object], sentence: str) -> None:
    X, y, _ = world(60, 2)
    with pytest.raises(EvenhandError, match=sentence):
        WiSEFT(**params).fit(X, y)
