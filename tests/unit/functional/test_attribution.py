import pytest
import torch

from evenhand.functional.attribution import cell_sums, integrated_gradients


def test_of_a_linear_score_it_is_the_weight_times_the_way() -> None:
    generator = torch.Generator().manual_seed(0)
    weight, x, start = (torch.randn(1, 3, 4, 4, generator=generator) for _ in range(3))
    (found,) = integrated_gradients(lambda p: [(weight * p).sum(dim=(1, 2, 3))], x, start, steps=1)
    assert torch.allclose(found, (weight * (x - start)).sum(dim=1), atol=1e-6)


def test_its_sum_is_the_difference_of_the_scores() -> None:
    generator = torch.Generator().manual_seed(1)
    weight = torch.randn(5, 3 * 4 * 4, generator=generator)
    x, start = torch.randn(2, 3, 4, 4, generator=generator), torch.zeros(2, 3, 4, 4)

    def scores(pixels: torch.Tensor) -> list[torch.Tensor]:
        hidden = torch.tanh(pixels.flatten(1) @ weight.T)
        return [hidden.prod(dim=1), hidden.square().sum(dim=1)]

    found = integrated_gradients(scores, x, start, steps=400)
    for own, end, begin in zip(found, scores(x), scores(start), strict=True):
        assert torch.allclose(own.sum(dim=(1, 2)), end - begin, atol=1e-3)


def test_pictures_do_not_leak_into_each_other() -> None:
    x = torch.randn(2, 3, 4, 4, generator=torch.Generator().manual_seed(2))
    start = torch.zeros_like(x)

    def scores(pixels: torch.Tensor) -> list[torch.Tensor]:
        return [pixels.square().sum(dim=(1, 2, 3))]

    both = integrated_gradients(scores, x, start, steps=4)
    alone = integrated_gradients(scores, x[1:], start[1:], steps=4)
    assert torch.equal(both[:, 1:], alone)


def test_cells_hold_the_sum_of_their_pixels() -> None:
    values = torch.arange(2 * 3 * 6 * 8).reshape(2, 3, 6, 8).float()
    found = cell_sums(values, 2)
    assert found.shape == (2, 3, 2, 2)
    for i in range(2):
        for j in range(2):
            block = values[..., 3 * i : 3 * i + 3, 4 * j : 4 * j + 4]
            assert found[..., i, j].flatten().tolist() == pytest.approx(
                block.sum(dim=(-1, -2)).flatten().tolist()
            )
