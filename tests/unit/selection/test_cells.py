import numpy as np

from evenhand.selection.cells import Partition


def test_cells_are_class_by_part_and_small_or_left_out_rows_do_not_count() -> None:
    y, part = np.array([0, 0, 0, 1, 1, 1, 1]), np.array([0, 1, 1, 0, 0, -1, 1])
    cells = Partition.of(y, part, min_rows=2)
    assert [cell.tolist() for cell in cells.members] == [[1, 2], [3, 4]]
    assert cells.classes.tolist() == [0, 1]


def test_rows_can_be_taken_out_and_empty_cells_go() -> None:
    cells = Partition.of(np.array([0, 0, 1]), np.zeros(3, dtype=np.int64))
    left = cells.without(np.array([True, False, True]))
    assert [cell.tolist() for cell in left.members] == [[1]]
    assert left.classes.tolist() == [0]


def test_rates_are_means_within_cells() -> None:
    cells = Partition.of(np.array([0, 0, 1]), np.zeros(3, dtype=np.int64))
    right = np.array([[True, False, True], [False, False, False]])
    assert cells.rates(right).tolist() == [[0.5, 1.0], [0.0, 0.0]]


def test_a_draw_is_the_bootstrap_of_rows_within_cells() -> None:
    generator = np.random.default_rng(0)
    y = generator.integers(0, 2, 300)
    right = generator.random((3, 300)) < 0.7
    right[1, :200] = right[0, :200]
    cells = Partition.of(y, np.zeros_like(y))
    drawn = cells.draw(right, 4000, generator)
    slow = np.empty_like(drawn)
    for draw in range(4000):
        for place, cell in enumerate(cells.members):
            slow[draw, :, place] = right[:, generator.choice(cell, len(cell))].mean(axis=1)
    assert np.allclose(drawn.mean(axis=0), slow.mean(axis=0), atol=0.003)
    for place in range(2):
        expected = np.cov(slow[:, :, place].T)
        assert np.allclose(np.cov(drawn[:, :, place].T), expected, atol=0.15 * expected.max())
