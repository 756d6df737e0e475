"""Group DRO's means and weights against slow loops from their equations."""

from math import exp

import pytest
import torch

from evenhand.functional.group_weights import group_means, update_group_weights


def test_the_mean_loss_of_each_group() -> None:
    losses = torch.tensor([1.0, 2.0, 4.0, 8.0], dtype=torch.float64, requires_grad=True)
    groups = torch.tensor([2, 0, 2, 2])
    assert group_means(losses, groups, 4).tolist() == pytest.approx([2.0, 0.0, 13 / 3, 0.0])
    assert torch.autograd.gradcheck(lambda t: group_means(t, groups, 4), losses)


def test_weights_rise_with_the_loss_and_sum_to_one() -> None:
    q, losses = [0.2, 0.5, 0.3], [1.0, 0.0, 3.0]
    found = update_group_weights(torch.tensor(q), torch.tensor(losses), 0.5).tolist()
    parts = [q[g] * exp(0.5 * losses[g]) for g in range(3)]
    assert found == pytest.approx([part / sum(parts) for part in parts])
    assert sum(found) == pytest.approx(1)
    assert found[2] > q[2]
    assert found[1] < q[1]
