"""Fixtures of some tens of images in the layouts in which people have the benchmarks."""

from __future__ import annotations

import gzip
import tarfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from evenhand._typing import Ints

Write = Callable[..., Path]


def picture(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8), (120, 80, 40)).save(path)


def table(path: Path, head: str, rows: Iterable[Sequence[object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([head, *(",".join(map(str, row)) for row in rows)]) + "\n", encoding="utf-8")


def cifar_labels(n: int) -> Ints:
    return np.arange(n) % 10


@pytest.fixture
def cifar(tmp_path: Path) -> Path:
    """The binary archive, 40 pictures in each of six batches; every picture is of one grey of its own."""
    data = tmp_path / "data"
    for folder in (data, tmp_path / "cifar-10-batches-bin"):
        folder.mkdir(exist_ok=True)
    names = [*(f"data_batch_{k}.bin" for k in range(1, 6)), "test_batch.bin"]
    with tarfile.open(data / "cifar-10-binary.tar.gz", "w:gz") as tar:
        for number, name in enumerate(names):
            labels = cifar_labels(40)
            pixels = np.full((40, 3072), 40 * number, dtype=np.uint8) + np.arange(40, dtype=np.uint8)[:, None]
            raw = np.concatenate([labels[:, None].astype(np.uint8), pixels], axis=1)
            file = tmp_path / "cifar-10-batches-bin" / name
            file.write_bytes(raw.tobytes())
            tar.add(file, f"cifar-10-batches-bin/{name}")
    return data


@pytest.fixture
def mnist(tmp_path: Path) -> Path:
    """The four idx files with 60 and 20 digits; digit d is a square of brightness 20 d + 20."""
    data = tmp_path / "data"
    data.mkdir(exist_ok=True)
    for stem, n in (("train", 60), ("t10k", 20)):
        digits = np.arange(n, dtype=np.uint8) % 10
        pixels = np.zeros((n, 28, 28), dtype=np.uint8)
        pixels[:, 8:20, 8:20] = (20 * digits + 20)[:, None, None]
        write_idx(data / f"{stem}-images-idx3-ubyte.gz", pixels)
        write_idx(data / f"{stem}-labels-idx1-ubyte.gz", digits)
    return data


def write_idx(path: Path, array: np.ndarray) -> None:
    raw = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, dtype=">u4").tobytes() + array.tobytes()
    path.write_bytes(gzip.compress(raw) if path.suffix == ".gz" else raw)
