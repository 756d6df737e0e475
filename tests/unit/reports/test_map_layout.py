import numpy as np
import pytest

from evenhand.reports.map_layout import layouts
from evenhand.reports.sampling import sample


def cloud(n: int, seed: int = 0) -> np.ndarray:
    z = np.random.default_rng(seed).normal(size=(n, 6))
    z[: n // 2, 0] += 4
    return (z / np.linalg.norm(z, axis=1, keepdims=True)).astype(np.float32)


def test_layouts_fill_the_square_and_repeat() -> None:
    z = cloud(60)
    first, second = layouts([z, z[:, ::-1].copy()], 0)
    assert first.shape == (60, 2)
    for layout in (first, second):
        assert layout.min(axis=0) == pytest.approx([-1, -1])
        assert layout.max(axis=0) == pytest.approx([1, 1])
    again = layouts([z, z[:, ::-1].copy()], 0)
    assert np.array_equal(first, again[0])
    assert np.array_equal(second, again[1])


def test_a_model_that_changed_nothing_moves_points_less_than_one_that_changed_all() -> None:
    z = cloud(120)
    first, same = layouts([z, z], 0)
    _, other = layouts([z, cloud(120, seed=1)[::-1].copy()], 0)
    assert np.abs(same - first).mean() < 0.3 * np.abs(other - first).mean()


@pytest.mark.parametrize("n", [1, 2, 4, 9, 10])
def test_few_rows_are_laid_out_too(n: int) -> None:
    for layout in layouts([cloud(n), cloud(n)], 0):
        assert layout.shape == (n, 2)
        assert np.isfinite(layout).all()


def test_equal_rows_lie_on_one_point_and_no_rows_on_none() -> None:
    same = np.tile(np.array([[1.0, 0.0]], dtype=np.float32), (20, 1))
    assert np.isfinite(layouts([same], 0)[0]).all()
    assert layouts([same[:0], same[:0]], 0)[1].shape == (0, 2)


def test_a_sample_is_drawn_only_of_many_and_is_repeatable() -> None:
    assert sample(5, 10, 0).tolist() == [0, 1, 2, 3, 4]
    drawn = sample(1_000_000, 2000, 0, "map")
    assert len(np.unique(drawn)) == 2000
    assert np.array_equal(drawn, np.sort(drawn))
    assert np.array_equal(drawn, sample(1_000_000, 2000, 0, "map"))
    assert not np.array_equal(drawn, sample(1_000_000, 2000, 0, "other"))
