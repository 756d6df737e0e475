"""What no order of rows, no name of a class and no unit of length may change."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from evenhand.functional.contrastive import calibration_loss, similarity_loss
from evenhand.functional.geometry import class_centroids, cosine_logits, project, prototypes, unit
from evenhand.functional.simplex import simplex_vertices
from evenhand.functional.targeted import Targeted, TargetedMemory, update_centroids

SEEDS = st.integers(0, 2**32 - 1)
ROWS = st.integers(1, 12)
CLASSES = st.integers(2, 6)
POWERS = st.integers(-20, 20).map(lambda k: 2.0**k)
DTYPES = st.sampled_from([torch.float32, torch.float64])


class Drawn:
    """Tensors of one seed, one after the other."""

    def __init__(self, seed: int, dtype: torch.dtype = torch.float64) -> None:
        self.generator = torch.Generator().manual_seed(seed)
        self.dtype = dtype

    def normal(self, *shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=self.generator, dtype=self.dtype)

    def unit(self, *shape: int) -> torch.Tensor:
        return unit(self.normal(*shape))

    def codes(self, n: int, classes: int) -> torch.Tensor:
        return torch.randint(classes, (n,), generator=self.generator)

    def order(self, n: int) -> torch.Tensor:
        return torch.randperm(n, generator=self.generator)


def after(
    start: torch.Tensor, vertices: torch.Tensor, *batches: tuple[torch.Tensor, torch.Tensor]
) -> list[float]:
    """Return the targeted losses of a memory that meets `batches` one after the other."""
    memory = TargetedMemory(vertices, Targeted(queue_size=7))
    memory.centroids = start
    return [memory.step(z, y).item() for z, y in batches]


@given(SEEDS, ROWS, CLASSES)
def test_the_order_of_rows_changes_no_loss(seed: int, n: int, classes: int) -> None:
    draw = Drawn(seed)
    z, y, order = draw.unit(n, 6), draw.codes(n, classes), draw.order(n)
    assert similarity_loss(z[order], y[order]).item() == pytest.approx(
        similarity_loss(z, y).item(), abs=1e-12
    )
    start, vertices = draw.unit(classes, 6), simplex_vertices(classes, 6, seed).double()
    z_next, y_next = draw.unit(5, 6), draw.codes(5, classes)
    small = n <= 7  # Of a larger batch the queue forgets the first rows, so there order counts.
    batches = [(z, y), (z_next, y_next)] if small else [(z, y)]
    shuffled = [(z[order], y[order]), *batches[1:]]
    assert after(start, vertices, *shuffled) == pytest.approx(after(start, vertices, *batches), abs=1e-9)


@given(SEEDS, ROWS, ROWS, ROWS)
def test_the_order_of_anchors_positives_and_negatives_changes_no_loss(
    seed: int, a: int, p: int, n: int
) -> None:
    draw = Drawn(seed)
    anchors, positives, negatives, weights = (
        draw.unit(a, 6),
        draw.unit(a, p, 6),
        draw.unit(a, n, 6),
        draw.normal(a).abs(),
    )
    by_anchor, by_positive, by_negative = draw.order(a), draw.order(p), draw.order(n)
    shuffled = calibration_loss(
        anchors[by_anchor],
        positives[by_anchor][:, by_positive],
        negatives[by_anchor][:, by_negative],
        0.1,
        weights[by_anchor],
    )
    assert shuffled.item() == pytest.approx(
        calibration_loss(anchors, positives, negatives, 0.1, weights).item(), rel=1e-12
    )


@given(SEEDS, ROWS, CLASSES)
def test_names_of_classes_change_nothing(seed: int, n: int, classes: int) -> None:
    draw = Drawn(seed)
    z, y, name = draw.unit(n, 6), draw.codes(n, classes), draw.order(classes)
    renamed = name[y]
    assert similarity_loss(z, renamed).item() == similarity_loss(z, y).item()
    assert torch.equal(class_centroids(z, renamed, classes)[name], class_centroids(z, y, classes))
    before = draw.unit(classes, 6)
    other = torch.empty_like(before)
    other[name] = before
    assert torch.equal(update_centroids(other, z, renamed)[name], update_centroids(before, z, y))
    vertices = simplex_vertices(classes, 6, seed).double()
    assert after(other, vertices, (z, renamed), (z, renamed)) == after(before, vertices, (z, y), (z, y))


@given(SEEDS, ROWS, CLASSES, POWERS, DTYPES)
def test_a_power_of_two_as_the_unit_of_length_changes_no_bit(
    seed: int, n: int, classes: int, power: float, dtype: torch.dtype
) -> None:
    draw = Drawn(seed, dtype)
    h, weight, bias, y = draw.normal(n, 5), draw.normal(5, 6), draw.normal(6), draw.codes(n, classes)
    assert torch.equal(unit(power * h), unit(h))
    z = project(h, weight, bias)
    assert torch.equal(project(power * h, weight, power * bias), z)
    assert torch.equal(project(h, power * weight, power * bias), z)
    assert torch.equal(project(power * h, weight, None), project(h, weight, None))
    assert torch.equal(class_centroids(power * h, y, classes), class_centroids(h, y, classes))
    text = draw.normal(classes, 3, 6)
    assert torch.equal(prototypes(power * text), prototypes(text))
    logits = cosine_logits(z, prototypes(text), 14.0)
    assert torch.equal(cosine_logits(z, prototypes(text), 14.0 * power), power * logits)


@given(SEEDS, ROWS, POWERS, DTYPES)
def test_similarities_and_temperature_have_one_unit(
    seed: int, n: int, power: float, dtype: torch.dtype
) -> None:
    draw = Drawn(seed, dtype)
    a, p, k = draw.unit(n, 6), draw.unit(n, 3, 6), draw.unit(n, 4, 6)
    assert calibration_loss(power * a, p, k, 0.1 * power).item() == calibration_loss(a, p, k, 0.1).item()


@given(SEEDS, ROWS, CLASSES)
def test_losses_keep_their_bounds(seed: int, n: int, classes: int) -> None:
    draw = Drawn(seed)
    z, y = draw.unit(n, 6), draw.codes(n, classes)
    assert abs(similarity_loss(z, y).item()) <= 1 + 1e-12
    assert calibration_loss(z, draw.unit(n, 3, 6), draw.unit(n, 2, 6), 0.1).item() > 0
    assert after(draw.unit(classes, 6), simplex_vertices(classes, 6, seed).double(), (z, y))[0] > 0


@given(CLASSES, st.integers(0, 20), SEEDS)
def test_simplex_vertices_are_as_far_apart_as_can_be(classes: int, more: int, seed: int) -> None:
    v = simplex_vertices(classes, classes - 1 + more, seed)
    cosines = torch.full((classes, classes), -1 / (classes - 1)).fill_diagonal_(1)
    assert torch.allclose(v @ v.T, cosines, atol=1e-6)
    assert torch.allclose(v.sum(dim=0), torch.zeros(()), atol=1e-6)
