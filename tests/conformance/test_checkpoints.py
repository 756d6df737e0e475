"""The states that an iterative method shows along its fit are those of shorter fits."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from evenhand import Head
from evenhand._typing import Floats, Ints
from evenhand.methods import SGD, Model, make

World = Callable[..., tuple[Floats, Ints, Ints]]
SHORTER: dict[str, Callable[[int], dict[str, Any]]] = {
    "erm": lambda epochs: {"epochs": epochs},
    "jtt": lambda epochs: {"erm": SGD(1e-2, epochs), "first_epochs": 1},
    "group_dro": lambda epochs: {"epochs": epochs},
    "cnc": lambda epochs: {"epochs": epochs},
    "contrastive_adapter": lambda epochs: {"epochs": epochs},
    "self": lambda epochs: {"steps": epochs, "rows": 20, "erm": SGD(1e-2, 4)},
}
"""Parameters by which a fit ends after some epochs."""


@pytest.mark.parametrize("name", SHORTER)
def test_a_state_is_the_end_of_a_shorter_fit(world: World, head: Callable[[int], Head], name: str) -> None:
    X, y, attribute = world(150, 2)
    given = {"groups": attribute} if name == "group_dro" else {}
    shown: list[tuple[int, Model]] = []
    method = make(name, head=head(2), **SHORTER[name](4))
    method.fit(X, y.astype(str), on_checkpoint=lambda *state: shown.append(state), **given)
    assert [epoch for epoch, _ in shown] == [1, 2, 3]
    for epoch, model in shown:
        shorter = make(name, head=head(2), **SHORTER[name](epoch)).fit(X, y.astype(str), **given)
        assert np.allclose(model.logits(X), shorter.model_.logits(X), atol=1e-5)
    logits = [model.logits(X) for _, model in shown] + [method.model_.logits(X)]
    assert all(not np.array_equal(first, second) for first, second in pairwise(logits))


@pytest.mark.parametrize(("epochs", "seen"), [(18, 17), (20, 9), (100, 16)])
def test_at_most_eighteen_states_are_to_choose_among(
    world: World, head: Callable[[int], Head], epochs: int, seen: int
) -> None:
    X, y, _ = world(40, 2)
    shown: list[int] = []
    method = make("erm", head=head(2), epochs=epochs)
    method.fit(X, y.astype(str), on_checkpoint=lambda epoch, _: shown.append(epoch))
    assert len(shown) == seen
    assert epochs not in shown
    assert len(np.unique(np.diff([0, *shown]))) == 1
