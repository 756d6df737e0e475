"""The store that a cluster makes is the local one to the byte, whatever dies on the way."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evenhand import EvenhandError
from evenhand.cli import main
from evenhand.data.manifest import Manifest
from evenhand.datasets.scenes import write_scenes
from evenhand.extract.local import embed
from evenhand.extract.ray_engine import RayEngine

pytestmark = pytest.mark.ray

OPTIONS: dict[str, Any] = {"batch_size": 8, "part_rows": 50}
EVENHAND = [sys.executable, "-c", "from evenhand.cli import main; main()"]


def files_of(store: Path) -> dict[str, bytes]:
    paths = sorted(path for path in store.rglob("*") if path.is_file())
    return {str(path.relative_to(store)): path.read_bytes() for path in paths if path.name != ".lock"}


def run(*arguments: object) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["evenhand", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            main()
        assert not stopped.value.code


@pytest.fixture
def expected(manifest: Manifest, backbone: Any, tmp_path: Path) -> dict[str, bytes]:
    embed(manifest, backbone, tmp_path / "local", workers=0, **OPTIONS)
    return files_of(tmp_path / "local")


def disturbed(at: int, disturb: Callable[[], None]) -> Callable[[str, int, int], None]:
    """Return a progress report that disturbs the run once `at` pictures are done."""
    waiting = [disturb]

    def report(stage: str, done: int, total: int) -> None:
        if done >= at and waiting:
            waiting.pop()()

    return report


def test_a_killed_worker_loses_and_doubles_nothing(
    raylets: Any, manifest: Manifest, backbone: Any, expected: dict[str, bytes], tmp_path: Path
) -> None:
    killed: list[int] = []

    def kill() -> None:
        killed.extend(raylets.actors()[:1])
        os.kill(killed[0], signal.SIGKILL)

    engine = RayEngine(address=raylets.address)
    embed(manifest, backbone, tmp_path / "s", engine=engine, progress=disturbed(24, kill), **OPTIONS)
    assert len(killed) == 1
    assert files_of(tmp_path / "s") == expected


def test_a_raylet_lost_and_another_joined_lose_and_double_nothing(
    raylets: Any, manifest: Manifest, backbone: Any, expected: dict[str, bytes], tmp_path: Path
) -> None:
    def change() -> None:
        raylets.lose()
        raylets.join()

    engine = RayEngine(address=raylets.address)
    embed(manifest, backbone, tmp_path / "s", engine=engine, progress=disturbed(24, change), **OPTIONS)
    assert files_of(tmp_path / "s") == expected


def test_a_killed_driver_resumes_to_the_same_bytes(raylets: Any, tmp_path: Path) -> None:
    scenes = write_scenes(tmp_path / "scenes", seed=0, train=240, test=60)
    common = ["embed", scenes, "--model", "tiny", "--batch-size", 4]
    cluster = ["--engine", "ray", "--address", raylets.address]
    run(*common, "--out", tmp_path / "local.store")
    command = [*EVENHAND, *map(str, [*common, *cluster, "--out", tmp_path / "ray.store"])]
    driver = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not (busy := raylets.actors()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert busy
    time.sleep(1)
    driver.kill()
    assert driver.wait() == -signal.SIGKILL
    assert not (tmp_path / "ray.store" / "card.json").exists()
    run(*common, *cluster, "--out", tmp_path / "ray.store")
    assert files_of(tmp_path / "ray.store") == files_of(tmp_path / "local.store")


def test_predictions_are_those_of_this_machine(raylets: Any, tmp_path: Path) -> None:
    scenes = write_scenes(tmp_path / "scenes", seed=0, train=60, test=20)
    run("embed", scenes, "--model", "tiny", "--out", tmp_path / "x.store")
    run("fit", tmp_path / "x.store", "--method", "zero_shot", "--out", tmp_path / "x.run")
    (scenes / "test" / "00003.jpg").write_bytes(b"broken")
    run("predict", tmp_path / "x.run", scenes, "--out", tmp_path / "local.csv")
    engine = ["--engine", "ray", "--address", raylets.address]
    run("predict", tmp_path / "x.run", scenes, *engine, "--out", tmp_path / "ray.csv")
    assert (tmp_path / "ray.csv").read_bytes() == (tmp_path / "local.csv").read_bytes()


def test_what_a_worker_refuses_is_one_sentence(
    raylets: Any, manifest: Manifest, backbone: Any, tmp_path: Path
) -> None:
    backbone.trunk = lambda pixels: pixels.mean(dim=(2, 3)) * float("nan")
    with pytest.raises(EvenhandError, match=r"\.png are not finite numbers in float16; use --precision fp32"):
        embed(manifest, backbone, tmp_path / "s", engine=RayEngine(address=raylets.address), **OPTIONS)
