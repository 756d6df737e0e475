from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from evenhand.data.head import Head
from evenhand.data.store_write import StoreWriter

HEAD = Head(
    np.arange(12, dtype=np.float32).reshape(4, 3),
    np.ones(3, dtype=np.float32),
    ("cat", "chien à poil"),
    np.eye(2, 3, dtype=np.float32),
    logit_scale=20.0,
    prompts={"cat": ["a cat."], "chien à poil": ["un chien."]},
)


def rows(start: int, n: int) -> dict[str, list[str]]:
    numbers = range(start, start + n)
    return {
        "id": [f"bild {k}.jpg" for k in numbers],
        "path": [f"/photos/bild {k}.jpg" for k in numbers],
        "label": [HEAD.classes[k % 2] for k in numbers],
        "split": ["train" if k % 3 else "test" for k in numbers],
        "place": ["" if k % 4 == 0 else "wäldchen" for k in numbers],
    }


def writer(path: Path, identity: Mapping[str, Any] | None = None, **changes: Any) -> StoreWriter:
    options = {"head": HEAD, "width": 4, "dtype": "float16"} | changes
    return StoreWriter(path, identity=dict(identity or {"model": "m", "seed": 0}), **options)


def part(number: int) -> tuple[Any, ...]:
    features = np.random.default_rng(number).normal(size=(3, 4))
    skipped = [{"id": f"broken {number}", "path": "/photos/broken", "reason": "truncated"}]
    return features, rows(3 * number, 3), skipped, [f"jpeg {number} {k}".encode() for k in range(3)]


def make(path: Path, stop: int | None = None) -> Path:
    """Write a store of three parts; at part `stop` the run breaks off."""
    with writer(path) as out:
        for number in range(out.parts_done, 3):
            if number == stop:
                raise InterruptedError
            out.write_part(*part(number))
        out.finish()
    return path


def contents(path: Path) -> dict[str, bytes]:
    return {str(f.relative_to(path)): f.read_bytes() for f in sorted(path.rglob("*")) if f.is_file()}


@pytest.fixture(scope="session")
def kit() -> SimpleNamespace:
    """Return the helpers above: test files do not import from here."""
    return SimpleNamespace(HEAD=HEAD, rows=rows, writer=writer, part=part, make=make, contents=contents)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return make(tmp_path / "birds.store")
