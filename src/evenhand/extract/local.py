"""Every image through the frozen trunk once, on this machine."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from evenhand._errors import EvenhandError
from evenhand._progress import Progress, silent
from evenhand._typing import Floats, Ints
from evenhand.backbones.base import Backbone
from evenhand.backbones.prompts import class_prompts
from evenhand.data.manifest import Manifest
from evenhand.data.store import read_store
from evenhand.data.store_write import StoreWriter
from evenhand.data.table import FeatureTable
from evenhand.extract.loading import Batch, load_batches


def embed(
    manifest: Manifest,
    backbone: Backbone,
    out: Path,
    *,
    templates: str | Sequence[str] | None = None,
    prompts: Mapping[str, Sequence[str]] | None = None,
    batch_size: int = 64,
    workers: int | None = None,
    part_rows: int = 4096,
    thumbnails: bool = True,
    strict: bool = False,
    dtype: str = "float16",
    progress: Progress = silent,
) -> FeatureTable:
    """Write a store of features before the projection, and return its table.

    Batches never straddle parts, so a run that was killed and resumed writes the same bytes as one that was
    not. On a finished store the same call verifies it and does no work.

    Parameters
    ----------
    manifest : Manifest
        Labelled images.
    backbone : Backbone
        The frozen model.
    out : Path
        Folder of the store.
    templates, prompts
        Prompt templates for all classes, or prompts by class, which win.
    batch_size, workers, part_rows : int
        Pictures per batch, reading processes, pictures per part.
    thumbnails : bool
        Whether to keep 64-pixel thumbnails.
    strict : bool
        Whether the first unreadable picture is an error.
    dtype : "float16" or "float32"
        Of the features on disk.
    progress : Progress
        Told how many pictures are done.

    Raises
    ------
    EvenhandError
        If no picture can be read, one cannot and `strict` is set, features are not finite, or the store
        cannot be written or is another one's.
    """
    head = backbone.head(manifest.classes, prompts or class_prompts(manifest.classes, templates))
    identity = {
        **backbone.card(),
        "prompts": head.prompts,
        "manifest_sha256": _manifest_hash(manifest),
        "batch_size": batch_size,
        "part_rows": part_rows,
        "dtype": dtype,
        "thumbnails": thumbnails,
    }
    with StoreWriter(out, identity=identity, head=head, width=backbone.width, dtype=dtype) as writer:
        if not writer.finished:
            for start in range(writer.parts_done * part_rows, len(manifest), part_rows):
                rows = np.arange(start, min(start + part_rows, len(manifest)))
                batches = load_batches(
                    manifest.paths[rows],
                    backbone.preprocess,
                    batch_size=batch_size,
                    workers=workers,
                    thumbnails=thumbnails,
                )
                _write_part(
                    writer, manifest, rows, _embedded(batches, backbone, strict, manifest, rows, progress)
                )
            writer.finish()
    return read_store(out)


def iter_features(
    paths: Sequence[str],
    backbone: Backbone,
    *,
    batch_size: int = 64,
    workers: int | None = None,
    progress: Progress = silent,
) -> Iterator[tuple[list[int], Floats, list[tuple[int, str]]]]:
    """Yield positions, float32 features [n, D_in] and unreadable (position, reason), batch by batch."""
    done = 0
    for batch in load_batches(paths, backbone.preprocess, batch_size=batch_size, workers=workers):
        empty = np.zeros((0, backbone.width), dtype=np.float32)
        features = empty if batch.pixels is None else backbone.trunk(batch.pixels).numpy()
        done += len(batch.read) + len(batch.unreadable)
        progress("embed", done, len(paths))
        yield batch.read, features, batch.unreadable


Embedded = tuple[Batch, "Floats | None"]


def _embedded(
    batches: Iterator[Batch],
    backbone: Backbone,
    strict: bool,
    manifest: Manifest,
    rows: Ints,
    progress: Progress,
) -> Iterator[Embedded]:
    done = int(rows[0])
    for batch in batches:
        if strict and batch.unreadable:
            position, reason = batch.unreadable[0]
            raise EvenhandError(f"{manifest.paths[rows[position]]}: {reason}; --strict stops at the first")
        features = None if batch.pixels is None else backbone.trunk(batch.pixels).numpy()
        if features is not None and not np.isfinite(features).all():
            bad = batch.read[int((~np.isfinite(features)).any(axis=1).argmax())]
            raise EvenhandError(
                f"{manifest.paths[rows[bad]]} gives features that are not finite; use --precision fp32"
            )
        done += len(batch.read) + len(batch.unreadable)
        progress("embed", done, len(manifest))
        yield batch, features


def _write_part(writer: StoreWriter, manifest: Manifest, rows: Ints, embedded: Iterator[Embedded]) -> None:
    features: list[Floats] = [np.zeros((0, writer.width), dtype=np.float32)]
    read: list[int] = []
    small: list[bytes] = []
    skipped: list[dict[str, str]] = []
    for batch, found in embedded:
        read += [int(rows[position]) for position in batch.read]
        small += batch.thumbnails
        if found is not None:
            features.append(found)
        for position, reason in batch.unreadable:
            row = rows[position]
            skipped.append({"id": str(manifest.ids[row]), "path": str(manifest.paths[row]), "reason": reason})
    columns: dict[str, Any] = {
        "id": manifest.ids[read],
        "path": manifest.paths[read],
        "label": np.asarray(manifest.classes)[manifest.y[read]],
        "split": manifest.split[read],
        **{name: values[read] for name, values in manifest.attributes.items()},
    }
    writer.write_part(np.concatenate(features), columns, skipped, small if small else None)


def _manifest_hash(manifest: Manifest) -> str:
    """Return the SHA-256 of what a manifest says, paths left out so that a moved folder stays the same."""
    digest = hashlib.sha256()
    for values in (manifest.ids, manifest.y, manifest.split, *manifest.attributes.values()):
        digest.update("\0".join(map(str, values)).encode())
    digest.update("\0".join([*manifest.classes, *manifest.attributes]).encode())
    return digest.hexdigest()
