import pytest
import torch

from evenhand.methods._training import rows as _rows
from evenhand.methods._training.rows import RowView

ARRAY = torch.arange(12.0).view(6, 2)


def test_rows_are_taken_scaled_and_in_the_order_asked_for() -> None:
    rows = RowView(ARRAY, divisor=2.0)
    assert len(rows) == 6
    assert rows[torch.tensor([3, 0, 3])].tolist() == [[3.0, 3.5], [0.0, 0.5], [3.0, 3.5]]


def test_a_choice_of_a_choice_counts_from_the_array(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_rows, "BLOCK", 2)
    part = RowView(ARRAY).take(torch.tensor([5, 1, 2, 0])).take(torch.tensor([0, 2, 3]))
    assert len(part) == 3
    assert part[torch.tensor([1])].tolist() == [[4.0, 5.0]]
    assert [block.tolist() for block in part.blocks()] == [[[10.0, 11.0], [4.0, 5.0]], [[0.0, 1.0]]]


def test_nothing_is_copied_until_it_is_asked_for() -> None:
    rows = RowView(ARRAY.clone())
    part = rows.take(torch.tensor([1]))
    rows.array[1] = 7.0
    assert part[torch.tensor([0])].tolist() == [[7.0, 7.0]]
    assert next(iter(rows.blocks())).data_ptr() == rows.array.data_ptr()
