"""CIFAR-10 in the binary version: one byte of label and 3,072 of pixels an image, no pickle.

Source: Krizhevsky, *Learning Multiple Layers of Features from Tiny Images*, 2009.
"""

from __future__ import annotations

import tarfile
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evenhand._errors import EvenhandError
from evenhand._typing import Ints
from evenhand.datasets._layout import locate, require

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
ARCHIVE, FOLDER = "cifar-10-binary.tar.gz", "cifar-10-batches-bin"
PICKLED = ("cifar-10-batches-py", "cifar-10-python.tar.gz")
FILES = {"train": tuple(f"data_batch_{k}.bin" for k in range(1, 6)), "test": ("test_batch.bin",)}
SIZES = {"train": 50000, "test": 10000}
RECORD = 1 + 3 * 32 * 32

Pixels = NDArray[np.uint8]


def read_cifar(title: str, data: Path | None) -> dict[str, tuple[Pixels, Ints]]:
    """Return images uint8 [N, 32, 32, 3] and labels [N] by split.

    Parameters
    ----------
    title : str
        The benchmark that needs them, for the message.
    data : Path or None
        Folder with `cifar-10-binary.tar.gz`, or with its files, unpacked.

    Raises
    ------
    EvenhandError
        If the files are missing, pickled or damaged.
    """
    folder = require(title, data, ARCHIVE)
    pickled = next((name for name in PICKLED if (folder / name).exists()), None)
    archive = folder / ARCHIVE
    if archive.is_file():
        return {split: _records(_unpacked(archive, names), str(archive)) for split, names in FILES.items()}
    inside = FOLDER if (folder / FOLDER).is_dir() else "."
    if pickled and not (folder / inside / FILES["test"][0]).is_file():
        raise EvenhandError(
            f"{title}: {folder / pickled} is the Python version of CIFAR-10, pickled, and evenhand opens no "
            f"pickle; put the binary version, {ARCHIVE} of the same page, in its place"
        )
    if not (folder / inside / FILES["test"][0]).is_file():
        locate(title, folder, (ARCHIVE, FOLDER))
    parts = {split: [locate(title, folder / inside, (name,)) for name in n] for split, n in FILES.items()}
    return {
        split: _records([file.read_bytes() for file in files], str(folder)) for split, files in parts.items()
    }


def _unpacked(archive: Path, names: tuple[str, ...]) -> list[bytes]:
    try:
        with tarfile.open(archive, "r:gz") as tar:
            streams = [tar.extractfile(f"{FOLDER}/{name}") for name in names]
            return [stream.read() for stream in streams if stream is not None]
    except (OSError, EOFError, KeyError, tarfile.TarError, zlib.error) as error:
        raise EvenhandError(f"cannot read {archive}: {error}; download it again") from error


def _records(parts: list[bytes], source: str) -> tuple[Pixels, Ints]:
    raw = b"".join(parts)
    if not raw or len(raw) % RECORD:
        raise EvenhandError(
            f"{source} is damaged: {len(raw):,} bytes are not whole records of {RECORD:,}; download it again"
        )
    records = np.frombuffer(raw, dtype=np.uint8).reshape(-1, RECORD)
    labels = records[:, 0].astype(np.int64)
    if labels.max() >= len(CLASSES):
        raise EvenhandError(f"{source} is damaged: label {labels.max()} is none of 0 to 9; download it again")
    return records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), labels
