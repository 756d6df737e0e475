"""How tests are ordered, what they leave behind, and a run on a store with thumbnails for the report."""

import io
import json
import os
import random
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from PIL import Image
from xdist.scheduler import LoadScopeScheduling

from evenhand import Head, fit, load_store
from evenhand.data.store_write import StoreWriter
from evenhand.runs.card import write_card

# The same examples in each run, from no earlier run's failures, however slow the machine.
settings.register_profile(
    "same", derandomize=True, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("same")

# pytest-xdist sets it in its workers; tests see what a pipe sees.
os.environ.pop("COLUMNS", None)

MakeRun = Callable[..., Path]
# In the environment, where the workers of pytest-xdist find it.
ORDER = os.environ.setdefault("TEST_ORDER", str(int(time.time())))
SHARING = ("browser", "docs", "install", "ray")
"""Folders whose tests share what is slow to make, as a cluster: one worker runs them."""
FIRST = (*SHARING, "faults")
"""Folders of the longest files: no worker is to begin one when the other is done."""


def thumbnail(rng: np.random.Generator) -> bytes:
    """Return a JPEG with the detail of a photograph: large patches, and grain."""
    patches = Image.fromarray(rng.integers(0, 256, (6, 6, 3), dtype=np.uint8)).resize((64, 64), 3)
    grain = rng.normal(0, 6, (64, 64, 3))
    pixels = (np.asarray(patches) + grain).clip(0, 255).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=80)
    return stream.getvalue()


def pytest_sessionstart(session: pytest.Session) -> None:
    if terminal := session.config.pluginmanager.get_plugin("terminalreporter"):
        terminal.write_line(f"the same order again: TEST_ORDER={ORDER}")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Shuffle the files, and the tests in each."""
    draw = random.Random(ORDER)
    place = {path: draw.random() for path in dict.fromkeys(item.path for item in items)}
    items.sort(key=lambda item: (folder_of(item.nodeid) not in FIRST, place[item.path], draw.random()))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    return ByFile(config, log)


class ByFile(LoadScopeScheduling):
    """One worker runs all tests of a file, or of a folder that shares: what they share is made once."""

    def _split_scope(self, nodeid: str) -> str:
        folder = folder_of(nodeid)
        return folder if folder in SHARING else nodeid.split("::")[0]


def folder_of(nodeid: str) -> str:
    """Return the folder of `tests` that holds a test."""
    return Path(nodeid).parts[1]


@pytest.fixture(scope="session", autouse=True)
def _sweep(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Leave no folder behind where all tests pass; before the end, another test would get the same path."""
    yield
    if not request.session.testsfailed:
        shutil.rmtree(tmp_path_factory.getbasetemp(), ignore_errors=True)


@pytest.fixture(scope="session")
def make_run(tmp_path_factory: pytest.TempPathFactory) -> MakeRun:
    def make(
        name: str,
        *,
        n: int = 800,
        classes: tuple[str, ...] = ("gull", "jay"),
        places: tuple[str, ...] = ("sea", "wood"),
        pictures: bool = True,
        method: str = "cfr",
        ids: Callable[[int], str] = "row-{}".format,
    ) -> Path:
        """Return a run on n rows of width 8, half of them tests, with a shortcut in 93 % of the others."""
        folder = tmp_path_factory.mktemp(name)
        rng = np.random.default_rng(0)
        y = np.arange(n) % len(classes)
        test = rng.permutation(n) < n // 2
        a = np.where(rng.random(n) < np.where(test, 0.5, 0.93), y, 1 - y) % 2
        X = rng.normal(size=(n, 8)).astype(np.float32) * 0.8
        directions = rng.normal(size=(len(classes), 8)).astype(np.float32)
        X += 0.6 * directions[y] + np.outer(2.0 * a - 1, rng.normal(size=8)).astype(np.float32)
        text = directions / np.linalg.norm(directions, axis=1, keepdims=True)
        head = Head(np.eye(8, dtype=np.float32), None, classes, text)
        rows = {
            "id": [ids(k) for k in range(n)],
            "path": [f"/gone/{k}.jpg" if pictures else "" for k in range(n)],
            "label": [classes[k] for k in y],
            "split": np.where(test, "test", "train"),
            "place": [places[k] for k in a],
        }
        identity = {"family": "open_clip" if pictures else "import", "model": "none"}
        with StoreWriter(
            folder / "x.store", identity=identity, head=head, width=8, dtype="float32"
        ) as writer:
            drawn = [thumbnail(rng) for _ in range(min(n, 1000) if pictures else 0)]
            writer.write_part(X, rows, (), [drawn[k % 1000] for k in range(n)] if pictures else None)
            writer.finish()
        fit(load_store(folder / "x.store"), method=method, out=folder / "x.run")
        return folder / "x.run"

    return make


@pytest.fixture(scope="session")
def reseal() -> Callable[..., None]:
    """Make a run's card vouch for what lies in its folder now, as a forger would."""

    def again(run: Path, **told: object) -> None:
        card = json.loads((run / "card.json").read_text(encoding="utf-8"))
        (run / "card.json").unlink()
        write_card(run, {name: card[name] for name in card.keys() - {"files", "checksum"}} | told)

    return again


@pytest.fixture(scope="session")
def small_run(make_run: MakeRun) -> Path:
    return make_run("small")
