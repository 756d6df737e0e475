"""CFR by its published protocol: the epoch of best validation worst group, which needs group labels."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from evenhand import CFR, EvenhandError, Head, PublishedCFR
from evenhand._typing import Floats, Ints
from evenhand.functional.geometry import unit
from evenhand.functional.simplex import simplex_vertices
from evenhand.functional.targeted import TargetedMemory
from evenhand.methods import PRESETS, PUBLISHED_CODE, SGD, TargetedContrast

World = Callable[..., tuple[Floats, Ints, Ints]]
RECIPE = replace(PUBLISHED_CODE, sgd=SGD(3e-2, 6))


def test_the_epoch_of_the_best_validation_worst_group_is_kept(
    world: World, head: Callable[[int], Head]
) -> None:
    X, y, _ = world(200, 2)
    X_val, y_val, attribute = world(200, 2, seed=1)
    given = X_val, y_val.astype(str), attribute.astype(str)
    method = PublishedCFR(head(2), recipe=RECIPE, erm=SGD(1e-2, 3)).fit(X, y.astype(str), validation=given)
    assert [tried["epoch"] for tried in method.grid_] == [1, 2, 3, 4, 5, 6]
    scores = [tried["worst_group"] for tried in method.grid_]
    assert len(set(scores)) > 1
    assert method.epoch_ == 1 + int(np.argmax(scores))
    right = method.predict(X_val) == y_val.astype(str)
    groups = [right[(y_val == c) & (attribute == a)].mean() for c in (0, 1) for a in (0, 1)]
    assert min(groups) == pytest.approx(max(scores))


def test_its_settings_are_those_of_the_preset(world: World, head: Callable[[int], Head]) -> None:
    X, y, attribute = world(60, 2)
    problem_settings = CFR(preset="published-code").fit(X, y, validation=(X, y)).settings_
    assert "learning_rate=0.0001, epochs=100" in problem_settings["erm"]
    assert "random_queue=True" in problem_settings["recipes"]
    method = PublishedCFR(random_state=1).fit(X, y, validation=(X, y, attribute))
    assert [tried["epoch"] for tried in method.grid_] == list(range(4, 101, 4))
    assert method.group_labels_used == "validation"


@pytest.mark.parametrize(
    "name", ["published-code", "published-similarity", "abstract", "centroids-second-hand"]
)
def test_presets_of_the_paper_have_the_published_step_in_both_stages(name: str) -> None:
    preset = PRESETS[name]
    assert (preset["erm"].learning_rate, preset["erm"].epochs) == (1e-4, 100)
    assert (preset["recipes"].sgd.learning_rate, preset["recipes"].sgd.epochs) == (1e-4, 100)


def test_without_group_labels_it_refuses(world: World) -> None:
    X, y, _ = world(60, 2)
    with pytest.raises(EvenhandError, match="validation: no row has a group label, but the published"):
        PublishedCFR().fit(X, y, validation=(X, y))


def test_the_targeted_loss_meets_random_rows_until_its_queue_is_full() -> None:
    term = next(term for term in PUBLISHED_CODE.terms if isinstance(term, TargetedContrast))
    empty = replace(term.settings, random_queue=False)
    vertices = simplex_vertices(2, 1024, seed=0).double()
    published, other = TargetedMemory(vertices, term.settings), TargetedMemory(vertices, empty)
    generator, y = torch.Generator().manual_seed(0), torch.arange(128) % 2
    gaps = []
    for _ in range(11):
        drawn = torch.randn(128, 1024, generator=generator, dtype=torch.float64)
        z = unit(drawn + 32 * vertices[y])  # half way between chance and the targets
        gaps.append(float(published.step(z, y) - other.step(z, y)))
    # 1,280 rows are ten steps. On average the random rows add 8.4e-4, 1.4e-3 at first.
    assert np.mean(gaps[:10]) == pytest.approx(8.4e-4, abs=1e-4)
    assert gaps[0] == pytest.approx(1.4e-3, abs=1e-4)
    assert min(gaps[:10]) > 0
    assert gaps[10] == 0
