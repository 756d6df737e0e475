"""Group DRO against a slow float64 loop on torch's own optimizer, and what it refuses."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from evenhand import EvenhandError, Head
from evenhand.methods._training import train_group_dro
from evenhand.methods._training.loop import SGD, minimize
from evenhand.methods._training.train_erm import ERM_SGD
from evenhand.methods.group_dro import GroupDRO

WIDTH, SCALE = 4, 10.0


def problem(classes: int, n: int = 120) -> tuple[np.ndarray, np.ndarray, np.ndarray, Head]:
    generator = np.random.default_rng(classes)
    y = np.arange(n) % classes
    attribute = np.where(generator.random(n) < 0.85, y, (y + 1) % classes)
    X = generator.normal(size=(n, WIDTH))
    X[np.arange(n), y] += 1
    X[np.arange(n), WIDTH - 1] += 2 * attribute
    bias = generator.normal(size=WIDTH).astype(np.float32)
    names = tuple("abc"[:classes])
    eye = np.eye(WIDTH, dtype=np.float32)
    return X.astype(np.float32), y, attribute, Head(eye, bias, names, eye[:classes], SCALE)


@pytest.mark.parametrize("classes", [2, 3])
def test_weights_and_q_are_those_of_the_equations(classes: int) -> None:
    """Whole batches, so that no shuffle enters."""
    X, y, attribute, head = problem(classes)
    settings = {"step_size": 0.3, "l2": 0.5, "learning_rate": 0.05}
    method = GroupDRO(head, **settings, epochs=12, batch_size=len(y))
    method.fit(X, np.array(head.classes)[y], groups=attribute.astype(str))

    h = torch.from_numpy(X).double()
    weight, bias = torch.eye(WIDTH, dtype=torch.float64), torch.from_numpy(head.bias).double()
    inputs = h.square().sum(dim=1).mean().sqrt()
    outputs = (h @ weight + bias).square().sum(dim=1).mean().sqrt()
    h = h / inputs
    W, b = (weight * inputs / outputs).requires_grad_(), (bias / outputs).requires_grad_()
    W0 = W.detach().clone()
    log_s = torch.tensor(SCALE, dtype=torch.float64).log().requires_grad_()
    pairs = sorted({*zip(y.tolist(), attribute.tolist(), strict=True)})
    q = [1 / len(pairs)] * len(pairs)
    optimizer = torch.optim.SGD([W, b, log_s], lr=0.05, momentum=0.9)
    history = []
    for _ in range(12):
        z = h @ W + b
        logits = log_s.exp() * (z / z.norm(dim=1, keepdim=True))[:, :classes]
        losses = []
        for c, a in pairs:
            rows = [i for i in range(len(y)) if (y[i], attribute[i]) == (c, a)]
            losses.append(sum(-logits[i].log_softmax(dim=0)[c] for i in rows) / len(rows))
        raised = [q[g] * np.exp(0.3 * losses[g].item()) for g in range(len(pairs))]
        q = [value / sum(raised) for value in raised]
        total = sum(q[g] * losses[g] for g in range(len(pairs))) + 0.5 / 2 * ((W - W0) ** 2).sum()
        history.append(total.item())
        optimizer.zero_grad()
        total.backward()
        optimizer.step()

    assert method.groups_ == [(head.classes[c], a) for c, a in pairs]
    assert method.q_.tolist() == pytest.approx(q, rel=1e-3)
    assert sum(method.q_) == pytest.approx(1)
    assert [entry["loss"] for entry in method.history_] == pytest.approx(history, rel=1e-3)
    tensors = method.model_.projection.tensors()
    assert torch.allclose(tensors["weight"].double(), W.detach() * outputs / inputs, atol=1e-3)
    assert torch.allclose(tensors["bias"].double(), b.detach() * outputs, atol=1e-3)
    assert method.model_.logit_scale == pytest.approx(log_s.exp().item(), rel=1e-3)


def test_no_weight_decay_draws_the_weights_to_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is 1e-5 in ERM, too small to see in a short fit: the settings of the loop tell."""
    settings = []

    def watched(*args: object, sgd: SGD, **more: object) -> None:
        settings.append(sgd)
        minimize(*args, sgd=sgd, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(train_group_dro, "minimize", watched)
    X, y, attribute, head = problem(2)
    GroupDRO(head, epochs=3).fit(X, np.array(head.classes)[y], groups=attribute.astype(str))
    assert settings == [replace(ERM_SGD, epochs=3, weight_decay=0.0)]


def test_the_group_of_the_highest_loss_weighs_most() -> None:
    X, y, attribute, head = problem(2)
    method = GroupDRO(head, step_size=0.5, epochs=3)
    method.fit(X, np.array(head.classes)[y], groups=attribute.astype(str))
    rare = {(head.classes[c], 1 - c) for c in (0, 1)}
    assert method.groups_[int(method.q_.argmax())] in rare


def test_rows_of_unknown_group_are_left_out() -> None:
    X, y, attribute, head = problem(2)
    names, groups = np.array(head.classes), attribute.astype(str)
    known = GroupDRO(head, epochs=2).fit(X, names[y], groups=groups)
    more = np.concatenate([X, X[:30]]), names[np.concatenate([y, 1 - y[:30]])]
    same = GroupDRO(head, epochs=2).fit(*more, groups=np.concatenate([groups, np.full(30, "")]))
    # The scale of the coordinates is that of all rows, and changes the last bits.
    assert torch.allclose(known.model_.projection.weight, same.model_.projection.weight, atol=1e-2)
    assert known.groups_ == same.groups_
    assert np.allclose(known.q_, same.q_, atol=1e-3)


def test_a_strong_pull_stays_at_the_pretrained_projection() -> None:
    X, y, attribute, head = problem(2)
    moved = []
    for l2 in (0.0, 5.0):
        method = GroupDRO(head, l2=l2).fit(X, np.array(head.classes)[y], groups=attribute.astype(str))
        moved.append(float(np.linalg.norm(method.model_.projection.weight.numpy() - head.weight)))
    assert moved[1] < 0.3 * moved[0]


def test_a_strong_pull_holds_every_weight_of_an_attention_pool() -> None:
    y, attribute = np.arange(40) % 2, np.arange(40) // 2 % 2
    generator = np.random.default_rng(0)
    shapes = {
        "positional_embedding": (5, 6),
        "query_weight": (6, 3, 2),
        "query_bias": (3, 2),
        "key_weight": (6, 3, 2),
        "value_weight": (6, 3, 2),
        "value_bias": (3, 2),
    }
    pool = {name: generator.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    eye = np.eye(6, dtype=np.float32)
    head = Head(eye, np.zeros(6, np.float32), ("a", "b"), eye[:2], SCALE, pool=pool)
    X = generator.normal(size=(40, head.width)).astype(np.float32)
    start = {"weight": eye, **pool}
    moved = {}
    for l2 in (0.0, 30.0):
        method = GroupDRO(head, l2=l2, learning_rate=0.01, epochs=30, batch_size=40)
        tensors = method.fit(
            X, np.array(head.classes)[y], groups=attribute.astype(str)
        ).model_.projection.tensors()
        moved[l2] = {name: float(np.abs(tensors[name].numpy() - start[name]).max()) for name in start}
    held = [name for name in start if not name.endswith("bias")]
    assert all(moved[30.0][name] < 0.3 * moved[0.0][name] for name in held)
    assert moved[30.0]["value_bias"] > 0.3 * moved[0.0]["value_bias"]


@pytest.mark.parametrize("groups", [None, [""] * 120])
def test_no_groups_are_refused(groups: object) -> None:
    X, y, _, head = problem(2)
    with pytest.raises(
        EvenhandError,
        match="groups: no training row has a group label, but group DRO needs them in training; give",
    ):
        GroupDRO(head).fit(X, np.array(head.classes)[y], groups=groups)


def test_a_class_without_group_labels_is_refused() -> None:
    X, y, attribute, head = problem(2)
    groups = np.where(y == 1, "", attribute.astype(str))
    with pytest.raises(EvenhandError, match="groups: no training row of class 'b' has a group label; label"):
        GroupDRO(head).fit(X, np.array(head.classes)[y], groups=groups)
