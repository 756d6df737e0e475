"""A cluster of this machine alone: a head without places for actors, and two raylets with one each."""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from evenhand.backbones.base import Backbone
from evenhand.backbones.load import load_backbone
from evenhand.data.manifest import Manifest
from evenhand.datasets.scenes import write_scenes
from evenhand.extract.embed_images import embed
from evenhand.extract.ray_engine import RayEngine
from evenhand.extract.ray_folder import short_folder

# Loopback alone, nothing told to Ray's makers, workers as urgent as other tests: Ray reads it when imported.
os.environ.update(RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER="0", RAY_USAGE_STATS_ENABLED="0", RAY_worker_niceness="0")
pytest.importorskip("ray")

OPTIONS: dict[str, Any] = {"batch_size": 4, "part_rows": 16, "dtype": "float32"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.ray)


@dataclass(frozen=True)
class Raylets:
    """The cluster, and what may be done to it."""

    cluster: Any

    @property
    def engine(self) -> RayEngine:
        return RayEngine(address=self.cluster.address)

    def add(self) -> None:
        self.cluster.add_node(num_cpus=1, node_ip_address="127.0.0.1")

    def lose(self) -> None:
        """Kill a raylet and its workers."""
        self.cluster.remove_node(next(iter(self.cluster.worker_nodes)), allow_graceful=False)

    def actors(self) -> list[int]:
        """Return the processes that hold the trunk, all of them children of our raylets."""
        raylets = [node.all_processes["raylet"][0].process.pid for node in self.cluster.worker_nodes]
        children = [
            child
            for raylet in raylets
            for child in Path(f"/proc/{raylet}/task/{raylet}/children").read_text().split()
        ]
        return [
            int(child) for child in children if b"ray::Trunk" in Path(f"/proc/{child}/cmdline").read_bytes()
        ]


@pytest.fixture(scope="session")
def raylets() -> Iterator[Raylets]:
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 0, "include_dashboard": False, "node_ip_address": "127.0.0.1"}
    with short_folder() as folder, pytest.MonkeyPatch.context() as patch:
        # Of `temp_dir` a Cluster makes use, but it writes its address where all clusters of this machine do.
        patch.setenv("RAY_TMPDIR", folder)
        made = Raylets(Cluster(initialize_head=True, head_node_args=head))
        try:
            made.add()
            made.add()
            yield made
        finally:
            made.cluster.shutdown()


@pytest.fixture(scope="session")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hundred and twenty drawn pictures, one of which cannot be read."""
    folder = tmp_path_factory.mktemp("scenes") / "photos"
    write_scenes(folder, seed=0, train=80, test=40)
    sorted(folder.rglob("*.jpg"))[9].write_bytes(b"broken")
    return folder


@pytest.fixture(scope="session")
def manifest(scenes: Path) -> Manifest:
    return Manifest.read(scenes)


@pytest.fixture(scope="session")
def tiny() -> Backbone:
    return load_backbone("tiny")


@pytest.fixture(scope="session")
def local_store(manifest: Manifest, tiny: Backbone, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What this machine makes of the scenes."""
    store = tmp_path_factory.mktemp("local") / "s"
    embed(manifest, tiny, store, **OPTIONS)
    return store


def bytes_in(folder: Path) -> dict[str, bytes]:
    """Return every file's content."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def wait_until(condition: Any, seconds: float = 300) -> None:
    """Wait for a condition, and fail if it does not come."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)
