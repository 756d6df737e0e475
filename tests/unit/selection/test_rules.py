from dataclasses import replace
from itertools import chain, product

import numpy as np
import pytest

from evenhand import EvenhandError
from evenhand.functional.clusters import class_clusters
from evenhand.selection.environments import infer_environments
from evenhand.selection.held_out import HeldOutPredictions
from evenhand.selection.rules import RULES, find_rule


def judged(seed: int = 0, n: int = 200, classes: int = 3) -> HeldOutPredictions:
    generator = np.random.default_rng(seed)
    y = generator.integers(0, classes, n)
    logits = generator.normal(size=(n, classes)).astype(np.float32)
    logits[np.arange(n), y] += 1
    shortcut = np.where(generator.random(n) < 0.8, y, generator.integers(0, classes, n))
    z = generator.normal(size=(n, 4)).astype(np.float32)
    zero_shot = generator.integers(0, classes, n)
    return HeldOutPredictions(y, zero_shot, logits, shortcut, z=z, groups=generator.integers(-1, 4, n))


def score(name: str, right: np.ndarray, rows: HeldOutPredictions) -> float:
    rule = find_rule(name)
    cells = rule.partition(rows)
    return float(rule.reduce(cells.rates(right[None]), cells.classes)[0])


flat = chain.from_iterable


def test_each_rule_is_what_its_sentence_says() -> None:
    rows = judged()
    right = np.random.default_rng(1).random(200) < 0.7
    erm_right = rows.erm == rows.y

    def rates(*parts: np.ndarray, least: int = 5) -> list[list[float]]:
        """Accuracies of the cells of each class."""
        found: list[list[float]] = []
        for code in range(3):
            keys = set(zip(*(part[rows.y == code].tolist() for part in parts), strict=True))
            cells = [
                (rows.y == code) & np.all([p == v for p, v in zip(parts, key, strict=True)], axis=0)
                for key in keys
            ]
            found.append([float(right[cell].mean()) for cell in cells if cell.sum() >= least])
        return found

    one = np.zeros(200)
    known = np.where(rows.groups >= 0, rows.groups, -1)
    assert score("accuracy", right, rows) == pytest.approx(right.mean())
    assert score("worst_class", right, rows) == pytest.approx(min(flat(rates(one))))
    assert score("worst_cell", right, rows) == pytest.approx(min(flat(rates(erm_right))))
    assert score("balanced_cell", right, rows) == pytest.approx(min(np.mean(c) for c in rates(erm_right)))
    assert score("shortcut_cell", right, rows) == pytest.approx(np.mean(list(flat(rates(rows.shortcut)))))
    assert score("worst_shortcut_cell", right, rows) == pytest.approx(min(flat(rates(rows.shortcut))))
    groups = [right[(rows.y == c) & (known == g)].mean() for c in range(3) for g in range(4)]
    assert score("worst_group", right, rows) == pytest.approx(min(groups))


def test_only_the_oracle_uses_groups_and_it_says_so() -> None:
    rows = judged()
    blind = replace(rows, groups=None)
    for name, rule in RULES.items():
        if rule.group_labels_used == "none":
            rule.partition(blind)
        else:
            assert name == "worst_group"
            with pytest.raises(EvenhandError, match="worst_group needs the group labels"):
                rule.partition(blind)


def test_clusters_without_embeddings_are_refused() -> None:
    with pytest.raises(EvenhandError, match="clusters need the embeddings"):
        find_rule("worst_cluster").partition(replace(judged(), z=None))


def test_an_unknown_rule_is_refused_with_the_known_ones() -> None:
    with pytest.raises(
        EvenhandError, match="selection: 'best' is unknown; the allowed values are accuracy, "
    ):
        find_rule("best")


def test_renaming_classes_changes_no_score() -> None:
    rows = judged()
    names = np.array([2, 0, 1])
    renamed = replace(
        rows,
        y=names[rows.y],
        zero_shot=names[rows.zero_shot],
        erm_logits=rows.erm_logits[:, np.argsort(names)],
        shortcut=names[rows.shortcut],
    )
    right = np.random.default_rng(1).random(200) < 0.7
    for name in RULES:
        assert score(name, right, rows) == pytest.approx(score(name, right, renamed), abs=1e-12), name


def test_concatenation_keeps_the_order_and_drops_groups_that_some_part_lacks() -> None:
    first, second = judged(0, 10), judged(1, 5)
    both = HeldOutPredictions.concatenate([first, second])
    assert np.array_equal(both.y, np.r_[first.y, second.y])
    assert both.groups is not None
    blind = replace(second, groups=None)
    assert HeldOutPredictions.concatenate([first, blind]).groups is None


def test_suspects_are_rows_that_both_models_put_in_the_same_other_class() -> None:
    logits = np.eye(3, dtype=np.float32)[[0, 1, 1, 1]]
    rows = HeldOutPredictions(
        np.array([0, 0, 0, 1]), np.array([0, 1, 2, 1]), logits, np.zeros(4, dtype=np.int64)
    )
    assert rows.suspects.tolist() == [False, True, False, False]


def test_environments_maximize_the_invariance_penalty() -> None:
    generator = np.random.default_rng(0)
    f, y = generator.normal(size=(9, 3)), generator.integers(0, 3, 9)
    p = np.exp(f) / np.exp(f).sum(axis=1, keepdims=True)
    step = 1e-6
    risk = [np.log(np.exp(s * f).sum(axis=1)) - s * f[np.arange(9), y] for s in (1 + step, 1 - step)]
    gradient = (risk[0] - risk[1]) / (2 * step)
    assert np.allclose(gradient, (p * f).sum(axis=1) - f[np.arange(9), y], atol=1e-8)

    def penalty(q: np.ndarray) -> float:
        return float((q * gradient).sum() ** 2 + ((1 - q) * gradient).sum() ** 2)

    best = max(penalty(np.array(q)) for q in product([0, 1], repeat=9))
    assert penalty(infer_environments(f, y)) == pytest.approx(best)


def test_small_clusters_join_a_large_one() -> None:
    z = np.repeat(np.eye(3), [30, 30, 2], axis=0) + np.random.default_rng(0).normal(scale=0.01, size=(62, 3))
    found = class_clusters(z, np.zeros(62, dtype=np.int64), clusters=3, min_rows=10)
    assert sorted(np.bincount(found)[np.unique(found)]) in ([30, 32],)


def test_equal_rows_are_one_cluster() -> None:
    found = class_clusters(np.ones((4, 2)), np.zeros(4, dtype=np.int64), clusters=3, min_rows=10)
    assert len(set(found.tolist())) == 1
