"""Run blocks of work on actors of a cluster, which may die, and return each result once and in order."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Sequence
from textwrap import shorten
from typing import Any

from evenhand._errors import EvenhandError
from evenhand._optional import optional

ATTEMPTS = 4
"""How often a block may kill its actor, or actors in a row may fail to start, before the run ends."""
QUEUED = 2
"""Blocks that an actor has at once, so that it reads one while it computes another."""
AHEAD = 4
"""Blocks, for each actor, that are under way or wait for an earlier one: the bound on the driver's memory."""
LOOK = 5.0
"""Seconds between checks for machines that joined the cluster."""


class Pool:
    """As many actors as the cluster has places for, at any time, for one sequence of blocks.

    An actor that fails for the cluster's reasons (its process or its machine is gone, or its result) is
    replaced, and its blocks are given to others. Results that arrived are kept, so nothing is returned twice.

    Parameters
    ----------
    blocks : sequence
        Arguments of `take`, one by one.
    start : callable
        Return a new actor, whose method `ready` returns once it can work, and whose `take` does a block.
    places : callable
        Return how many actors there should be now.
    """

    def __init__(self, blocks: Sequence[Any], start: Callable[[], Any], places: Callable[[], int]) -> None:
        self._ray = optional("ray", "ray")
        self._blocks, self._start, self._places = blocks, start, places
        self._actors: list[Any] = []
        self._looked = -LOOK
        self._free: deque[Any] = deque()
        self._waiting: dict[Any, tuple[Any, int | None]] = {}
        """The actor of each awaited result, and the number of the block, or None for `ready`."""
        self._again: deque[int] = deque()
        self._begun = self._done = 0
        self._results: dict[int, Any] = {}
        self._failures: Counter[int | None] = Counter()
        """Failures of each block, and of `ready` since the last result of any actor."""

    def results(self) -> Generator[Any, None, None]:
        """Yield what `take` returns for each block, in their order; the actors end with the generator.

        Raises
        ------
        EvenhandError
            As the actors' methods raise it, or if they end again and again.
        """
        try:
            while self._done < len(self._blocks):
                self._fill()
                self._give()
                self._collect()
                while self._done in self._results:
                    self._done += 1
                    yield self._results.pop(self._done - 1)
        finally:
            for actor in self._actors:
                self._ray.kill(actor)

    def _fill(self) -> None:
        """Start actors where there are places, no more than blocks."""
        now = time.monotonic()
        if self._actors and now < self._looked + LOOK:
            return
        self._looked = now
        # At least one, which waits for a machine to join when all are gone.
        wanted = min(max(1, self._places()), len(self._blocks) - self._done)
        for _ in range(wanted - len(self._actors)):
            actor = self._start()
            self._actors.append(actor)
            self._waiting[actor.ready.remote()] = (actor, None)

    def _give(self) -> None:
        """Give blocks to actors, those of lost actors first, and none too far ahead."""
        end = min(len(self._blocks), self._done + AHEAD * len(self._actors))
        while self._free and (self._again or self._begun < end):
            number = self._again.popleft() if self._again else self._begun
            self._begun = max(self._begun, number + 1)
            actor = self._free.popleft()
            self._waiting[actor.take.remote(self._blocks[number])] = (actor, number)

    def _collect(self) -> None:
        """Wait for a result to arrive, and keep it."""
        ready, _ = self._ray.wait(list(self._waiting), timeout=LOOK)
        for reference in ready:
            actor, number = self._waiting[reference]
            try:
                result = self._ray.get(reference)
            except self._ray.exceptions.RayTaskError as error:
                if isinstance(error.cause, EvenhandError):
                    raise EvenhandError(str(error.cause)) from error
                raise
            except self._ray.exceptions.RayError as error:
                self._replace(actor, error)
                continue
            del self._waiting[reference]
            self._failures[None] = 0
            if number is not None:
                self._results[number] = result
            self._free.extend([actor] * (QUEUED if number is None else 1))

    def _replace(self, actor: Any, error: Exception) -> None:
        """Drop an actor that failed, and queue its blocks again."""
        lost = [number for who, number in self._waiting.values() if who is actor]
        self._waiting = {key: kept for key, kept in self._waiting.items() if kept[0] is not actor}
        self._free = deque(kept for kept in self._free if kept is not actor)
        self._actors = [kept for kept in self._actors if kept is not actor]
        self._ray.kill(actor)
        self._looked = -LOOK
        self._failures.update(lost)
        blocks = [number for number in lost if number is not None]
        self._again = deque(sorted([*self._again, *blocks]))
        reason = shorten(str(error), 200, placeholder=" …")
        if any(self._failures[number] >= ATTEMPTS for number in blocks):
            raise EvenhandError(
                f"{ATTEMPTS} workers of the cluster ended at the same images ({reason}); if they lack "
                "memory, use a smaller `batch_size` or fewer `actors`; the same command again resumes"
            )
        # If a machine is lost, all actors that start on it are lost too.
        if self._failures[None] >= ATTEMPTS * (1 + len(self._actors)):
            raise EvenhandError(f"workers of the cluster do not start ({reason}); Ray's logs there say why")
