"""Whether a file begins as a checkpoint does, without importing torch."""

from __future__ import annotations

import tarfile
import zipfile
from pathlib import Path

from evenhand._errors import EvenhandError

_NOT = {
    b"version https://git-lfs": "it is a pointer of Git LFS, not the weights; run git lfs pull, or download "
    "the file itself",
    b"<": "it is a web page, not the weights; download the file itself",
    b"{": "it is JSON text, not weights; name the file with the weights",
    b"\x1f\x8b": "it is compressed by gzip; unpack it first",
}
_PICKLE = b"\x80"


def check_start(path: Path) -> None:
    """Refuse a file that is neither safetensors nor in any format that torch has saved.

    Raises
    ------
    EvenhandError
        If it is empty, truncated, begins in another way, or cannot be read.
    """
    try:
        with path.open("rb") as stream:
            start = stream.read(64)
    except OSError as error:
        raise EvenhandError(f"pretrained: {path} cannot be read ({error.strerror})") from error
    if not start:
        raise EvenhandError(f"{path} is empty; download it again")
    if is_safetensors(start):
        return
    for mark, reason in _NOT.items():
        if start.startswith(mark):
            raise EvenhandError(f"{path} is not a checkpoint: {reason}")
    if start.startswith(b"PK"):
        if not zipfile.is_zipfile(path):
            raise EvenhandError(f"{path} ends too early ({path.stat().st_size} bytes); download it again")
    elif not start.startswith(_PICKLE) and not tarfile.is_tarfile(path):
        raise damaged(path)


def is_safetensors(start: bytes) -> bool:
    """Tell whether a file with this start is safetensors: eight bytes of a length, then JSON."""
    return start[8:9] == b"{"


def damaged(path: Path) -> EvenhandError:
    """Return the error for a file that is not a checkpoint."""
    return EvenhandError(
        f"{path} is not a checkpoint, or is damaged; download it again, or save the state_dict with "
        "torch.save"
    )
