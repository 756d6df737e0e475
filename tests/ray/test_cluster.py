"""A cluster makes the same bytes as this machine, whatever dies meanwhile."""

import os
import signal
import subprocess
import sys
from copy import copy
from pathlib import Path
from typing import Any

import pytest

from evenhand import EvenhandError, cli, fit, load_store
from evenhand.backbones.base import Backbone
from evenhand.data.manifest import Manifest
from evenhand.data.store_layout import sidecar_name
from evenhand.extract.embed_images import embed
from evenhand.extract.ray_engine import RayEngine

from .conftest import OPTIONS, Raylets, bytes_in, wait_until


def run(*words: str | Path) -> None:
    """Run a command in this process, which would ignore interrupts from then on, as one that ends does."""
    usual = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["evenhand", *map(str, words)])
        assert cli.run() == 0
    for number, handler in usual.items():
        signal.signal(number, handler)


def test_embed_and_predict_write_what_one_machine_writes(
    raylets: Raylets, scenes: Path, tmp_path: Path
) -> None:
    common = ["embed", scenes, "--model", "tiny", "--batch-size", "4"]
    here, there = tmp_path / "here.store", tmp_path / "there.store"
    cluster = ["--engine", "ray", "--address", raylets.cluster.address]
    run(*common, "--out", here)
    run(*common, "--out", there, *cluster)
    assert bytes_in(there) == bytes_in(here)

    fitted, csvs = tmp_path / "f.run", [tmp_path / "here.csv", tmp_path / "there.csv"]
    fit(load_store(here), method="zero_shot", out=fitted)
    run("predict", fitted, scenes, "--out", csvs[0])
    run("predict", fitted, scenes, "--out", csvs[1], *cluster)
    assert csvs[1].read_bytes() == csvs[0].read_bytes()
    assert len(csvs[0].read_text().splitlines()) == 120  # a header, and all but the broken one


def test_a_killed_worker_and_a_lost_machine_lose_and_double_nothing(
    raylets: Raylets, manifest: Manifest, tiny: Backbone, local_store: Path, tmp_path: Path
) -> None:
    killed: list[int] = []
    swapped: list[int] = []

    def disturb(stage: str, done: int, total: int) -> None:
        if done >= 8 and not killed:
            killed.extend(raylets.actors()[:1])
            os.kill(killed[0], signal.SIGKILL)
        if done >= 60 and not swapped:
            swapped.append(done)
            raylets.lose()
            raylets.add()

    embed(manifest, tiny, tmp_path / "s", **OPTIONS, engine=raylets.engine, progress=disturb)
    assert killed
    assert swapped
    assert bytes_in(tmp_path / "s") == bytes_in(local_store)


DRIVER = """
import sys, time
from evenhand.backbones.load import load_backbone
from evenhand.data.manifest import Manifest
from evenhand.data.store_layout import sidecar_name
from evenhand.extract.embed_images import embed
from evenhand.extract.ray_engine import RayEngine

source, out, address = sys.argv[1:]

def hang(stage, done, total):
    if done > 48:
        time.sleep(600)

embed(Manifest.read(source), load_backbone("tiny"), out, batch_size=4, part_rows=16, dtype="float32",
      engine=RayEngine(address=address), progress=hang)
"""


def test_a_killed_driver_resumes_with_the_parts_that_are_missing(
    raylets: Raylets, scenes: Path, manifest: Manifest, tiny: Backbone, local_store: Path, tmp_path: Path
) -> None:
    out = tmp_path / "s"
    arguments = [str(scenes), str(out), raylets.cluster.address]
    driver = subprocess.Popen([sys.executable, "-c", DRIVER, *arguments])
    try:
        # A part counts by its sidecar, which comes after its features.
        wait_until(lambda: driver.poll() is not None or (out / sidecar_name(2)).exists())
    finally:
        driver.kill()
    assert driver.wait() == -signal.SIGKILL
    written = {path: path.stat().st_mtime_ns for path in (out / "features").iterdir()}
    seen: list[int] = []
    embed(
        manifest, tiny, out, **OPTIONS, engine=raylets.engine, progress=lambda _, done, of: seen.append(done)
    )
    assert seen[0] == 52  # of the fourth part the first batch
    assert {path: path.stat().st_mtime_ns for path in written} == written
    assert bytes_in(out) == bytes_in(local_store)


def test_a_cluster_without_a_gpu_is_refused_for_cuda(
    raylets: Raylets, manifest: Manifest, tiny: Backbone, tmp_path: Path
) -> None:
    engine = RayEngine(address=raylets.cluster.address, device="cuda")
    with pytest.raises(EvenhandError, match=r"no machine of the cluster has 1 CPU and a GPU for an actor"):
        embed(manifest, tiny, tmp_path / "s", **OPTIONS, engine=engine)


def test_what_a_worker_refuses_is_the_sentence_of_one_machine(
    raylets: Raylets, manifest: Manifest, tiny: Backbone, tmp_path: Path
) -> None:
    broken: Any = copy(tiny)
    broken.trunk = lambda pixels: pixels.float().mean(dim=(2, 3)) * float("nan")
    engine = RayEngine(address=raylets.cluster.address, actors=1)
    with pytest.raises(EvenhandError, match=r"^the features of .*\.jpg are not finite numbers in float32"):
        embed(manifest, broken, tmp_path / "s", **OPTIONS, engine=engine)
