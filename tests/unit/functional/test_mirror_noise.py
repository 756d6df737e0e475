import numpy as np
import pytest

from evenhand.functional.mirror_noise import LEAST, mirror_noise, trust


def test_it_equals_a_loop():
    generator = np.random.default_rng(0)
    z, e = generator.normal(1, 2, size=(2, 400))
    q_z, q_e = np.median([x for x in z if x > 0]), np.median([x for x in e if x > 0])
    a = sum(1 for i in range(400) if z[i] < -q_z and e[i] < -q_e)
    b = sum(1 for i in range(400) if z[i] > q_z and e[i] > q_e)
    assert a > 0
    assert mirror_noise(z, e) == a / (a + b)


@pytest.mark.parametrize("noise", [0.0, 0.1, 0.2])
def test_it_measures_flipped_labels(noise):
    generator = np.random.default_rng(1)
    flipped = generator.random(20_000) < noise
    clear = generator.normal(2, 1, size=20_000)
    margins = np.where(flipped, -1, 1) * clear
    assert mirror_noise(margins, margins + generator.normal(0, 0.1, 20_000)) == pytest.approx(noise, abs=0.01)


def test_no_positive_margin_is_no_noise():
    assert mirror_noise(-np.ones(3), -np.ones(3)) == 0


def test_suspects_count_less():
    suspects = np.array([True, True, False, False])
    assert trust(suspects, 0.125).tolist() == [0.75, 0.75, 1, 1]
    assert trust(suspects, 0.9).tolist() == [LEAST, LEAST, 1, 1]
    assert trust(~suspects & suspects, 0.9).tolist() == [1, 1, 1, 1]


def test_all_suspects_count_alike():
    assert len(set(trust(np.ones(5, dtype=bool), 1.0).tolist())) == 1
