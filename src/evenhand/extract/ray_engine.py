"""Images through the trunk on a Ray cluster."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evenhand._errors import EvenhandError
from evenhand._optional import optional
from evenhand._typing import Strings
from evenhand._version import __version__
from evenhand.backbones.base import Backbone
from evenhand.data.images.pixel_limit import raised_limit
from evenhand.data.places import is_there
from evenhand.extract.ray_address import check_address, no_cluster
from evenhand.extract.ray_folder import short_folder
from evenhand.extract.ray_pool import QUEUED, Pool
from evenhand.extract.ray_resources import choose_resources, machines_of
from evenhand.extract.ray_worker import ActorSettings, Block, Trunk
from evenhand.extract.trunk import Embedded, ImageReading

BATCHES = {"cpu": 1, "cuda": 8}
"""Batches of a task: a second's work or more, so that the cluster's bookkeeping does not show."""
LOOPBACK = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"
"""Variable of Ray's that, at 0, makes it listen at the loopback address alone."""


@dataclass(frozen=True)
class RayEngine:
    """An `Engine` of actors, each of which holds the trunk.

    Parameters
    ----------
    address : str, optional
        `HOST:PORT` of a cluster that this machine is part of, or `auto` for the one that runs here; by
        default a cluster of this machine alone, which ends with the run.
    actors : int, optional
        By default one for each GPU of the cluster, or where it has none, one for each `threads` CPUs.
    device : "auto", "cpu" or "cuda", default="auto"
        Where the actors compute; "auto" is cuda where the cluster has a GPU.
    threads : int, optional
        CPUs of an actor; by default 1, or with a GPU its share of the CPUs of its machine, at most 8.

    Raises
    ------
    EvenhandError
        When called: if Ray is not installed, there is no such cluster, no machine of it can hold an actor, a
        worker has another version of evenhand or does not see the files, workers end again and again, or as
        any engine.
    """

    address: str | None = None
    actors: int | None = None
    device: str = "auto"
    threads: int | None = None

    def __call__(
        self,
        paths: Sequence[str] | Strings,
        backbone: Backbone,
        batches: Sequence[range],
        reading: ImageReading,
    ) -> Generator[Embedded, None, None]:
        """Take batches through the trunk on the cluster; each actor reads with `reading.workers` threads."""
        if not batches:
            return
        with connected(self.address) as ray:
            # Asked for before anything is sent: a cluster without a place is refused at once.
            each = choose_resources(machines_of(ray), self.device, self.threads)
            task = ActorSettings(
                version=__version__,
                device=each.device,
                threads=each.cpus,
                reading=reading,
                max_pixels=raised_limit(),
            )
            actor = ray.remote(Trunk).options(
                num_cpus=each.cpus,
                num_gpus=each.gpus,
                max_concurrency=QUEUED,
                # The pool replaces actors: Ray's own restarts would keep the machine that failed.
                max_restarts=0,
            )
            sent = ray.put(backbone)
            blocks = LazyBlocks(paths, batches, BATCHES[each.device])
            pool = Pool(
                blocks,
                start=lambda: actor.remote(sent, task),
                places=lambda: self.actors or each.places(machines_of(ray)),
            )
            with closing(pool.results()) as results:
                for made in results:
                    for batch in made:
                        check_seen(batch, paths)
                        yield batch


@dataclass(frozen=True)
class LazyBlocks(Sequence[Block]):
    """Batches in runs of `size`, each of which an actor takes at once; made on demand."""

    paths: Sequence[str] | Strings
    batches: Sequence[range]
    size: int

    def __len__(self) -> int:
        return -(-len(self.batches) // self.size)

    def __getitem__(self, number: Any) -> Any:
        end = min((number + 1) * self.size, len(self.batches))
        batches = [self.batches[k] for k in range(number * self.size, end)]
        first, stop = batches[0].start, batches[-1].stop
        paths = [str(self.paths[k]) for k in range(first, stop)]
        return Block(first, paths, [range(rows.start - first, rows.stop - first) for rows in batches])


def check_seen(batch: Embedded, paths: Sequence[str] | Strings) -> None:
    """Refuse files that only this machine can find: they would be left out silently."""
    for row, reason in batch.unreadable:
        if reason == "file not found" and is_there(Path(paths[row])):
            raise EvenhandError(
                f"a worker of the cluster cannot find {paths[row]}, which this machine has; put the images "
                "where every machine has them under the same path, or at s3:// or gs://"
            )


@contextmanager
def connected(address: str | None) -> Iterator[Any]:
    """Yield the module `ray`, connected; an existing connection of the caller is used and kept."""
    with _environment(alone=address is None) as added:
        ray = optional("ray", "ray")
        if LOOPBACK in added or LOOPBACK not in os.environ:
            listen_everywhere(address is not None)
        if ray.is_initialized():
            yield ray
            return
        if address is not None:
            check_address(_found(address))
        with short_folder() if address is None else nullcontext() as folder:
            alone = {"_node_ip_address": "127.0.0.1", "_temp_dir": folder, "include_dashboard": False}
            try:
                _init(ray, address, alone if folder else {})
                yield ray
            finally:
                ray.shutdown()


def _found(address: str) -> str:
    """Return the address that Ray takes for `auto`; `auto` where it knows none, which it says by itself."""
    from ray._private.services import canonicalize_bootstrap_address

    return canonicalize_bootstrap_address(address) or address if address == "auto" else address


def _init(ray: Any, address: str | None, more: dict[str, Any]) -> None:
    try:
        ray.init(address or "local", log_to_driver=False, logging_level=logging.ERROR, **more)
    except (OSError, ValueError, RuntimeError) as error:
        raise no_cluster(address, error) from error


def listen_everywhere(everywhere: bool) -> None:
    """Have Ray use this machine's address in its network, or the loopback address alone.

    Ray reads `LOOPBACK` once, when it is imported: after a cluster of this machine alone, a connection to
    another one would name the loopback address, and no actor would start.
    """
    constants = sys.modules.get("ray._private.ray_constants")
    if constants is not None:
        constants.ENABLE_RAY_CLUSTER = everywhere  # type: ignore[attr-defined]


@contextmanager
def _environment(*, alone: bool) -> Iterator[list[str]]:
    """Turn off Ray's usage reports, and keep a cluster of one machine off the network.

    Yield the variables that the user has not set.
    """
    wanted = {"RAY_USAGE_STATS_ENABLED": "0", **({LOOPBACK: "0"} if alone else {})}
    added = {name: value for name, value in wanted.items() if name not in os.environ}
    os.environ |= added
    try:
        yield list(added)
    finally:
        for name in added:
            del os.environ[name]
