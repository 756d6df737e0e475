import torch
from hypothesis import given
from hypothesis import strategies as st

from evenhand.methods._training.order import BlockOrder, batches


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(3)


@given(
    n=st.integers(1, 300),
    size=st.integers(1, 40),
    order=st.none() | st.builds(BlockOrder, st.integers(1, 50), st.integers(1, 9)),
)
def test_every_row_comes_once_an_epoch_in_full_batches(n: int, size: int, order: BlockOrder | None) -> None:
    found = list(batches(n, size, generator(), order))
    assert torch.cat(found).sort().values.tolist() == list(range(n))
    assert [len(batch) for batch in found] == [size] * (n // size) + ([n % size] if n % size else [])


def test_without_blocks_all_rows_are_shuffled_together() -> None:
    order = torch.randperm(10, generator=generator())
    assert [batch.tolist() for batch in batches(10, 4, generator())] == [
        part.tolist() for part in torch.split(order, 4)
    ]


def test_a_window_holds_whole_blocks_from_all_over() -> None:
    windows = list(BlockOrder(rows=10, window=4).windows(1000, generator()))
    assert len(windows) == 25
    for window in windows:
        blocks, counts = torch.unique(window // 10, return_counts=True)
        assert counts.tolist() == [10] * 4
        assert window.tolist() != window.sort().values.tolist()
    spans = [int(window.max() - window.min()) for window in windows]
    assert sum(spans) / len(spans) > 400
    assert torch.unique(torch.cat(windows)).numel() == 1000
    assert blocks.max() < 100


def test_two_epochs_of_one_stream_differ_and_a_seed_gives_the_same() -> None:
    stream = generator()
    first, second = (torch.cat(list(batches(500, 32, stream, BlockOrder(8, 4)))).tolist() for _ in range(2))
    assert first != second
    assert torch.cat(list(batches(500, 32, generator(), BlockOrder(8, 4)))).tolist() == first
