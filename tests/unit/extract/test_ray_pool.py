"""The pool on a cluster that is made up: results in any order, actors that end at any moment."""

from collections.abc import Callable
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenhand import EvenhandError
from evenhand.extract import ray_pool
from evenhand.extract.ray_pool import AHEAD, ATTEMPTS, Pool


class RayError(Exception):
    pass


class RayTaskError(RayError):
    def __init__(self, cause: Exception) -> None:
        self.cause = cause


class Reference:
    def __init__(self, actor: Any, block: Any) -> None:
        self.actor, self.block = actor, block


class Cluster:
    """What the pool sees of Ray. `fate` says of an actor and what it does whether it ends of it."""

    exceptions = SimpleNamespace(RayError=RayError, RayTaskError=RayTaskError)

    def __init__(self, rng: Random, fate: Callable[[Any], bool], take: Callable[[int], Any]) -> None:
        self._rng, self._fate, self._take = rng, fate, take
        self.alive: list[Any] = []
        self.given: list[int] = []

    def start(self) -> Any:
        actor = SimpleNamespace(dead=False)
        actor.ready = SimpleNamespace(remote=lambda: Reference(actor, None))
        actor.take = SimpleNamespace(remote=lambda block: self._given(actor, block))
        self.alive.append(actor)
        return actor

    def _given(self, actor: Any, block: int) -> Reference:
        self.given.append(block)
        return Reference(actor, block)

    def wait(self, references: list[Reference], timeout: float) -> tuple[list[Reference], list[Reference]]:
        chosen = self._rng.choice(references)
        if self._fate(chosen.block):
            chosen.actor.dead = True
        return [chosen], [other for other in references if other is not chosen]

    def get(self, reference: Reference) -> Any:
        if reference.actor.dead:
            raise RayError("gone")
        if reference.block is None:
            return None
        try:
            return self._take(reference.block)
        except EvenhandError as error:
            raise RayTaskError(error) from error

    def kill(self, actor: Any) -> None:
        self.alive.remove(actor)


def pool(cluster: Cluster, blocks: int, places: int, monkeypatch: pytest.MonkeyPatch) -> Pool:
    monkeypatch.setattr(ray_pool, "optional", lambda *_: cluster)
    return Pool(range(blocks), cluster.start, lambda: places)


@given(
    seed=st.integers(0, 2**32),
    blocks=st.integers(0, 40),
    places=st.integers(0, 5),
    deadly=st.sets(st.integers(0, 39), max_size=ATTEMPTS - 1),
    bad_starts=st.integers(0, ATTEMPTS - 1),
)
def test_each_block_comes_once_in_order_whoever_ends(
    seed: int, blocks: int, places: int, deadly: set[int], bad_starts: int
) -> None:
    once: list[int | None] = [*deadly, *[None] * bad_starts]

    def fate(block: int | None) -> bool:
        if block not in once:
            return False
        once.remove(block)
        return True

    cluster = Cluster(Random(seed), fate, lambda block: -block)
    with pytest.MonkeyPatch.context() as patch:
        made = list(pool(cluster, blocks, places, patch).results())
    assert made == [-block for block in range(blocks)]
    assert not cluster.alive


def test_no_block_is_begun_far_ahead_of_one_that_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(Random(0), lambda block: False, lambda block: block)
    results = pool(cluster, 1000, 3, monkeypatch).results()
    for done in range(100):
        assert next(results) == done
        assert max(cluster.given) < done + 1 + AHEAD * 3
    results.close()
    assert not cluster.alive


def test_no_more_actors_start_than_there_are_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(Random(0), lambda block: False, lambda block: block)
    results = pool(cluster, 2, 50, monkeypatch).results()
    next(results)
    assert len(cluster.alive) == 2


def test_images_that_end_every_worker_end_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(Random(0), lambda block: block == 7, lambda block: block)
    sentence = r"4 workers of the cluster ended at the same images \(gone\); if they lack memory"
    with pytest.raises(EvenhandError, match=sentence):
        list(pool(cluster, 20, 2, monkeypatch).results())
    assert not cluster.alive


def test_workers_that_never_start_end_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(Random(0), lambda block: block is None, lambda block: block)
    with pytest.raises(EvenhandError, match=r"workers of the cluster do not start \(gone\); Ray's logs"):
        list(pool(cluster, 20, 3, monkeypatch).results())


def test_a_failure_of_the_work_itself_is_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def take(block: int) -> int:
        raise EvenhandError("the features are not finite")

    cluster = Cluster(Random(0), lambda block: False, take)
    with pytest.raises(EvenhandError, match=r"^the features are not finite$"):
        list(pool(cluster, 20, 1, monkeypatch).results())
    assert cluster.given.count(0) == 1
