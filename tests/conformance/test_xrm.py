"""XRM: flips, twins in float64, the environments of their errors, and group DRO on these."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from evenhand import XRM, GroupDRO, Head
from evenhand._random import torch_stream
from evenhand._typing import Floats, Ints
from evenhand.methods import xrm
from evenhand.methods._training.loop import SGD
from evenhand.methods.xrm import Twins, flipped, halves

World = Callable[..., tuple[Floats, Ints, Ints]]


@pytest.mark.parametrize(("classes", "p"), [(2, 0.5), (2, 0.8), (3, 0.5), (4, 1 - 1e-7)])
def test_labels_flip_to_the_guess_as_often_as_the_equation_says(classes: int, p: float) -> None:
    rest = (1 - p) / (classes - 1)
    logits = torch.tensor([rest] * (classes - 1) + [p]).log().expand(40_000, classes)
    labels = torch.zeros(40_000, dtype=torch.int64)
    after = flipped(labels, logits, torch.Generator().manual_seed(0))
    assert set(after.tolist()) <= {0, classes - 1}
    expected = (p - 1 / classes) * classes / (classes - 1)
    assert float((after == classes - 1).double().mean()) == pytest.approx(expected, abs=0.01)


def test_halves_share_every_class() -> None:
    y = torch.tensor([0] * 20 + [1] * 6 + [2])
    half = halves(y, torch.Generator().manual_seed(0))
    assert half[:20].sum() == 10
    assert half[20:26].sum() == 3
    assert not torch.equal(half, halves(y, torch.Generator().manual_seed(1)))


def slow_twins(X: Floats, y: Ints, classes: int, sgd: SGD) -> tuple[list[Floats], list[list[int]]]:
    """Return W of both twins after SGD, row by row in float64, and the labels after each step."""
    generator, stream = torch_stream(0, "xrm"), torch_stream(0, "xrm", "batches")
    unit = float(np.sqrt(np.square(X.astype(np.float64)).sum(axis=1).mean()))
    h = torch.from_numpy(X.astype(np.float64) / unit)
    half = halves(torch.from_numpy(y), generator).tolist()
    weights = [torch.eye(6, dtype=torch.float64, requires_grad=True) for _ in range(2)]
    scales = [torch.tensor(float(np.log(1 / 0.07))).double().requires_grad_() for _ in range(2)]
    leaves = [weights[0], scales[0], weights[1], scales[1]]
    velocity = [torch.zeros_like(leaf) for leaf in leaves]
    labels, seen = y.tolist(), []

    def logits(twin: int, i: int) -> torch.Tensor:
        z = h[i] @ weights[twin]
        return scales[twin].exp() * (z / z.norm())[:classes]

    for _ in range(sgd.epochs):
        for batch in torch.split(torch.randperm(len(y), generator=stream), sgd.batch_size):
            loss = torch.zeros((), dtype=torch.float64)
            others = []
            for i in batch.tolist():
                own = logits(half[i], i)
                loss = loss - (own[labels[i]] - own.exp().sum().log()) / len(batch)
                others.append(logits(1 - half[i], i).detach())
            draws = torch.rand(len(batch), generator=generator).tolist()
            gradients = torch.autograd.grad(loss, leaves)
            for i, other, draw in zip(batch.tolist(), others, draws, strict=True):
                p = float(other.softmax(dim=0).max())
                if draw < (p - 1 / classes) * classes / (classes - 1):
                    labels[i] = int(other.argmax())
            for leaf, speed, gradient in zip(leaves, velocity, gradients, strict=True):
                speed.mul_(sgd.momentum).add_(gradient + sgd.weight_decay * leaf.detach())
                leaf.data.sub_(sgd.learning_rate * speed)
            seen.append(list(labels))
    return [weight.detach().numpy() for weight in weights], seen


@pytest.mark.parametrize("classes", [2, 3])
def test_twins_and_environments_are_those_of_the_slow_loop(
    world: World, head: Callable[[int], Head], classes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    X, y, _ = world(90, classes)
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    sgd = SGD(learning_rate=3e-2, epochs=3, batch_size=30)
    trained: list[Twins] = []
    train = Twins.trained

    def recorded(*given: Any) -> Twins:
        trained.append(train(*given))
        return trained[0]

    monkeypatch.setattr(xrm.Twins, "trained", recorded)
    method = XRM(head(classes), twins=sgd, erm=SGD(1e-2, 1))
    method.fit(X, y.astype(str), validation=(X, y.astype(str)))
    expected, labels = slow_twins(X, y, classes, sgd)
    for state, weight in zip(trained[0].states, expected, strict=True):
        assert np.allclose(state.projection.weight.numpy(), weight, atol=1e-4)
    assert labels[-1] != y.tolist()
    wrong = np.zeros(len(y), dtype=bool)
    for weight in expected:
        wrong |= (X.astype(np.float64) @ weight)[:, :classes].argmax(axis=1) != y
    assert method.environments_.tolist() == wrong.astype(int).tolist()
    assert 0 < wrong.sum() < len(y)


def test_the_environments_train_group_dro(world: World, head: Callable[[int], Head]) -> None:
    X, y, _ = world(200, 2)
    names, sgd = y.astype(str), SGD(learning_rate=1e-2, epochs=1)
    method = XRM(head(2), erm=sgd).fit(X, names, validation=(X, names))
    groups = [f"environment {e}" for e in method.environments_.tolist()]
    dro = GroupDRO(head(2), learning_rate=1e-2, epochs=1).fit(X, names, groups=groups)
    assert np.array_equal(method.model_.logits(X), dro.model_.logits(X))


def test_the_epoch_with_the_best_worst_environment_is_kept(world: World, head: Callable[[int], Head]) -> None:
    X, y, _ = world(300, 2, share=0.6)
    names, kept = y.astype(str), []
    for epochs in (1, 2, 3, 4):
        method = XRM(head(2), erm=SGD(0.1, epochs)).fit(X, names, validation=(X, names))
        assert len(method.scores_) == epochs
        right, e = method.predict(X) == names, method.environments_.numpy()
        cells = [(y == c) & (e == k) for c in (0, 1) for k in (0, 1)]
        worst = min(right[cell].mean() for cell in cells if cell.sum() >= 5)
        assert worst == pytest.approx(max(method.scores_))
        kept.append(worst)
    assert kept == sorted(kept)


def test_twins_that_agree_with_every_label_leave_the_classes_as_groups() -> None:
    X = np.array([[0.0, 1], [0, 2], [1, 0], [2, 0]] * 10)
    method = XRM().fit(X, ["left", "left", "right", "right"] * 10)
    assert not method.environments_.any()
    assert method.notes_ == (
        "the two models agree with every training label: the groups of group DRO are the classes",
    )


def test_its_environments_find_the_rows_that_the_shortcut_misleads() -> None:
    generator = np.random.default_rng(0)
    y = generator.integers(0, 2, 1000)
    a = np.where(generator.random(1000) < 0.9, y, 1 - y)
    X = 0.5 * generator.normal(size=(1000, 8))
    X[:, 0] += 0.5 * (2 * y - 1)
    X[:, 1] += 2 * (2 * a - 1)
    eye = np.eye(8, dtype=np.float32)
    head = Head(eye, None, ("0", "1"), eye[2:4])
    kept = XRM(head).fit(X.astype(np.float32), y.astype(str), validation=(X, y.astype(str)))
    in_minority = kept.environments_.numpy()[y != a].mean()
    assert in_minority > 0.8
    assert kept.environments_.numpy()[y == a].mean() < 0.2
