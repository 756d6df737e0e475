import numpy as np
import pytest

from evenhand.functional.mirror_noise import LEAST, mirror_noise, passing_noise, trust
from evenhand.functional.within_class import leads


def test_it_equals_a_loop():
    generator = np.random.default_rng(0)
    y, z, e = generator.integers(3, size=(3, 400))
    z_lead, e_lead = generator.exponential(size=(2, 400))
    q_z = np.median([z_lead[i] for i in range(400) if z[i] == y[i]])
    q_e = np.median([e_lead[i] for i in range(400) if e[i] == y[i]])
    clear = [i for i in range(400) if z[i] == e[i] and z_lead[i] > q_z and e_lead[i] > q_e]
    a, b = sum(1 for i in clear if z[i] != y[i]), sum(1 for i in clear if z[i] == y[i])
    assert min(a, b) > 0
    assert mirror_noise(y, z, e, z_lead, e_lead) == a / (a + b)


@pytest.mark.parametrize("classes", [2, 5, 20])
@pytest.mark.parametrize("noise", [0.0, 0.1, 0.2])
def test_it_measures_wrong_labels(noise: float, classes: int):
    generator = np.random.default_rng(1)
    true = generator.integers(classes, size=20_000)
    logits = [1.5 * np.eye(classes)[true] + generator.normal(0, 0.7, (20_000, classes)) for _ in range(2)]
    y = np.where(generator.random(20_000) < noise, (true + 1) % classes, true)
    codes = [one.argmax(axis=1) for one in logits]
    assert mirror_noise(y, *codes, *map(leads, logits)) == pytest.approx(noise, abs=0.015)


def test_no_row_that_is_right_is_no_noise():
    ones = np.ones(3)
    assert mirror_noise(np.zeros(3, dtype=int), np.ones(3), np.ones(3), ones, ones) == 0


def test_wrong_labels_that_a_model_confirms_are_counted():
    generator = np.random.default_rng(1)
    true = generator.integers(2, size=40_000)
    z, e = (np.where(generator.random(40_000) < 0.05, 1 - true, true) for _ in range(2))
    wrong = generator.random(40_000) < 0.2
    y = np.where(wrong, 1 - true, true)
    confirmed = (wrong & ((z == y) | (e == y))).mean()
    assert passing_noise(y, z, e, 0.2) == pytest.approx(confirmed, rel=0.1)
    assert passing_noise(y, z, e, 0.0) == 0
    assert passing_noise(y, y, y, 0.2) == 0
    assert passing_noise(y, 1 - y, 1 - y, 1.0) == 1


def test_suspects_count_less():
    suspects = np.array([True, True, False, False])
    assert trust(suspects, 0.125).tolist() == [0.5, 0.5, 1, 1]
    assert trust(suspects, 0.9).tolist() == [LEAST, LEAST, 1, 1]
    assert trust(~suspects & suspects, 0.9).tolist() == [1, 1, 1, 1]


def test_all_suspects_count_alike():
    assert len(set(trust(np.ones(5, dtype=bool), 1.0).tolist())) == 1
