"""Pictures through the trunk on a Ray cluster."""

from __future__ import annotations

import logging
import os
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from textwrap import shorten
from typing import Any

from evenhand._errors import EvenhandError
from evenhand._optional import optional
from evenhand._typing import Strings
from evenhand._version import __version__
from evenhand.backbones.base import Backbone
from evenhand.extract.engine import Embedded
from evenhand.extract.ray_worker import Task, Trunk, block, unpacked

BATCHES = {"cpu": 1, "cuda": 8}
"""Batches of a task: a second's work or more, so that the cluster's bookkeeping does not show."""
WINDOW = 2 << 30
"""Bytes of finished work that wait for the driver at most, beside what is under way."""

_SILENCE = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_BACKEND_LOG_LEVEL": "fatal"}


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
    device : "auto", "cpu" or "cuda"
        Where the actors compute; "auto" is cuda where the cluster has a GPU.
    threads : int, optional
        CPUs of an actor; by default 1, or with a GPU its share of the CPUs of its machine, at most 8.

    Raises
    ------
    EvenhandError
        When called: if Ray is not installed, there is no such cluster, no machine of it can hold an actor, a
        worker has another version of evenhand, a task fails again and again, or as any engine.
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
        *,
        dtype: str,
        thumbnails: bool = False,
        workers: int | None = None,
    ) -> Generator[Embedded, None, None]:
        """Take batches through the trunk on the cluster; each actor reads with `workers` threads."""
        if not batches:
            return
        with _connected(self.address) as ray:
            pool = _pool(ray, self)
            task = Task(
                backbone=ray.put(backbone),
                version=__version__,
                device=pool.device,
                threads=pool.cpus,
                readers=max(1, pool.cpus if workers is None else workers),
                dtype=dtype,
                thumbnails=thumbnails,
            )
            done = 0
            try:
                with closing(_run(paths, batches, pool, task)) as tables:
                    for table in tables:
                        for number, made in unpacked(table, width=backbone.width, dtype=dtype):
                            if number != done:
                                raise RuntimeError(f"batch {number} came in place of {done}")
                            done += 1
                            yield made
            except EvenhandError:
                raise
            # Ray and Ray Data raise kinds of their own, which share no base.
            except Exception as error:
                raise EvenhandError(
                    f"the Ray cluster failed after {done} of {len(batches)} batches ({_short(error)}); "
                    "run the same command again"
                ) from error


@dataclass(frozen=True)
class Pool:
    """Actors that fit a cluster: how many, on what, with how many CPUs each."""

    actors: int
    device: str
    cpus: int


def _pool(ray: Any, engine: RayEngine) -> Pool:
    machines = [
        {"CPU": 0.0, "GPU": 0.0, **machine["Resources"]} for machine in ray.nodes() if machine["Alive"]
    ]
    return choose_pool(machines, engine)


def choose_pool(machines: Sequence[dict[str, float]], engine: RayEngine) -> Pool:
    """Return the actors for machines with so many CPUs and GPUs.

    Raises
    ------
    EvenhandError
        If no machine can hold one.
    """
    with_gpu = [machine for machine in machines if machine["GPU"] >= 1]
    device = engine.device if engine.device != "auto" else "cuda" if with_gpu else "cpu"
    if device == "cuda":
        shares = [int(machine["CPU"] // machine["GPU"]) for machine in with_gpu]
        cpus = engine.threads or max(1, min([8, *shares]))
        places = sum(min(int(machine["GPU"]), int(machine["CPU"] // cpus)) for machine in with_gpu)
    else:
        cpus = engine.threads or 1
        places = sum(int(machine["CPU"] // cpus) for machine in machines)
    if not places:
        wanted = f"{cpus} CPUs and a GPU" if device == "cuda" else f"{cpus} CPUs"
        raise EvenhandError(
            f"no machine of the cluster has {wanted} for an actor; use fewer --threads, another --device, or "
            "add machines"
        )
    return Pool(engine.actors or places, device, cpus)


def _run(paths: Any, batches: Sequence[range], pool: Pool, task: Task) -> Generator[Any, None, None]:
    """Yield the actors' tables in the order of the batches."""
    data = optional("ray.data", "ray")
    numbered = list(enumerate(batches))
    size = BATCHES[pool.device]
    blocks = [block(paths, numbered[start : start + size]) for start in range(0, len(numbered), size)]
    made = data.from_arrow(blocks).map_batches(
        Trunk,
        fn_constructor_args=(task,),
        batch_size=None,
        batch_format="pyarrow",
        compute=data.ActorPoolStrategy(min_size=1, max_size=pool.actors),
        num_cpus=pool.cpus,
        num_gpus=1 if pool.device == "cuda" else 0,
    )
    options = made.context.execution_options
    options.preserve_order = True
    options.resource_limits = options.resource_limits.copy(object_store_memory=WINDOW)
    made.context.enable_progress_bars = False
    yield from made.iter_batches(batch_size=None, batch_format="pyarrow")


@contextmanager
def _connected(address: str | None) -> Iterator[Any]:
    """Yield the module `ray`, connected; a connection that the caller has already is used and left."""
    with _quiet():
        ray = optional("ray", "ray")
        if ray.is_initialized():
            yield ray
            return
        alone = {"_node_ip_address": "127.0.0.1", "include_dashboard": False} if address is None else {}
        try:
            ray.init(address or "local", log_to_driver=False, logging_level=logging.ERROR, **alone)
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise EvenhandError(
                f"--address {address}: there is no Ray cluster ({_short(error)}); give the HOST:PORT of one "
                "that this machine has joined, or leave it out"
            ) from error
        try:
            yield ray
        finally:
            ray.shutdown()


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Ray off the user's screen, and his use of it off its makers' servers."""
    before = {name: os.environ.get(name) for name in _SILENCE}
    os.environ |= {name: value for name, value in _SILENCE.items() if before[name] is None}
    optional("ray.data", "ray")  # importing it sets its logger up
    logger = logging.getLogger("ray.data")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
        for name in [name for name, value in before.items() if value is None]:
            del os.environ[name]


def _short(error: Exception) -> str:
    return shorten(str(error), 200, placeholder=" …")
