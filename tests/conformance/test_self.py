"""SELF: which rows finetune, and that they finetune ERM's own last layer with classes alike."""

from collections.abc import Callable
from math import exp, log, sqrt
from typing import Any

import numpy as np
import pytest
import torch

from evenhand import EvenhandError, Head
from evenhand._random import torch_stream
from evenhand._typing import Floats, Ints
from evenhand.data.splits import hold_out
from evenhand.methods._training.last_layer import balancing_weights
from evenhand.methods._training.loop import SGD
from evenhand.methods.self_ import SelectiveFinetuning, disagreement, highest

STEP = SGD(learning_rate=3e-2, epochs=4, batch_size=16)


def loop_softmax(logits: Floats) -> list[float]:
    return [exp(x) / sum(exp(other) for other in logits) for x in logits]


def test_disagreement_is_the_divergence_of_the_second_from_the_first() -> None:
    generator = np.random.default_rng(0)
    p_logits, q_logits = 3 * generator.normal(size=(2, 20, 4))
    expected = []
    for row, other in zip(p_logits, q_logits, strict=True):
        p, q = loop_softmax(row), loop_softmax(other)
        expected.append(sum(a * (log(a) - log(b)) for a, b in zip(p, q, strict=True)))
    assert disagreement(p_logits, q_logits) == pytest.approx(expected)
    assert disagreement(p_logits, p_logits) == pytest.approx(np.zeros(20))
    assert not np.allclose(disagreement(q_logits, p_logits), expected)


def test_the_highest_scores_are_taken_in_order() -> None:
    assert highest(np.array([0.1, 3.0, -1.0, 3.0, 2.0]), 3).tolist() == [1, 3, 4]
    assert len(highest(np.zeros(4), 100)) == 4


def test_classes_weigh_the_same() -> None:
    y = np.repeat([0, 2, 3], [6, 3, 1])
    weights = balancing_weights(y)
    assert weights.tolist() == pytest.approx([10 / 18] * 6 + [10 / 9] * 3 + [10 / 3])
    assert weights.mean() == pytest.approx(1)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("criterion", ["early_stop", "loss"])
def test_the_rows_of_highest_score_are_those_of_the_slow_models(
    world: Callable[..., tuple[Floats, Ints, Ints]],
    head: Callable[[int], Head],
    slow_erm: Callable[..., tuple[Floats, float]],
    classes: int,
    criterion: str,
) -> None:
    X, y, _ = world(120, classes, share=0.7)
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    method = SelectiveFinetuning(head(classes), criterion, rows=6, early=0.25, erm=STEP).fit(X, y.astype(str))
    kept, held = hold_out(y, seed=0)

    def probabilities(epochs: int) -> list[list[float]]:
        sgd = SGD(STEP.learning_rate, epochs, STEP.batch_size)
        alike = balancing_weights(y[kept])
        projection, scale = slow_erm(X[kept], y[kept], classes, sgd, weights=alike)
        z = X[held].astype(np.float64) @ projection
        return [loop_softmax(scale * row[:classes] / np.linalg.norm(row)) for row in z]

    erm = probabilities(4)
    if criterion == "loss":
        scores = [-log(p[c]) for p, c in zip(erm, y[held], strict=True)]
    else:
        early = probabilities(1)
        scores = [
            sum(a * log(a / b) for a, b in zip(q, p, strict=True)) for p, q in zip(erm, early, strict=True)
        ]
    expected = held[sorted(range(len(held)), key=lambda i: -scores[i])[:6]]
    assert method.selected_.tolist() == expected.tolist()


def test_dropout_disagrees_where_features_are_dropped(
    world: Callable[..., tuple[Floats, Ints, Ints]],
) -> None:
    X, y, _ = world(120, 3)
    made: dict[str, Any] = {"criterion": "dropout", "rows": 6, "erm": STEP}
    method = SelectiveFinetuning(**made, dropout=0.5).fit(X, y)
    assert set(method.selected_) <= set(hold_out(y, seed=0)[1])
    assert set(method.selected_) != set(SelectiveFinetuning(**made, dropout=0.9).fit(X, y).selected_)


@pytest.mark.parametrize("classes", [2, 3])
def test_finetuning_is_sgd_from_the_last_layer_of_erm(
    world: Callable[..., tuple[Floats, Ints, Ints]],
    head: Callable[[int], Head],
    slow_erm: Callable[..., tuple[Floats, float]],
    classes: int,
) -> None:
    X, y, _ = world(400, classes, share=0.7)
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    method = SelectiveFinetuning(head(classes), rows=50, steps=8, learning_rate=3e-2, erm=STEP)
    method.fit(X, y.astype(str))
    kept, _ = hold_out(y, seed=0)
    projection, scale = slow_erm(X[kept], y[kept], classes, STEP, weights=balancing_weights(y[kept]))
    z = X[method.selected_].astype(np.float64) @ projection
    u = torch.from_numpy(sqrt(6) * z / np.linalg.norm(z, axis=1, keepdims=True))
    codes = y[method.selected_]
    counts = {c: int((codes == c).sum()) for c in set(codes.tolist())}
    v = torch.from_numpy(scale * np.eye(classes, 6) / sqrt(6)).requires_grad_()
    d = torch.zeros(classes, dtype=torch.float64, requires_grad=True)
    velocity = [torch.zeros_like(v), torch.zeros_like(d)]
    stream = torch_stream(0, "self", "finetune")
    for _ in range(4):  # 8 steps of 32 rows are 4 passes over 50 rows
        for batch in torch.split(torch.randperm(50, generator=stream), 32):
            loss = torch.zeros((), dtype=torch.float64)
            for i in batch.tolist():
                logits = v @ u[i] + d
                weight = 50 / (len(counts) * counts[int(codes[i])])
                loss = loss - weight * (logits[int(codes[i])] - logits.exp().sum().log()) / len(batch)
            for parameter, speed, gradient in zip(
                (v, d), velocity, torch.autograd.grad(loss, (v, d)), strict=True
            ):
                speed.mul_(0.9).add_(gradient + 1e-5 * parameter.detach())
                parameter.data.sub_(3e-2 * speed)
    assert np.allclose(method.model_.prototypes, sqrt(6) * v.detach().numpy(), atol=2e-3)
    assert np.allclose(method.model_.intercept, d.detach().numpy(), atol=1e-3)
    assert np.abs(d.detach().numpy()).max() > 0.01


def test_a_class_without_a_selected_row_is_told(world: Callable[..., tuple[Floats, Ints, Ints]]) -> None:
    X, y, _ = world(120, 3)
    method = SelectiveFinetuning(rows=1, erm=STEP).fit(X, np.array(["ant", "bee", "cat"])[y])
    first, second = sorted({"ant", "bee", "cat"} - {["ant", "bee", "cat"][y[method.selected_[0]]]})
    assert method.notes_ == (
        f"2 of 3 classes ('{first}', '{second}') have no row among the 1 that finetune; "
        "raise rows to have them",
    )
    assert SelectiveFinetuning(rows=24, erm=STEP).fit(X, y).notes_ == ()


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"criterion": "margin"}, "criterion: 'margin' is unknown; the allowed values are early_stop"),
        ({"rows": 0}, "rows must be at least 1, but it is 0"),
        ({"steps": 0}, "steps must be at least 1, but it is 0"),
        ({"early": 1.0}, "early must be above 0 and below 1, but it is 1.0"),
        ({"dropout": 0.0}, "dropout must be above 0 and below 1, but it is 0.0"),
        ({"erm": SGD(1e-2, 1)}, "early: a share 0.5 of 1 epochs is 1, so nothing stops early"),
    ],
)
def test_settings_out_of_range_are_refused(
    world: Callable[..., tuple[Floats, Ints, Ints]], params: dict[str, Any], sentence: str
) -> None:
    X, y, _ = world(60, 2)
    with pytest.raises(EvenhandError, match=sentence):
        SelectiveFinetuning(**params).fit(X, y)
