import numpy as np

from evenhand.audits.costs import accuracy_cost, retrieval_kept, unknown_costs, words_kept


def unit(x: np.ndarray) -> np.ndarray:
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


def test_nothing_changes_and_nothing_is_lost() -> None:
    generator = np.random.default_rng(0)
    z, text = unit(generator.normal(size=(50, 8))), unit(generator.normal(size=(6, 8)))
    for cost in (
        words_kept(z, z, text),
        retrieval_kept(z, z, text),
        accuracy_cost("zero_shot:place", "zero_shot", z, z, text, np.arange(50) % 6),
    ):
        assert cost.difference == 0
        assert (cost.low, cost.high) == (0, 0)


def test_costs_by_loops() -> None:
    generator = np.random.default_rng(0)
    z, moved = unit(generator.normal(size=(40, 8))), unit(generator.normal(size=(40, 8)))
    text, codes = unit(generator.normal(size=(5, 8))), np.arange(40) % 6 - 1
    best = [[max(range(5), key=lambda v: float(a @ text[v])) for a in part] for part in (z, moved)]
    kept = words_kept(z, moved, text)
    assert kept.after == np.mean([a == b for a, b in zip(*best, strict=True)])
    found = accuracy_cost("zero_shot:place", "zero_shot", z, moved, text, codes)
    known = [k for k in range(40) if codes[k] >= 0]
    assert found.n == len(known)
    assert found.before == np.mean([best[0][k] == codes[k] for k in known])
    assert found.after == np.mean([best[1][k] == codes[k] for k in known])
    shares = []
    for v in range(5):
        tops = [set(sorted(range(40), key=lambda k: -float(part[k] @ text[v]))[:10]) for part in (z, moved)]
        shares.append(len(tops[0] & tops[1]) / 10)
    assert np.isclose(retrieval_kept(z, moved, text).after or 0, np.mean(shares))


def test_fewer_images_than_are_retrieved() -> None:
    z, text = unit(np.random.default_rng(0).normal(size=(3, 4))), np.eye(4, dtype=np.float32)
    assert retrieval_kept(z, z[::-1], text).after == 1


def test_what_cannot_be_measured_says_why() -> None:
    (cost,) = unknown_costs(["zero_shot:place"], "no text tower")
    assert (cost.before, cost.after, cost.reason) == (None, None, "no text tower")
