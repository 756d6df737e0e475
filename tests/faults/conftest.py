"""Commands in forked children of one warm process, and small inputs for them."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from evenhand.datasets.scenes import write_scenes


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.faults)


@dataclass(frozen=True)
class Done:
    """What became of a command: its exit code, negative for a signal, its number, and what it said."""

    code: int
    process: int
    seconds: float
    writes: int
    stdout: str
    stderr: str


_SAID = ("stdout", "stderr", "writes")
_USUAL = {
    "kill_after": None,
    "kill_at": None,
    "stop_at": None,
    "file_size": None,
    "powerless": False,
    "signal": signal.SIGKILL,
}


class Warm:
    """The process of `warm.py`."""

    def __init__(self, said: Path) -> None:
        self._said = said
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("warm.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "PYTHONHASHSEED": "0"},
        )
        assert self._answer() == "warm\n"

    def run(
        self,
        folder: Path,
        *arguments: object,
        kill_after: float | None = None,
        kill_at: int | None = None,
        signal: int = signal.SIGKILL,
        file_size: int | None = None,
        powerless: bool = False,
    ) -> Done:
        """Run `evenhand ARGUMENTS` in a folder.

        Parameters
        ----------
        folder : Path
            Where it runs; made if it is not there.
        kill_after : float, optional
            Seconds after which it is killed, or gets `signal`; those of a signal count from when it listens.
        kill_at : int, optional
            The number of the change to files below `folder` before which it is killed.
        file_size : int, optional
            Bytes that a file may have.
        powerless : bool
            Whether permissions bind it even if it is root's.
        """
        (done,) = self._ask(
            folder,
            [arguments],
            kill_after=kill_after,
            kill_at=kill_at,
            signal=signal,
            file_size=file_size,
            powerless=powerless,
        )
        return done

    def together(self, folder: Path, *commands: tuple[object, ...]) -> list[Done]:
        """Run commands at the same time."""
        return self._ask(folder, commands)

    def meanwhile(
        self, folder: Path, first: tuple[object, ...], second: tuple[object, ...], *, stop_at: int
    ) -> list[Done]:
        """Run a second command, start to end, while the first stands still before its change `stop_at`."""
        return self._ask(folder, [first, second], stop_at=stop_at)

    def good(self, folder: Path, *arguments: object) -> Done:
        """Run a command that succeeds."""
        done = self.run(folder, *arguments)
        assert done.code == 0, done
        return done

    def refused(self, folder: Path, *arguments: object, **more: Any) -> str:
        """Run a command that fails with one sentence and exit code 1; return the sentence."""
        done = self.run(folder, *arguments, **more)
        assert done.code == 1, done
        assert done.stdout == "", done
        said = [line for line in done.stderr.splitlines() if not line.startswith(("note: ", "warning: "))]
        assert len(said) == 1, done
        assert said[0].startswith("error: "), done
        return said[0].removeprefix("error: ")

    def end(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=60)

    def _ask(self, folder: Path, commands: Sequence[tuple[object, ...]], **more: Any) -> list[Done]:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(self._said)
        self._said.mkdir()
        texts = [[str(argument) for argument in command] for command in commands]
        order = {**_USUAL, "folder": str(folder), "said": str(self._said), "commands": texts, **more}
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        answer: list[dict[str, Any]] = json.loads(self._answer())
        return [self._done(self._said / str(number), found) for number, found in enumerate(answer)]

    def _done(self, said: Path, found: dict[str, Any]) -> Done:
        texts = {name: (said / name).read_text() if (said / name).exists() else "" for name in _SAID}
        writes = int(texts.pop("writes") or 0)
        return Done(**found, **texts, writes=writes)

    def _answer(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


@pytest.fixture(scope="session")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warm]:
    process = Warm(tmp_path_factory.mktemp("said"))
    yield process
    process.end()


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder, hidden ones included."""
    return {str(f.relative_to(folder)): f.read_bytes() for f in sorted(folder.rglob("*")) if f.is_file()}


@pytest.fixture(scope="session")
def kit() -> SimpleNamespace:
    """Return the helper above: test files do not import from here."""
    return SimpleNamespace(contents=contents, embed=EMBED)


@pytest.fixture(scope="session")
def trials() -> int:
    """How often each command is killed."""
    return int(os.environ.get("EVENHAND_FAULT_TRIALS", "3"))


EMBED = ("--model", "tiny", "--workers", 0, "--device", "cpu", "--batch-size", 4)


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """48 pictures of two classes, on two backgrounds."""
    return write_scenes(tmp_path_factory.mktemp("scenes") / "photos", seed=0, train=36, test=12)


@pytest.fixture(scope="session")
def embedded(warm: Warm, photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `s.store`, of the photos, and `s.run`, fitted on it."""
    folder = tmp_path_factory.mktemp("embedded")
    warm.good(folder, "embed", photos, "--out", "s.store", *EMBED)
    warm.good(folder, "fit", "s.store", "--method", "cnc", "--param", "epochs=2", "--out", "s.run")
    return folder


@pytest.fixture(scope="session")
def rows(warm: Warm, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of 240 rows of width 8 with a shortcut, imported from X.npy and rows.csv beside it."""
    folder = tmp_path_factory.mktemp("rows")
    rng = np.random.default_rng(0)
    y = np.arange(240) % 2
    place = np.where(rng.random(240) < 0.85, y, 1 - y)
    X = rng.normal(size=(240, 8)).astype(np.float32)
    X[:, 0] += 1.5 * y
    X[:, 1] += 3.0 * place
    np.save(folder / "X.npy", X)
    lines = [f"{'ab'[k % 2]},{'uv'[place[k]]},{'test' if k % 4 == 3 else 'train'}" for k in range(240)]
    (folder / "rows.csv").write_text("\n".join(["label,place,split", *lines]) + "\n")
    features = ("--features", "X.npy", "--table", "rows.csv", "--attribute-columns", "place")
    warm.good(folder, "import", *features, "--out", "r.store")
    return folder / "r.store"
