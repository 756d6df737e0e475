"""The contrastive adapter against slow float64 loops and torch's own layers."""

from math import exp, log

import numpy as np
import pytest
import torch
from torch import nn

from evenhand import EvenhandError, Head
from evenhand.backbones.projection import AdapterProjection, LinearProjection
from evenhand.methods._training.adapter import Adapter
from evenhand.methods._training.problem import Problem, build_problem
from evenhand.methods.contrastive_adapter import ContrastiveAdapter, _cells, _Training

WIDTH = 5


def problem(classes: int, n: int = 90) -> tuple[np.ndarray, np.ndarray, Head]:
    generator = np.random.default_rng(classes)
    y = np.arange(n) % classes
    X = generator.normal(size=(n, WIDTH))
    X[np.arange(n), y] += 1.5
    names = tuple("abc"[:classes])
    eye = np.eye(WIDTH, dtype=np.float32)
    return X.astype(np.float32), y, Head(eye, eye[0] / 4, names, eye[:classes])


def posed(classes: int, **params: float) -> tuple[_Training, Problem, np.ndarray]:
    X, y, head = problem(classes)
    made = build_problem(X, y.astype(np.int64), X[:0], y[:0].astype(np.int64), classes, head, 0)
    return _Training(ContrastiveAdapter(head, **params), made), made, unit_rows(X, head)


def unit_rows(X: np.ndarray, head: Head) -> np.ndarray:
    out = X.astype(np.float64) + head.bias
    return out / np.linalg.norm(out, axis=1, keepdims=True)


def normed(adapter: Adapter, z: np.ndarray) -> np.ndarray:
    """Return adapted unit rows, the batch norm by the batch's own mean and biased variance."""
    down, up, bias, gain, shift = (t.detach().double().numpy() for t in adapter.parameters())
    hidden = z @ down
    hidden = (hidden - hidden.mean(axis=0)) / np.sqrt(hidden.var(axis=0) + 1e-5) * gain + shift
    out = np.maximum(hidden, 0) @ up + bias
    return out / np.linalg.norm(out, axis=1, keepdims=True)


@pytest.mark.parametrize("classes", [2, 3])
def test_anchors_are_the_errors_of_zero_shot_and_their_rows_those_of_the_paper(classes: int) -> None:
    training, made, z = posed(classes, negatives=4)
    y, source = made.y.tolist(), z[:, :classes].argmax(axis=1).tolist()
    wrong = [i for i in range(len(y)) if source[i] != y[i]]
    assert training.chosen.anchors.tolist() == wrong
    codes = made.y[training.chosen.anchors]
    generator = torch.Generator().manual_seed(0)
    positives = training._draw_positives(training.chosen.anchors, codes, generator)
    for place in range(len(wrong)):
        line = positives.rows[positives.draw[place]].tolist()
        assert all(y[p] == y[wrong[place]] == source[p] for p in line)
    negatives = training._draw_negatives(training.chosen.anchors, codes, generator)
    for a, found in zip(wrong, negatives.rows.tolist(), strict=True):
        others = [i for i in range(len(y)) if y[i] != y[a]]
        assert set(found) == set(sorted(others, key=lambda i: -z[a] @ z[i])[:4])


def test_the_contrast_is_that_of_the_equations(monkeypatch: pytest.MonkeyPatch) -> None:
    training, _, z = posed(3, positives=4, negatives=3, temperature=0.2)
    draws = []
    for name in ("_draw_positives", "_draw_negatives"):
        draw = getattr(training, name)

        def recorded(*arguments: object, draw: object = draw) -> object:
            draws.append((arguments, draw(*arguments)))  # type: ignore[operator]
            return draws[-1][1]

        monkeypatch.setattr(training, name, recorded)
    value = training.loss(torch.arange(12), 0).item()
    (_, p), ((a, _, _), n) = draws
    anchors = a.tolist()
    rows = [*anchors, *p.rows.flatten().tolist(), *n.rows.flatten().tolist()]
    adapted = normed(training.adapter, z[rows])
    z_a, z_p, z_n = np.split(adapted, [12, 12 + p.rows.numel()])
    z_p, z_n = z_p.reshape(*p.rows.shape, WIDTH), z_n.reshape(*n.rows.shape, WIDTH)
    losses = []
    for i in range(12):
        rest = sum(exp(z_a[i] @ negative / 0.2) for negative in z_n[i])
        for positive in z_p[p.draw[i]]:
            own = exp(z_a[i] @ positive / 0.2)
            losses.append(-log(own / (own + rest)))
    assert set(anchors) <= set(training.chosen.anchors.tolist())
    assert value == pytest.approx(np.mean(losses), rel=1e-4)


def test_every_class_and_source_prediction_is_drawn_alike() -> None:
    generator = torch.Generator().manual_seed(0)
    y, predicted = (
        torch.randint(3, (200,), generator=generator),
        torch.randint(3, (200,), generator=generator),
    )
    predicted[(y == 2) & (predicted == 0)] = 2
    cells = _cells(y, predicted, 3)
    pairs = sorted({*zip(y.tolist(), predicted.tolist(), strict=True)})
    assert len(pairs) == len(cells.sizes) == 8
    parts = torch.split(cells.rows, cells.sizes.tolist())
    for pair, rows in zip(pairs, parts, strict=True):
        assert {(int(y[i]), int(predicted[i])) for i in rows} == {pair}
        assert len(rows) == ((y == pair[0]) & (predicted == pair[1])).sum()


def test_odd_epochs_minimise_the_cross_entropy_of_balanced_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    training, made, z = posed(3, logit_scale=7.0)
    seen: list[torch.Tensor] = []
    inside = training._cells.inside

    def recorded(cells: torch.Tensor, k: int, generator: torch.Generator) -> torch.Tensor:
        seen.extend((cells, inside(cells, k, generator)))
        return seen[-1]

    monkeypatch.setattr(training._cells, "inside", recorded)
    value = training.loss(torch.arange(64), 1).item()
    cells, rows = seen[0], seen[1].flatten().tolist()
    assert set(cells.tolist()) == set(range(len(training._cells.sizes)))
    logits = 7 * normed(training.adapter, z[rows])[:, :3]
    losses = [-log(exp(f[made.y[i]]) / sum(map(exp, f))) for i, f in zip(rows, logits, strict=True)]
    assert value == pytest.approx(np.mean(losses), rel=1e-4)


def test_the_adapter_is_torchs_own_layers_in_training_and_after() -> None:
    adapter = Adapter.drawn(WIDTH, 8, torch.Generator().manual_seed(0))
    theirs = nn.Sequential(nn.Linear(WIDTH, 8, bias=False), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, WIDTH))
    with torch.no_grad():
        for target, source in zip(
            theirs.parameters(),
            (adapter.down.T, adapter.gain, adapter.shift, adapter.up.T, adapter.bias),
            strict=True,
        ):
            target.copy_(source)
    generator = torch.Generator().manual_seed(1)
    for _ in range(3):
        z = torch.nn.functional.normalize(torch.randn(20, WIDTH, generator=generator))
        assert torch.allclose(adapter(z), theirs(z), atol=1e-6)
    assert torch.allclose(adapter.mean, theirs[1].running_mean)
    assert torch.allclose(adapter.variance, theirs[1].running_var)
    fitted = adapter.projection(LinearProjection(torch.eye(WIDTH)))
    out = nn.functional.normalize(theirs.eval()(z))
    assert torch.allclose(fitted.embed(z), out, atol=1e-6)


def test_the_projection_below_and_the_scale_stay_as_they_are() -> None:
    X, y, head = problem(2)
    model = ContrastiveAdapter(head, epochs=4).fit(X, np.array(head.classes)[y]).model_
    assert isinstance(model.projection, AdapterProjection)
    tensors = model.projection.base.tensors()
    assert np.allclose(tensors["weight"].numpy(), head.weight, atol=1e-6)
    assert np.allclose(tensors["bias"].numpy(), head.bias, atol=1e-6)
    assert model.logit_scale == 100
    assert np.array_equal(model.prototypes, head.text)


def test_epochs_alternate_and_the_first_contrasts(monkeypatch: pytest.MonkeyPatch) -> None:
    kinds: list[str] = []
    for kind in ("_contrast", "_supervised"):
        usual = getattr(_Training, kind)

        def recorded(self: _Training, size: int, kind: str = kind, usual: object = usual) -> object:
            kinds.append(kind)
            return usual(self, size)  # type: ignore[operator]

        monkeypatch.setattr(_Training, kind, recorded)
    X, y, head = problem(2)
    ContrastiveAdapter(head, epochs=4).fit(X, np.array(head.classes)[y])
    assert kinds == ["_contrast", "_supervised"] * 2


def test_a_batch_of_one_is_refused() -> None:
    X, y, head = problem(2)
    with pytest.raises(EvenhandError, match="batch_size must be at least 2, but it is 1; the default is 128"):
        ContrastiveAdapter(head, batch_size=1).fit(X, np.array(head.classes)[y])
