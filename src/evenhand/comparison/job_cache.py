"""Finished jobs of a comparison on disk: complete or absent, and never those of another store or setting."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote
from zipfile import BadZipFile

import numpy as np

from evenhand._files import atomic, make_folder
from evenhand.comparison.folder import JOBS, check_free
from evenhand.comparison.job import JobResult
from evenhand.data.cached import read_cached, write_cached
from evenhand.data.lock import FolderLock
from evenhand.data.store_identity import tidy
from evenhand.selection.held_out import HeldOutPredictions

SCHEMA = 2
"""Version of a stored job: increased when jobs hold more, so that older ones are run again."""


class JobCache:
    """The finished jobs in the folder of a comparison; each is valid for one key.

    A result is in `units/METHOD-SEED.json`, the held-out predictions of a seed in `units/judged-SEED.npz`.

    Parameters
    ----------
    folder : Path or None
        Folder of the comparison; with None nothing is stored or found.

    Raises
    ------
    EvenhandError
        If the folder holds something else, cannot be written, or another process writes it.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._lock: FolderLock | None = None
        if folder is None:
            return
        check_free(folder)
        make_folder(folder / JOBS)
        self._lock = FolderLock(folder)
        tidy(folder, finished=False)

    def __enter__(self) -> JobCache:
        return self

    def __exit__(self, *_: object) -> None:
        if self._lock is not None:
            self._lock.release()

    def result(self, method: str, seed: int, key: str) -> JobResult | None:
        """Return the stored result with this key; None if there is none."""
        if self._folder is None:
            return None
        return read_cached(self._result_file(method, seed), key, JobResult)

    def store_result(self, result: JobResult, key: str) -> None:
        """Write a result, unless the job failed: it is tried again next time."""
        if self._folder is None or result.status == "failed":
            return
        write_cached(self._result_file(result.method, result.seed), key, result)

    def held_out(self, seed: int, key: str) -> HeldOutPredictions | None:
        """Return the stored held-out predictions of a seed with this key; None if there are none."""
        if self._folder is None:
            return None
        try:
            with np.load(self._held_out_file(seed), allow_pickle=False) as found:
                arrays = {name: found[name] for name in found.files}
            return HeldOutPredictions(**arrays) if str(arrays.pop("key")) == key else None
        except (OSError, ValueError, TypeError, LookupError, EOFError, BadZipFile):
            return None

    def store_held_out(self, found: HeldOutPredictions, seed: int, key: str) -> None:
        """Write the held-out predictions of a seed."""
        if self._folder is None:
            return
        arrays: Mapping[str, Any] = {name: value for name, value in vars(found).items() if value is not None}
        with atomic(self._held_out_file(seed)) as temporary, temporary.open("wb") as stream:
            np.savez(stream, key=np.array(key), **arrays)

    def _result_file(self, method: str, seed: int) -> Path:
        assert self._folder is not None
        # A plug-in may have a name that no file can have.
        return self._folder / JOBS / f"{quote(method, safe='')}-{seed}.json"

    def _held_out_file(self, seed: int) -> Path:
        assert self._folder is not None
        return self._folder / JOBS / f"judged-{seed}.npz"
