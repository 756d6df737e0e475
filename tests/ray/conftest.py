"""A cluster of three raylets on 127.0.0.1, and pictures that take a while."""

import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from evenhand.data.head import Head
from evenhand.data.manifest import Manifest


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "ray: starts a Ray cluster on this machine")


class SlowBackbone:
    """Features are the mean colour; each batch takes a tenth of a second, so that a run can be disturbed."""

    name, width = "slow", 3

    def preprocess(self, image: Image.Image) -> Tensor:
        return torch.from_numpy(np.asarray(image.resize((4, 4)), dtype=np.float32)).permute(2, 0, 1) / 255

    def trunk(self, pixels: Tensor) -> Tensor:
        time.sleep(0.1)
        return pixels.mean(dim=(2, 3))

    def head(self, classes: Sequence[str], prompts: Mapping[str, Sequence[str]]) -> Head:
        eye = np.eye(3, dtype=np.float32)
        chosen = {name: list(prompts[name]) for name in classes}
        return Head(eye, None, tuple(classes), eye[: len(classes)], 10.0, chosen)

    def card(self) -> dict[str, Any]:
        return {"model": self.name}


@pytest.fixture
def backbone() -> Iterator[SlowBackbone]:
    """A model of this file: workers cannot import it, so it travels with its code."""
    cloudpickle = pytest.importorskip("ray").cloudpickle
    module = sys.modules[__name__]
    cloudpickle.register_pickle_by_value(module)
    yield SlowBackbone()
    cloudpickle.unregister_pickle_by_value(module)


@pytest.fixture(scope="session")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    """Four hundred small pictures of two classes, all different, two of them broken."""
    folder = tmp_path_factory.mktemp("photos")
    for k in range(400):
        name = folder / ("red" if k % 2 else "blue") / f"{k:03d}.png"
        name.parent.mkdir(exist_ok=True)
        Image.new("RGB", (8, 8), (k % 256, k // 2, 255 - k % 200)).save(name)
    for k in (17, 230):
        (folder / ("red" if k % 2 else "blue") / f"{k:03d}.png").write_bytes(b"broken")
    return Manifest.read(folder)


class Raylets:
    """A cluster's machines: the driver's, which takes no work, and workers that come and go."""

    def __init__(self) -> None:
        from ray.cluster_utils import Cluster

        self._cluster = Cluster()
        self._add(0)
        self.workers = [self._add(1), self._add(1)]

    @property
    def address(self) -> str:
        return str(self._cluster.address)

    def join(self) -> None:
        self.workers.append(self._add(1))

    def lose(self) -> None:
        self._cluster.remove_node(self.workers.pop(0), allow_graceful=False)

    def actors(self) -> list[int]:
        """Return the processes that hold a trunk, those of these raylets alone."""
        raylets = {found.process.pid for node in self.workers for found in node.all_processes["raylet"]}
        found = [path for path in Path("/proc").iterdir() if path.name.isdecimal()]
        return [int(path.name) for path in found if _holds(path, raylets)]

    def stop(self) -> None:
        self._cluster.shutdown()

    def _add(self, cpus: int) -> Any:
        # Three agents of a dashboard would be most of the work.
        return self._cluster.add_node(
            num_cpus=cpus,
            node_ip_address="127.0.0.1",
            include_dashboard=False,
            object_store_memory=100 << 20,
        )


def _holds(process: Path, raylets: set[int]) -> bool:
    try:
        status, title = (process / "stat").read_text(), (process / "cmdline").read_bytes()
    except OSError:
        return False
    return int(status.rpartition(")")[2].split()[1]) in raylets and b"MapWorker" in title


@pytest.fixture(scope="session")
def raylets() -> Iterator[Raylets]:
    pytest.importorskip("ray")
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    found = Raylets()
    try:
        yield found
    finally:
        found.stop()
