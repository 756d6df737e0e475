import pytest
import torch

from evenhand.functional.geometry import unit
from evenhand.functional.simplex import simplex_vertices
from evenhand.functional.targeted import (
    Targeted,
    TargetedMemory,
    assign_targets,
    targeted_loss,
    update_centroids,
)


def vectors(*shape: int, seed: int = 0) -> torch.Tensor:
    return unit(torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64))


def memory(classes: int = 3, width: int = 5, queue_size: int = 10) -> TargetedMemory:
    return TargetedMemory(simplex_vertices(classes, width, seed=0).double(), Targeted(queue_size=queue_size))


def test_a_first_batch_meets_an_empty_queue() -> None:
    z, y = vectors(4, 5), torch.tensor([0, 1, 2, 0])
    fresh = memory()
    value = fresh.step(z, y)
    assignment = assign_targets(update_centroids(torch.zeros(3, 5).double(), z, y), fresh.vertices)
    expected = targeted_loss(z, y, z[:0], y[:0], fresh.vertices, assignment)
    assert torch.equal(value, expected)


def test_a_random_queue_is_full_of_unit_rows_of_no_class_until_they_are_replaced() -> None:
    z, y = vectors(4, 5), torch.tensor([0, 1, 2, 0])
    settings, vertices = Targeted(queue_size=10, random_queue=True), simplex_vertices(3, 5, seed=0).double()
    fresh = TargetedMemory(vertices, settings, seed=1)
    queue, labels = fresh.queue.clone(), fresh.labels.clone()
    assert torch.allclose(queue.norm(dim=1), torch.ones(10).double())
    assert labels.tolist() == [-1] * 10
    assert not torch.equal(queue, TargetedMemory(vertices, settings, seed=2).queue)
    value = fresh.step(z, y)
    assignment = assign_targets(fresh.centroids, vertices)
    assert torch.equal(value, targeted_loss(z, y, queue, labels, vertices, assignment))
    assert torch.equal(fresh.queue, torch.cat([z, queue[4:]]))
    assert fresh.labels.tolist() == [0, 1, 2, 0] + [-1] * 6


@pytest.mark.parametrize("sizes", [(4, 4, 4), (3, 11), (25,), (10, 10), (10, 1)])
def test_the_queue_holds_the_last_rows(sizes: tuple[int, ...]) -> None:
    full = memory()
    z, y = vectors(sum(sizes), 5), torch.arange(sum(sizes)) % 3
    for batch, codes in zip(torch.split(z, sizes), torch.split(y, sizes), strict=True):
        full.step(batch, codes)
    newest = torch.arange(sum(sizes) - 10, sum(sizes))
    assert torch.equal(full.queue[newest % 10], z[newest])
    assert torch.equal(full.labels[newest % 10], y[newest])


def test_a_batch_does_not_meet_itself_in_the_queue() -> None:
    z, y = vectors(8, 5), torch.arange(8) % 3
    stepped = memory()
    stepped.step(z[:4], y[:4])
    queue, labels = stepped.queue[:4].clone(), stepped.labels[:4].clone()
    value = stepped.step(z[4:], y[4:])
    assignment = assign_targets(stepped.centroids, stepped.vertices)
    expected = targeted_loss(z[4:], y[4:], queue, labels, stepped.vertices, assignment)
    assert torch.equal(value, expected)


def test_the_gradient_survives_the_rows_that_are_replaced() -> None:
    z, y = vectors(10, 5), torch.arange(10) % 3
    stepped = memory()
    stepped.step(z, y)
    queue, labels = stepped.queue.clone(), stepped.labels.clone()
    leaf = vectors(10, 5, seed=1).requires_grad_()
    stepped.step(leaf, y).backward()
    again = leaf.detach().clone().requires_grad_()
    assignment = assign_targets(stepped.centroids, stepped.vertices)
    targeted_loss(again, y, queue, labels, stepped.vertices, assignment).backward()
    assert leaf.grad is not None
    assert again.grad is not None
    assert torch.equal(leaf.grad, again.grad)
    assert not stepped.queue.requires_grad
    assert not stepped.centroids.requires_grad


def test_a_class_without_rows_keeps_its_centroid() -> None:
    before = vectors(3, 5)
    after = update_centroids(before, vectors(4, 5, seed=1), torch.tensor([0, 0, 2, 2]))
    assert torch.equal(after[1], before[1])
    assert not torch.equal(after[0], before[0])


def test_the_first_rows_of_a_class_are_its_centroid() -> None:
    z = vectors(2, 5)
    after = update_centroids(torch.zeros(2, 5).double(), z, torch.tensor([1, 1]))
    assert torch.allclose(after[1], unit(z.mean(dim=0)))
    assert torch.equal(after[0], torch.zeros(5).double())


def test_centroids_at_permuted_vertices_are_assigned_to_them() -> None:
    vertices = simplex_vertices(7, 9, seed=0)
    order = torch.tensor([3, 0, 6, 1, 5, 2, 4])
    assert torch.equal(assign_targets(vertices[order], vertices), order)


@pytest.mark.parametrize("classes", [2, 40])
def test_training_on_it_brings_classes_to_their_own_vertices(classes: int) -> None:
    y = torch.arange(3 * classes) % classes
    leaf = vectors(3 * classes, 40).requires_grad_()
    trained = memory(classes, 40, queue_size=6 * classes)
    for _ in range(200):
        (gradient,) = torch.autograd.grad(trained.step(unit(leaf), y), leaf)
        leaf.data -= 10 * gradient
    z = unit(leaf.detach())
    assert torch.equal(z @ trained.centroids.T > 0.9, y[:, None] == torch.arange(classes))
