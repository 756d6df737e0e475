import numpy as np
import pytest

from evenhand.functional.class_groups import group_legibility


def slow(predicted, y, weights):
    """Merge classes by hand, and try every partition."""
    codes = sorted(set(y.tolist()))
    share = {
        (c, d): sum(w for w, p, t in zip(weights, predicted, y, strict=True) if (t, p) == (c, d))
        / sum(w for w, t in zip(weights, y, strict=True) if t == c)
        for c in codes
        for d in codes
    }
    groups, best = [[c] for c in codes], 0.0
    while len(groups) > 2:
        pairs = [(a, b) for a in range(len(groups)) for b in range(a)]
        distance = {
            (a, b): np.mean([1 - (share[c, d] + share[d, c]) / 2 for c in groups[a] for d in groups[b]])
            for a, b in pairs
        }
        a, b = min(pairs, key=distance.__getitem__)
        groups[b] += groups.pop(a)
        k = len(groups)
        if k <= len(codes) / 2:
            accuracy = np.mean([np.mean([sum(share[c, d] for d in g) for c in g]) for g in groups])
            best = max(best, (accuracy - 1 / k) / (1 - 1 / k))
    return best


@pytest.mark.parametrize("classes", [4, 5, 9])
def test_as_merged_by_hand(classes: int):
    generator = np.random.default_rng(classes)
    y = np.r_[np.arange(classes), generator.integers(classes, size=300)] * 2
    # Half of the answers stay in a pair of neighbors, others go anywhere.
    near = y // 4 * 4 + generator.integers(2, size=len(y)) * 2
    anywhere = generator.integers(2 * classes, size=len(y))
    predicted = np.where(generator.random(len(y)) < 0.5, np.minimum(near, y.max()), anywhere)
    weights = generator.uniform(0.1, 1, len(y))
    found = group_legibility(predicted, y, weights)
    assert 0.05 < found < 0.95
    assert found == pytest.approx(slow(predicted, y, weights))


def test_the_names_of_classes_do_not_matter():
    generator = np.random.default_rng(0)
    y, predicted = generator.integers(6, size=(2, 500))
    name, ones = generator.permutation(6), np.ones(500)
    assert group_legibility(name[predicted], name[y], ones) == pytest.approx(
        group_legibility(predicted, y, ones)
    )


def test_under_four_classes_there_are_no_groups():
    y = np.arange(30) % 3
    assert group_legibility(y, y, np.ones(30)) == 0


def test_chance_is_near_zero():
    generator = np.random.default_rng(0)
    y, predicted = generator.integers(20, size=(2, 20_000))
    assert group_legibility(predicted, y, np.ones(20_000)) < 0.05
