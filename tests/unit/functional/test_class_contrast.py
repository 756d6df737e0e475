import numpy as np
import pytest

from evenhand.functional.class_contrast import class_contrast


@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_formula_by_loops(n_classes: int) -> None:
    generator = np.random.default_rng(0)
    y = np.arange(31) % n_classes
    z, t = generator.normal(size=(31, 4)) + y[:, None], generator.normal(size=(5, 4))
    d, se = class_contrast(z, y, t, n_classes)
    for v in range(5):
        along = [float(row @ t[v]) for row in z]
        of_class = [[s for s, c in zip(along, y, strict=True) if c == code] for code in range(n_classes)]
        means = [sum(own) / len(own) for own in of_class]
        squares = sum((s - means[c]) ** 2 for s, c in zip(along, y, strict=True))
        sigma = (squares / (31 - n_classes)) ** 0.5
        for c in range(n_classes):
            others = [k for k in range(n_classes) if k != c]
            expected = (means[c] - sum(means[k] for k in others) / len(others)) / sigma
            variance = 1 / len(of_class[c]) + sum(
                1 / (len(of_class[k]) * (n_classes - 1) ** 2) for k in others
            )
            assert d[c, v] == pytest.approx(expected)
            assert se[c, v] == pytest.approx((variance + expected**2 / (2 * (31 - n_classes))) ** 0.5)


def test_the_standard_error_is_that_of_repeated_draws() -> None:
    generator = np.random.default_rng(0)
    y = np.arange(90) % 3
    drawn, told = [], []
    for _ in range(400):
        z = generator.normal(size=(90, 1)) + 0.8 * (y == 0)[:, None]
        d, se = class_contrast(z, y, np.ones((1, 1)), 3)
        drawn.append(d[0, 0])
        told.append(se[0, 0])
    assert np.std(drawn) == pytest.approx(np.mean(told), rel=0.1)
    assert np.mean(drawn) == pytest.approx(0.8, abs=0.03)


def test_a_constant_direction_does_not_differ() -> None:
    z = np.ones((6, 2)) + 1e-7 * np.arange(12).reshape(6, 2)
    d, se = class_contrast(z, np.arange(6) % 2, np.eye(2), 2)
    assert np.all(d == 0)
    assert np.isfinite(se).all()
