import pytest
import torch

from evenhand import EvenhandError
from evenhand.functional.simplex import simplex_vertices


@pytest.mark.parametrize(
    ("classes", "width"), [(2, 1), (2, 6), (3, 2), (4, 3), (10, 64), (1000, 999), (1000, 1024)]
)
def test_vertices_are_unit_vectors_equally_far_apart(classes: int, width: int) -> None:
    v = simplex_vertices(classes, width, seed=0)
    assert v.shape == (classes, width)
    cosines = torch.full((classes, classes), -1 / (classes - 1)).fill_diagonal_(1)
    assert torch.allclose(v @ v.T, cosines, atol=1e-6)


def test_two_classes_lie_opposite() -> None:
    first, second = simplex_vertices(2, 5, seed=3)
    assert torch.equal(first, -second)


def test_one_seed_gives_one_simplex() -> None:
    assert torch.equal(simplex_vertices(4, 8, seed=1), simplex_vertices(4, 8, seed=1))
    assert not torch.equal(simplex_vertices(4, 8, seed=1), simplex_vertices(4, 8, seed=2))


def test_too_narrow_an_embedding_is_refused() -> None:
    with pytest.raises(
        EvenhandError,
        match=r"^width: an embedding of width 3 holds no simplex of 5 classes, which needs 4 or more; ",
    ):
        simplex_vertices(5, 3, seed=0)
