"""Writing a store part by part, so that a killed run resumes where it was."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from safetensors.numpy import save_file
from typing_extensions import Self

from evenhand._errors import EvenhandError
from evenhand._files import atomic, make_folder, sha256
from evenhand._typing import Floats
from evenhand.data.head import Head
from evenhand.data.lock import FolderLock
from evenhand.data.store_layout import (
    CARD,
    HEAD,
    PLAN,
    ROWS,
    SKIPPED,
    HeadCard,
    StoreCard,
    features_name,
    progress_name,
    read_card,
    thumbnails_name,
    write_json,
)

SKIPPED_COLUMNS = pa.schema([("id", pa.string()), ("path", pa.string()), ("reason", pa.string())])


class StoreWriter:
    """Write a store; a context manager that holds the folder's lock.

    Parameters
    ----------
    path : Path
        Folder of the store.
    identity : dict
        What determines the bytes: model, preprocessing, prompts, manifest, precision. A folder that holds
        a store of another identity is refused.
    head : Head
        Written as `head.safetensors`.
    width, dtype : int, str
        Of the features.

    Attributes
    ----------
    width : int
        D_in.
    finished : bool
        The same store was already there.
    parts_done : int
        Parts that need not be made again.

    Raises
    ------
    EvenhandError
        If the folder is in use, holds something else, or cannot be written.
    """

    def __init__(self, path: Path, *, identity: dict[str, Any], head: Head, width: int, dtype: str) -> None:
        self.path, self._identity, self._head = path, identity, head
        self.width, self._dtype = width, dtype

    def __enter__(self) -> Self:
        found = {p.name for p in self.path.iterdir()} if self.path.is_dir() else set()
        if self.path.is_file() or (found - {".lock"} and not found & {CARD, PLAN}):
            raise EvenhandError(f"--out {self.path} exists and is no store; name a new folder")
        make_folder(self.path)
        self._lock = FolderLock(self.path)
        try:
            self.finished = (self.path / CARD).exists()
            self._compare()
        except BaseException:
            self._lock.release()
            raise
        self.parts_done = 0
        while not self.finished and (self.path / progress_name(self.parts_done, "rows")).exists():
            self.parts_done += 1
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None and not self.finished and self.parts_done == 0:
            shutil.rmtree(self.path, ignore_errors=True)
        self._lock.release()

    def write_part(
        self,
        features: Floats,
        rows: Mapping[str, Any],
        skipped: Sequence[Mapping[str, str]] = (),
        thumbnails: Sequence[bytes] | None = None,
    ) -> None:
        """Write the next part: features [n, D_in] and n values of each column of `rows`.

        The part counts once its rows are there, which are written last.
        """
        part = self.parts_done
        with atomic(self.path / features_name(part)) as temporary, temporary.open("wb") as stream:
            np.save(stream, np.ascontiguousarray(features, dtype=self._dtype), allow_pickle=False)
        if thumbnails is not None:
            _write_table(
                self.path / thumbnails_name(part), pa.table({"jpeg": pa.array(thumbnails, pa.binary())})
            )
        listed = pa.Table.from_pylist([dict(row) for row in skipped], schema=SKIPPED_COLUMNS)
        _write_table(self.path / progress_name(part, "skipped"), listed)
        columns = {name: pa.array(np.asarray(values).tolist(), pa.string()) for name, values in rows.items()}
        _write_table(self.path / progress_name(part, "rows"), pa.table(columns))
        self.parts_done += 1

    def finish(self) -> None:
        """Join the parts' rows, write head and card, and make the folder a store."""
        rows = self._joined("rows")
        skipped = self._joined("skipped")
        if rows.num_rows == 0:
            raise EvenhandError(
                "no row could be embedded, so there is nothing to store; see the skipped images"
            )
        counts = [
            pq.read_metadata(self.path / progress_name(part, "rows")).num_rows
            for part in range(self.parts_done)
        ]
        _write_table(self.path / ROWS, rows)
        _write_table(self.path / SKIPPED, skipped)
        tensors = {"weight": self._head.weight, "bias": self._head.bias, "text": self._head.text}
        with atomic(self.path / HEAD) as temporary:
            save_file({k: np.ascontiguousarray(v) for k, v in tensors.items() if v is not None}, temporary)
        names = [HEAD, ROWS, SKIPPED, *(features_name(part) for part in range(self.parts_done))]
        shards = [thumbnails_name(part) for part in range(self.parts_done)]
        names += [name for name in shards if (self.path / name).exists()]
        card = StoreCard(
            schema=1,
            identity=self._identity,
            head=HeadCard(
                classes=list(self._head.classes),
                logit_scale=self._head.logit_scale,
                prompts=self._head.prompts,
            ),
            width=self.width,
            dtype=self._dtype,  # type: ignore[arg-type]
            parts=counts,
            rows=rows.num_rows,
            skipped=skipped.num_rows,
            attributes=[name for name in rows.column_names if name not in ("id", "path", "label", "split")],
            files={name: sha256(self.path / name) for name in names},
        )
        write_json(self.path / CARD, card.model_dump(by_alias=True))
        shutil.rmtree(self.path / "progress")
        (self.path / PLAN).unlink()
        self.finished = True

    def _compare(self) -> None:
        """Refuse a folder of another identity; record ours in a new one."""
        plan = self.path / PLAN
        if not self.finished and not plan.exists():
            write_json(plan, self._identity)
            return
        try:
            known = read_card(self.path).identity if self.finished else json.loads(plan.read_text("utf-8"))
        except ValueError as error:
            raise EvenhandError(f"{plan} cannot be read; remove {self.path} and embed again") from error
        ours = json.loads(json.dumps(self._identity))
        for key in sorted({*known, *ours}):
            if known.get(key) != ours.get(key):
                raise EvenhandError(
                    f"{self.path} was made with {key} {_short(known.get(key))}, but this run has "
                    f"{_short(ours.get(key))}; name another --out"
                )

    def _joined(self, what: Any) -> pa.Table:
        return pa.concat_tables(
            pq.read_table(self.path / progress_name(part, what)) for part in range(self.parts_done)
        )


def _write_table(path: Path, table: pa.Table) -> None:
    with atomic(path) as temporary:
        pq.write_table(table, temporary)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
