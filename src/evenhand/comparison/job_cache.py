"""Finished units of a comparison on disk: whole or absent, and never those of another store or setting."""

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
from evenhand.comparison.folder import UNITS, check_free
from evenhand.comparison.job import JobResult
from evenhand.data.lock import FolderLock
from evenhand.data.store_layout import CARD, json_text
from evenhand.data.store_plan import tidy
from evenhand.data.table import FeatureTable
from evenhand.selection.held_out import HeldOutPredictions

SCHEMA = 1
RESULTS = "results.json"


def fingerprint(table: FeatureTable) -> str:
    """Return a hash of a table's content.

    The card of a store vouches for its features by their checksums; features that lie in no store are hashed.
    """
    digest = hashlib.sha256()
    columns = [table.y, table.split, table.ids, *table.attributes.values()]
    for array in [*columns, *table.head.arrays().values()]:
        digest.update(f"{array.dtype}{array.shape}".encode() + np.ascontiguousarray(array).tobytes())
    told = [list(table.attributes), table.classes, table.head.logit_scale, table.head.prompts]
    digest.update(json.dumps(told).encode())
    if table.head.text is not None:
        digest.update(table.head.text.tobytes())
    if table.source is not None:
        digest.update(sha256(table.source / CARD).encode())
    else:
        for part in table.parts:
            digest.update(np.ascontiguousarray(part).tobytes())
    return digest.hexdigest()


def key_of(**settings: Any) -> str:
    """Return the hash of all that a unit depends on; values that JSON does not know count by their repr."""
    text = json.dumps({"schema": SCHEMA, **settings}, sort_keys=True, default=repr)
    return hashlib.sha256(text.encode()).hexdigest()


class UnitFiles:
    """The folder of a comparison: `units/METHOD-SEED.json`, `units/judged-SEED.npz`, `results.json`.

    Parameters
    ----------
    folder : Path or None
        None keeps nothing.

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
        make_folder(folder / UNITS)
        self._lock = FolderLock(folder)
        tidy(folder, finished=False)

    def __enter__(self) -> UnitFiles:
        return self

    def __exit__(self, *_: object) -> None:
        if self._lock is not None:
            self._lock.release()

    def unit(self, method: str, seed: int, key: str) -> JobResult | None:
        """Return a finished unit with this key, None if there is none."""
        if self._folder is None:
            return None
        try:
            found = json.loads(self._unit(method, seed).read_text(encoding="utf-8"))
            whole = found["key"] == key and found["checksum"] == _checksum(found["unit"])
            return JobResult.model_validate(found["unit"]) if whole else None
        except (OSError, ValueError, TypeError, LookupError, ValidationError):
            return None

    def keep_unit(self, unit: JobResult, key: str) -> None:
        """Write a unit; one that failed is tried again next time."""
        if self._folder is None or unit.status == "failed":
            return
        with atomic(self._unit(unit.method, unit.seed)) as temporary:
            told = unit.model_dump(mode="json")
            content = {"key": key, "checksum": _checksum(told), "unit": told}
            temporary.write_text(json.dumps(content, ensure_ascii=False) + "\n", encoding="utf-8")

    def judged(self, seed: int, key: str) -> HeldOutPredictions | None:
        """Return what was kept of the held-out rows of a seed with this key, None if there is nothing."""
        if self._folder is None:
            return None
        try:
            with np.load(self._judged(seed), allow_pickle=False) as found:
                arrays = {name: found[name] for name in found.files}
            return HeldOutPredictions(**arrays) if str(arrays.pop("key")) == key else None
        except (OSError, ValueError, TypeError, LookupError, EOFError, BadZipFile):
            return None

    def keep_judged(self, judged: HeldOutPredictions, seed: int, key: str) -> None:
        """Write what selection may see of the held-out rows of a seed."""
        if self._folder is None:
            return
        arrays: Mapping[str, Any] = {name: value for name, value in vars(judged).items() if value is not None}
        with atomic(self._judged(seed)) as temporary, temporary.open("wb") as stream:
            np.savez(stream, key=np.array(key), **arrays)

    def _unit(self, method: str, seed: int) -> Path:
        assert self._folder is not None
        # A plug-in may have any name; a file may not.
        return self._folder / UNITS / f"{quote(method, safe='')}-{seed}.json"

    def _judged(self, seed: int) -> Path:
        assert self._folder is not None
        return self._folder / UNITS / f"judged-{seed}.npz"


def _checksum(unit: dict[str, Any]) -> str:
    return hashlib.sha256(json_text(unit).encode()).hexdigest()
