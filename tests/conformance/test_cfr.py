"""CFR's stages 2 and 3 against loops in float64 written from the equations.

The calibration set has one positive of every class, and as many negatives are asked for as there are rows of
other classes, so that no draw enters.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from evenhand import CFR, Head
from evenhand._random import torch_stream
from evenhand._typing import Floats, Ints
from evenhand.methods._draws.negatives import NearestNegatives
from evenhand.methods._training.loop import SGD
from evenhand.methods._training.problem import build_problem
from evenhand.methods.cfr.calibrate import calibrate
from evenhand.methods.cfr.calibration_set import CalibrationSet
from evenhand.methods.cfr.loss_terms import AnchorCrossEntropy, BatchCrossEntropy, Calibration, Similarity
from evenhand.methods.cfr.presets import PUBLISHED_SIMILARITY, STABLE
from evenhand.methods.cfr.recipe import Recipe
from evenhand.methods.cfr.references import ErmReference

OF_CLASS = 3
"""Rows of each class: the first is the positive, the others are anchors."""
PAPERS = replace(
    PUBLISHED_SIMILARITY,
    terms=(AnchorCrossEntropy(), Calibration(temperature=0.5), Similarity(0.7)),
    schedule=0.5,
    dropout=0.0,
)
STEADY = replace(STABLE, terms=(Calibration(2.0, temperature=0.1), BatchCrossEntropy(balanced=True)))


def cross_entropy(z: Tensor, code: int, classes: int, scale: Tensor) -> Tensor:
    logits = scale * z[:classes]
    return -(logits[code] - logits.exp().sum().log())


def slow(
    h: Tensor, y: list[int], classes: int, sgd: SGD, *, paper: bool
) -> tuple[Tensor, Tensor, list[float]]:
    """Return W, s and the mean loss of every epoch; prototypes are the first axes."""
    W = torch.eye(h.shape[1], dtype=torch.float64, requires_grad=True)
    log_s = torch.tensor(float(np.log(1 / 0.07)), dtype=torch.float64, requires_grad=True)
    anchors = [i for i in range(len(y)) if i % OF_CLASS]
    stream = torch_stream(0, "calibration", "batches")
    velocity = [torch.zeros_like(W), torch.zeros_like(log_s)]
    history = []
    for epoch in range(sgd.epochs):
        a_e = 1 + 0.5 * np.cos(2 * np.pi * epoch / sgd.epochs)
        total = 0.0
        for batch in torch.split(torch.randperm(len(y), generator=stream), sgd.batch_size):
            rows = batch.tolist()
            z = [h[i] @ W / (h[i] @ W).norm() for i in range(len(y))]
            tau = 0.5 if paper else 0.1
            pulls = []
            for a in anchors:
                positive = a - a % OF_CLASS
                pull = (z[a] @ z[positive] / tau).exp()
                push = sum((z[a] @ z[n] / tau).exp() for n in range(len(y)) if y[n] != y[a])
                pulls.append(-(pull / (pull + push)).log())
            calibration = sum(pulls) / len(pulls)
            if paper:
                own = sum(cross_entropy(z[a], y[a], classes, log_s.exp()) for a in anchors) / len(anchors)
                similar = torch.zeros((), dtype=torch.float64)
                for i in rows:
                    for j in rows:
                        similar = similar + (-1 if y[i] == y[j] else 1) * (z[i] @ z[j]) / len(rows)
                loss = a_e * own + a_e * calibration + 0.7 * similar / len(rows)
            else:
                means = []
                for code in sorted({y[i] for i in rows}):
                    mine = [i for i in rows if y[i] == code]
                    means.append(
                        sum(cross_entropy(z[i], code, classes, log_s.exp()) for i in mine) / len(mine)
                    )
                loss = 2 * calibration + sum(means) / len(means)
            gradients = torch.autograd.grad(loss, (W, log_s))
            for p, v, gradient in zip((W, log_s), velocity, gradients, strict=True):
                v.mul_(sgd.momentum).add_(gradient + sgd.weight_decay * p.detach())
                p.data.sub_(sgd.learning_rate * v)
            total += float(loss.detach()) * len(rows)
        history.append(total / len(y))
    return W.detach(), log_s.detach().exp(), history


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("paper", [False, True])
def test_calibration_descends_on_the_sum_of_its_terms(
    head: Callable[[int], Head], classes: int, paper: bool
) -> None:
    y = np.repeat(np.arange(classes), OF_CLASS)
    X = np.random.default_rng(0).normal(size=(len(y), 6)).astype(np.float32)
    sgd = SGD(learning_rate=0.02, epochs=4, batch_size=2 * classes, weight_decay=0.05)
    negatives = NearestNegatives(OF_CLASS * (classes - 1))
    recipe: Recipe = replace(PAPERS if paper else STEADY, sgd=sgd, negatives=negatives)
    numbers = torch.arange(len(y))
    chosen = CalibrationSet(
        anchors=numbers[numbers % OF_CLASS > 0],
        positives=tuple(numbers[::OF_CLASS].split(1)),
        margins=torch.zeros(len(y)),
        notes=(),
    )
    problem = build_problem(X, y, X[:0], y[:0], classes, head(classes), 0)
    history: list[dict[str, float]] = []
    found = calibrate(problem, problem.start, chosen, recipe, history)

    unit = np.sqrt(np.square(X.astype(np.float64)).sum(axis=1).mean())
    W, s, losses = slow(torch.from_numpy(X.astype(np.float64) / unit), y.tolist(), classes, sgd, paper=paper)
    epoch, last = found[-1]
    assert epoch == sgd.epochs
    assert [entry["loss"] for entry in history] == pytest.approx(losses, rel=1e-4)
    assert torch.allclose(last.projection.weight.double(), W, atol=1e-4)
    assert float(last.log_scale.exp()) == pytest.approx(float(s), rel=1e-4)
    # It moved by far more than the tolerance, so that the comparison means something.
    assert (W - torch.eye(6, dtype=torch.float64)).abs().max() > 0.03


@pytest.mark.parametrize("classes", [2, 3])
def test_anchors_are_what_erm_has_wrong_and_positives_what_it_has_right(
    world: Callable[..., tuple[Floats, Ints, Ints]],
    head: Callable[[int], Head],
    slow_erm: Callable[..., tuple[Floats, float]],
    classes: int,
) -> None:
    X, y, _ = world(90, classes)
    sgd = SGD(learning_rate=3e-2, epochs=2, batch_size=16)
    recipe = replace(STABLE, sgd=SGD(1e-3, epochs=1))
    validation = world(30, classes, seed=1)[:2]
    names = y.astype(str)
    method = CFR(head(classes), reference=ErmReference(), recipes=recipe, erm=sgd)
    method.fit(X, names, validation=(validation[0], validation[1].astype(str)))

    W, _ = slow_erm(X, y, classes, sgd)
    predicted = (X.astype(np.float64) @ W)[:, :classes].argmax(axis=1)
    wrong = [i for i in range(len(y)) if predicted[i] != y[i]]
    assert 0 < len(wrong) < len(y) / 2
    chosen = method.calibration_set_
    assert sorted(chosen.anchors.tolist()) == wrong
    for code, positives in enumerate(chosen.positives):
        expected = [i for i in range(len(y)) if y[i] == code and predicted[i] == code]
        assert sorted(positives.tolist()) == expected
