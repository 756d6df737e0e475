"""Writing a store part by part, so that a killed run resumes where it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from safetensors.numpy import save
from typing_extensions import Self

from evenhand._commands import as_typed
from evenhand._errors import EvenhandError
from evenhand._files import atomic, file_sha256, make_folder
from evenhand._parquet import bytes_column, read_parquet, text_column
from evenhand._typing import Floats
from evenhand.data.head import Head
from evenhand.data.images.decode import none_readable
from evenhand.data.lock import FolderLock
from evenhand.data.settle_copies import KnownCopies, settle_copies
from evenhand.data.store_card import HeadCard, StoreCard
from evenhand.data.store_identity import Sidecar, StorePlan, check_free, claim, discard, done_parts, tidy
from evenhand.data.store_layout import (
    CARD,
    HEAD,
    OWN_COLUMNS,
    PROGRESS,
    ROWS,
    SKIPPED,
    features_name,
    progress_name,
    sidecar_name,
    thumbnails_name,
    ungrouped_columns,
    write_text,
)

SKIPPED_COLUMNS = ("id", "path", "reason")


class StoreWriter:
    """Write a store; a context manager that holds the folder's lock.

    Nothing that is written depends on the time, the process or an interruption: the same calls make the same
    bytes.

    Parameters
    ----------
    path : Path
        Folder of the store: new, empty, or a store of the same identity, to resume.
    identity : dict
        What determines the bytes: model, preprocessing, prompts, manifest, precision, rows per part. A folder
        that holds a store of another identity is refused.
    head : Head
        Written as `head.safetensors`.
    width, dtype : int, "float16" or "float32"
        Of the features.
    images : int, optional
        How many there will be with those that cannot be read, for what is said of an unfinished store.

    Attributes
    ----------
    width : int
        D_in.
    identity : dict
        Of what may differ, as it was when the store was begun.
    finished : bool
        The same store was already there; `load_store` verifies it.
    parts_done : int
        Parts that need not be made again.
    notes : list of str
        What `finish` found out about copies.

    Raises
    ------
    EvenhandError
        If the folder is in use, holds something else, or cannot be written.
    """

    def __init__(
        self,
        path: Path,
        *,
        identity: dict[str, Any],
        head: Head,
        width: int,
        dtype: str,
        images: int | None = None,
    ) -> None:
        self.path, self.identity, self._head, self._images = path, identity, head, images
        self.width, self._dtype = width, dtype
        self.notes: list[str] = []

    def __enter__(self) -> Self:
        check_free(self.path)
        make_folder(self.path)
        self._lock = FolderLock(self.path)
        try:
            plan = StorePlan(
                identity=self.identity,
                width=self.width,
                dtype=self._dtype,
                images=self._images,
                command=as_typed(),
            )
            self.finished, self.identity = claim(self.path, plan)
            tidy(self.path, finished=self.finished)
            self._sidecars = [] if self.finished else done_parts(self.path)
        except BaseException:
            self._lock.release()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        left = kind is not None and not self.finished
        if left and not self._has_rows:
            discard(self.path)
        self._lock.release()
        if left and self._has_rows and isinstance(value, EvenhandError):
            raise EvenhandError(f"{value}; finished parts stay, and the same command resumes") from value

    @property
    def parts_done(self) -> int:
        """Return how many parts are there, those of an interrupted run included."""
        return len(self._sidecars)

    @property
    def _has_rows(self) -> bool:
        return any(sidecar.rows for sidecar in self._sidecars)

    def write_part(
        self,
        features: Floats,
        rows: Mapping[str, Any],
        skipped: Sequence[Mapping[str, str]] = (),
        thumbnails: Sequence[bytes] | None = None,
    ) -> None:
        """Write the next part.

        It counts once its sidecar is there, which is written last.

        Parameters
        ----------
        features : floats [n, D_in]
        rows : dict of str to str [n]
            `id`, `path`, `label`, `split`, attributes, and properties of the images.
        skipped : sequence of dict
            `id`, `path`, `reason` of the images of this part that could not be read.
        thumbnails : sequence of n bytes, optional
            JPEG files.

        Raises
        ------
        EvenhandError
            If lengths do not fit, a feature is not finite in the store's type, or the disk refuses.
        """
        part = self.parts_done
        lengths = {
            len(features),
            *map(len, rows.values()),
            *([] if thumbnails is None else [len(thumbnails)]),
        }
        if lengths != {len(features)} or features.shape[1:] != (self.width,):
            raise EvenhandError(
                f"part {part} has features {features.shape} and columns of {sorted(lengths)} rows; "
                f"both must have as many rows, and features the width {self.width}"
            )
        names = [features_name(part), progress_name(part, "rows"), progress_name(part, "skipped")]
        _write_array(self.path / names[0], self._cast(features, rows))
        columns = {name: text_column(np.asarray(values).tolist()) for name, values in rows.items()}
        _write_table(self.path / names[1], pa.table(columns))
        listed = pa.table({name: text_column(row[name] for row in skipped) for name in SKIPPED_COLUMNS})
        _write_table(self.path / names[2], listed)
        if thumbnails is not None:
            names.append(thumbnails_name(part))
            _write_table(self.path / names[3], pa.table({"jpeg": bytes_column(list(thumbnails))}))
        sidecar = Sidecar(rows=len(features), files={name: file_sha256(self.path / name) for name in names})
        write_text(self.path / sidecar_name(part), sidecar.text())
        self._sidecars.append(sidecar)

    def finish(self, known: KnownCopies | None = None) -> None:
        """Join the parts' rows, write head and card, and make the folder a store.

        Parameters
        ----------
        known : KnownCopies, optional
            With it, copies of one image are looked for, as in `settle_copies`.

        Raises
        ------
        EvenhandError
            If there is no part, no image could be read, or the disk refuses.
        """
        if not self.parts_done:
            raise EvenhandError("no part was written, so there is nothing to store; write one first")
        written, skipped = self._joined("rows"), self._joined("skipped")
        rows = written
        if not self._has_rows:
            (first,) = skipped.slice(0, 1).to_pylist()
            raise none_readable(skipped.num_rows, first["path"], first["reason"])
        if known is not None:
            sizes = [sidecar.rows for sidecar in self._sidecars]
            rows, self.notes = settle_copies(self.path, rows, sizes, known)
        _write_table(self.path / ROWS, rows)
        _write_table(self.path / SKIPPED, skipped)
        with atomic(self.path / HEAD) as temporary:
            # Not save_file: its errors are no OSError, so that a full disk would go unnamed.
            temporary.write_bytes(save(_tensors(self._head)))
        files = {name: file_sha256(self.path / name) for name in (HEAD, ROWS, SKIPPED)}
        for sidecar in self._sidecars:
            files |= {name: sha for name, sha in sidecar.files.items() if not name.startswith(PROGRESS)}
        no_attributes = {*OWN_COLUMNS, *ungrouped_columns(self.identity)}
        no_attributes |= {*rows.column_names} - {*written.column_names}
        card = StoreCard(
            schema=1,
            identity=self.identity,
            head=HeadCard(
                classes=list(self._head.classes),
                logit_scale=self._head.logit_scale,
                prompts=self._head.prompts,
            ),
            width=self.width,
            dtype=self._dtype,  # type: ignore[arg-type]
            parts=[sidecar.rows for sidecar in self._sidecars],
            rows=rows.num_rows,
            skipped=skipped.num_rows,
            attributes=[name for name in rows.column_names if name not in no_attributes],
            files=files,
        )
        write_text(self.path / CARD, card.text())
        self.finished = True
        tidy(self.path, finished=True)

    def _cast(self, features: Floats, rows: Mapping[str, Any]) -> Floats:
        with np.errstate(over="ignore"):
            cast: Floats = np.ascontiguousarray(features, dtype=self._dtype)
        bad = np.flatnonzero(~np.isfinite(cast).all(axis=1))
        if len(bad):
            raise EvenhandError(
                f"the features of {rows['id'][int(bad[0])]} are not finite in {self._dtype}; "
                "use float32, or leave the image out"
            )
        return cast

    def _joined(self, what: Literal["rows", "skipped"]) -> pa.Table:
        return pa.concat_tables(
            read_parquet(self.path / progress_name(part, what)) for part in range(self.parts_done)
        )


def _tensors(head: Head) -> dict[str, Floats]:
    texts = {"text": head.text, "word_features": head.word_features}
    arrays = {**head.arrays(), **{name: value for name, value in texts.items() if value is not None}}
    return {name: np.ascontiguousarray(value) for name, value in arrays.items()}


def _write_array(path: Path, values: Floats) -> None:
    with atomic(path) as temporary, temporary.open("wb") as stream:
        # Not np.save: it writes past Python's stream, and a full disk loses its name.
        np.lib.format.write_array_header_1_0(stream, np.lib.format.header_data_from_array_1_0(values))
        stream.write(values.reshape(-1).view(np.uint8).data)


def _write_table(path: Path, table: pa.Table) -> None:
    with atomic(path) as temporary, temporary.open("wb") as stream:
        pq.write_table(
            table, stream
        )  # by a stream of Python's: Arrow's own errors have no name for a full disk
