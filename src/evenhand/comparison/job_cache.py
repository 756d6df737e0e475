"""Finished jobs of a comparison on disk: complete or absent, and never those of another store or setting."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote
from zipfile import BadZipFile

import numpy as np
from pydantic import ValidationError

from evenhand._files import atomic, make_folder, sha256
from evenhand.comparison.folder import JOBS, check_free
from evenhand.comparison.job import JobResult
from evenhand.data.lock import FolderLock
from evenhand.data.store_layout import CARD, json_text
from evenhand.data.store_plan import tidy
from evenhand.data.table import FeatureTable
from evenhand.selection.held_out import HeldOutPredictions

SCHEMA = 2
"""Raised where a job holds more than before, so that one that lacks it is run again."""


def fingerprint(table: FeatureTable) -> str:
    """Return a hash of the content of a table.

    The card of a store holds the checksums of its features. Features that are in no store are hashed here.
    """
    digest = hashlib.sha256()
    columns = [table.y, table.split, table.ids, *table.attributes.values()]
    for array in [*columns, *table.head.arrays().values()]:
        digest.update(f"{array.dtype}{array.shape}".encode() + np.ascontiguousarray(array).tobytes())
    names = [list(table.attributes), table.classes, table.head.logit_scale, table.head.prompts]
    digest.update(json.dumps(names).encode())
    if table.head.text is not None:
        digest.update(table.head.text.tobytes())
    if table.source is not None:
        digest.update(sha256(table.source / CARD).encode())
    else:
        for part in table.parts:
            digest.update(np.ascontiguousarray(part).tobytes())
    return digest.hexdigest()


def key_of(**settings: Any) -> str:
    """Return the hash of all that a job depends on; a value that JSON cannot hold counts by its repr."""
    text = json.dumps({"schema": SCHEMA, **settings}, sort_keys=True, default=repr)
    return hashlib.sha256(text.encode()).hexdigest()


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
        try:
            found = json.loads(self._result_file(method, seed).read_text(encoding="utf-8"))
            valid = found["key"] == key and found["checksum"] == _checksum(found["unit"])
            return JobResult.model_validate(found["unit"]) if valid else None
        except (OSError, ValueError, TypeError, LookupError, ValidationError):
            return None

    def store_result(self, result: JobResult, key: str) -> None:
        """Write a result, unless the job failed: it is tried again next time."""
        if self._folder is None or result.status == "failed":
            return
        with atomic(self._result_file(result.method, result.seed)) as temporary:
            fields = result.model_dump(mode="json")
            content = {"key": key, "checksum": _checksum(fields), "unit": fields}
            temporary.write_text(json.dumps(content, ensure_ascii=False) + "\n", encoding="utf-8")

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


def _checksum(fields: dict[str, Any]) -> str:
    return hashlib.sha256(json_text(fields).encode()).hexdigest()
