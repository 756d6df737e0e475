"""Pass every image through the frozen trunk once, into a store or a stream; an engine does the work."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, nullcontext
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from evenhand._errors import EvenhandError
from evenhand._progress import Progress, silent
from evenhand._typing import Floats, Ints, PathLike, Strings
from evenhand.backbones.base import Backbone
from evenhand.backbones.load import load_backbone
from evenhand.backbones.outline import outline_of
from evenhand.backbones.prompts import class_prompts
from evenhand.data.images.first_look import broken
from evenhand.data.images.pixel_limit import raised_limit
from evenhand.data.images.properties import PROPERTIES
from evenhand.data.manifest import Manifest
from evenhand.data.places import total_bytes
from evenhand.data.settle_copies import KnownCopies
from evenhand.data.store import load_store
from evenhand.data.store_identity import begun_identity, check_begun
from evenhand.data.store_layout import MEASURED, OTHERS, UNITS, others_identity
from evenhand.data.store_write import StoreWriter
from evenhand.data.table import FeatureTable
from evenhand.extract.lacks import check_none_skipped, warn_of_lost_classes, warn_of_same_text
from evenhand.extract.loading import Consecutive
from evenhand.extract.reuse import earlier_store, replacing, settle
from evenhand.extract.short_side import KEY, choose_short_side
from evenhand.extract.trunk import Embedded, Engine, ImageReading, on_this_machine

DTYPES = ("float16", "float32")

Features = tuple[list[int], Floats, list[tuple[int, str]]]
"""Positions that were read, their features float32 [n, D_in], positions and reasons of the others."""


def embed(
    images: Manifest | PathLike,
    model: Backbone | str,
    out: PathLike,
    *,
    templates: str | Sequence[str] | None = None,
    prompts: Mapping[str, Sequence[str]] | None = None,
    batch_size: int = 64,
    workers: int | None = None,
    part_rows: int = 1024,
    thumbnails: bool = True,
    strict: bool = False,
    dtype: str = "float16",
    decode: str | None = None,
    engine: Engine = on_this_machine,
    progress: Progress = silent,
) -> FeatureTable:
    """Write a store of features before the projection, and return its table.

    A killed run that is resumed writes the same bytes as one that was not killed, since no batch spans two
    parts. On a finished store the same call only verifies it. If only class names, prompts, labels, splits or
    images have changed, the features of unchanged images are reused: only the text and the new images go
    through the model, and the table's `notes` say how many.

    Parameters
    ----------
    images : Manifest, str or Path
        Labeled images, or their place, as in `Manifest.read`.
    model : Backbone or str
        The frozen model, or its name as in `load_backbone`.
    out : str or Path
        Folder of the store.
    templates : str or sequence of str, optional
        Prompt templates: "openai", "simple", or texts with `{}` or `{c}` for the class name. By default
        "a photo of a {}.", with the article that fits.
    prompts : mapping of str to sequence of str, optional
        Prompts of some classes, in place of those from the templates.
    batch_size : int, default=64
        Images per batch.
    workers : int, optional
        Number of processes that read images; by default one per core, at most 8. 0 reads in threads of this
        process, which is the default for few images.
    part_rows : int, default=1024
        Images per part of the store. An interrupted run resumes at the first unfinished part.
    thumbnails : bool, default=True
        Whether to keep 64-pixel thumbnails.
    strict : bool, default=False
        Whether the first unreadable image is an error.
    dtype : "float16" or "float32", default="float16"
        Number type of the features on disk. float16 moves unit vectors by less than 1e-3 in any coordinate.
    decode : "reduced" or "full", optional
        Whether a JPEG is decoded at 1/2, 1/4 or 1/8 of its size if that is at least twice the size that the
        model resizes it to. By default as in the store in `out`, and in full for a new store.
    engine : Engine, default=on_this_machine
        This machine, or `evenhand.extract.ray_engine.RayEngine`. It changes no byte of the store.
    progress : Progress, optional
        Receives the number of images that are done.

    Raises
    ------
    EvenhandError
        If an argument is out of range, the manifest has no labels, no image can be read, one cannot and
        `strict` is set, features are not finite, memory runs out, or the store cannot be written or was
        made from something else.

    Warns
    -----
    EvenhandWarning
        If no training image of a class can be read, or two classes have the same prompts.
    """
    manifest = images if isinstance(images, Manifest) else Manifest.read(images)
    out = Path(out)
    if isinstance(model, str):  # a model that cannot be this store's is not downloaded
        check_begun(out, **outline_of(model)._asdict())
    backbone = load_backbone(model) if isinstance(model, str) else model
    _check(manifest, batch_size, part_rows, dtype)
    head = backbone.head(manifest.classes, {**class_prompts(manifest.classes, templates), **(prompts or {})})
    settle(out)
    short_side = choose_short_side(decode, backbone, begun_identity(out))
    identity = {
        **backbone.card(),
        "prompts": head.prompts,
        "manifest_sha256": _manifest_hash(manifest),
        "image_bytes": total_bytes(manifest.paths.tolist()),
        "batch_size": batch_size,
        "part_rows": part_rows,
        "dtype": dtype,
        "thumbnails": thumbnails,
        # A column of the user's own keeps its name.
        MEASURED: [name for name in PROPERTIES if name not in {**manifest.attributes, **manifest.others}],
        **others_identity(manifest.others),
        # Named only where they are not the usual ones.
        **({} if short_side is None else {KEY: short_side}),
        **({"max_pixels": limit} if (limit := raised_limit()) else {}),
        **({} if manifest.split_by is None else {"split_by": manifest.split_by}),
        **({} if manifest.shots is None else {"shots": manifest.shots._asdict()}),
    }
    earlier = earlier_store(out, identity, manifest)
    fresh = np.arange(len(manifest.ids)) if earlier is None else earlier.fresh
    place = nullcontext(out) if earlier is None else replacing(out, identity)
    with (
        place as folder,
        StoreWriter(
            folder, identity=identity, head=head, width=backbone.width, dtype=dtype, images=len(manifest.ids)
        ) as writer,
    ):
        if not writer.finished:
            parts = list(Consecutive(0, len(manifest.ids), part_rows))[writer.parts_done :]
            ends = [np.searchsorted(fresh, (rows.start, rows.stop)).tolist() for rows in parts]
            batches = [Consecutive(start, stop, batch_size) for start, stop in ends]
            stream = engine(
                manifest.paths if earlier is None else manifest.paths[fresh],
                backbone,
                [batch for part in batches for batch in part],
                ImageReading(dtype, thumbnails, short_side, workers),
            )
            with closing(stream):
                for rows_of_part, part in zip(parts, batches, strict=True):
                    made = [] if earlier is None else [earlier.taken(rows_of_part, dtype, thumbnails)]
                    for found, rows in zip(islice(stream, len(part)), part, strict=True):
                        batch = _placed(found, fresh)
                        made.append(_readable(batch, manifest) if strict else batch)
                        progress("embed", rows.stop, len(fresh))
                    _write_part(writer, manifest, made, thumbnails)
            writer.finish(_known_copies(manifest))
    table = load_store(out)
    of_reuse = () if earlier is None else (earlier.note(),)
    table = replace(table, notes=(*of_reuse, *writer.notes))
    if strict:
        check_none_skipped(out)
    warn_of_lost_classes(table)
    warn_of_same_text(head)
    return table


def iter_features(
    paths: Sequence[str] | Strings,
    backbone: Backbone,
    *,
    batch_size: int = 64,
    workers: int | None = None,
    short_side: int | None = None,
    engine: Engine = on_this_machine,
    progress: Progress = silent,
) -> Iterator[Features]:
    """Yield features of files batch by batch, without keeping them.

    Parameters
    ----------
    paths : sequence of str
        Files.
    backbone : Backbone
        The frozen model.
    batch_size : int, default=64
        Images per batch.
    workers : int, optional
        Number of processes that read images, as in `embed`.
    short_side : int, optional
        Least short side of a decoded JPEG in pixels, `jpeg_short_side` in a store's card; by default JPEGs
        are decoded in full.
    engine : Engine, default=on_this_machine
        This machine or a cluster, as in `embed`.
    progress : Progress, optional
        Receives the number of files that are done.

    Yields
    ------
    positions : list of int
        Which of `paths` were read.
    features : float32 [n, D_in]
        Before the projection, row by row for `positions`.
    unreadable : list of (int, str)
        Positions and reasons of the others.

    Raises
    ------
    EvenhandError
        If features are not finite or memory runs out.
    """
    batches = Consecutive(0, len(paths), batch_size)
    stream = engine(paths, backbone, batches, ImageReading("float32", short_side=short_side, workers=workers))
    with closing(stream):
        for rows, made in zip(batches, stream, strict=True):
            progress("embed", rows.stop, len(paths))
            yield made.read, made.features, made.unreadable


def _placed(made: Embedded, fresh: Ints) -> Embedded:
    """Return a batch whose positions are those in the manifest."""
    return replace(
        made,
        read=fresh[made.read].tolist(),
        unreadable=[(int(fresh[row]), reason) for row, reason in made.unreadable],
    )


def _readable(made: Embedded, manifest: Manifest) -> Embedded:
    if made.unreadable:
        row, reason = made.unreadable[0]
        raise broken(manifest.paths[row], reason)
    return made


def _write_part(writer: StoreWriter, manifest: Manifest, made: Sequence[Embedded], thumbnails: bool) -> None:
    # Reused and new images together, in the order of the manifest.
    order = np.argsort([row for batch in made for row in batch.read], kind="stable").astype(np.int64)
    read = np.array([row for batch in made for row in batch.read], dtype=np.int64)[order]
    lost = [found for batch in made for found in batch.unreadable]
    skipped = [
        {"id": str(manifest.ids[row]), "path": str(manifest.paths[row]), "reason": reason}
        for row, reason in lost
    ]
    columns: dict[str, Any] = {
        "id": manifest.ids[read],
        "path": manifest.paths[read],
        "label": np.asarray(manifest.classes)[manifest.y[read]],
        "split": manifest.split[read],
        **{name: values[read] for name, values in manifest.attributes.items()},
        **({} if manifest.units is None else {UNITS: manifest.units[read]}),
        # An interrupted store that an earlier version began goes on without these.
        **{name: manifest.others[name][read] for name in writer.identity.get(OTHERS, {})},
    }
    small = [jpeg for batch in made for jpeg in batch.thumbnails]
    properties = [values for batch in made for values in batch.properties]
    for name in writer.identity.get(MEASURED, []):
        place = PROPERTIES.index(name)
        columns[name] = np.array([properties[row][place] for row in order], dtype=np.str_)
    features = np.concatenate([batch.features for batch in made])[order]
    writer.write_part(features, columns, skipped, [small[row] for row in order] if thumbnails else None)


def _known_copies(manifest: Manifest) -> KnownCopies:
    return KnownCopies([manifest.ids[list(rows)].tolist() for rows in manifest.copies], manifest.drawn)


def _check(manifest: Manifest, batch_size: int, part_rows: int, dtype: str) -> None:
    for name, value in (("batch_size", batch_size), ("part_rows", part_rows)):
        if value < 1:
            raise EvenhandError(f"{name} is {value}; give at least 1")
    if dtype not in DTYPES:
        raise EvenhandError(f"dtype: {dtype!r} is unknown; choose {' or '.join(DTYPES)}")
    if (manifest.y < 0).any() or not manifest.classes:
        raise EvenhandError("the manifest has images without labels; read it with labeled=True")


def _manifest_hash(manifest: Manifest) -> str:
    """Return the SHA-256 of a manifest without its paths, so that a moved folder stays the same."""
    digest = hashlib.sha256()
    for values in (manifest.ids, manifest.y, manifest.split, *manifest.attributes.values()):
        digest.update("\0".join(map(str, values)).encode())
    digest.update("\0".join([*manifest.classes, *manifest.attributes]).encode())
    return digest.hexdigest()
