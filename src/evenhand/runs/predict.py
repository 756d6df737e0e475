"""`evenhand.predict`: apply a run to new images or features, and write a CSV."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from evenhand._errors import EvenhandError
from evenhand._outputs import check_predictions, keep_apart
from evenhand._progress import Progress, silent
from evenhand._typing import PathLike
from evenhand.data.arrays.scale import check_scale
from evenhand.data.images.decode import none_readable
from evenhand.data.known_labels import LabelOptions, known_labels
from evenhand.data.own_embeddings import read_features
from evenhand.data.sources.listing import Options
from evenhand.data.unlabelled import Pictures, list_pictures
from evenhand.extract.embed_images import Features, iter_features
from evenhand.extract.short_side import KEY
from evenhand.extract.trunk import Engine, on_this_machine
from evenhand.methods.bundle import read_run_bundle
from evenhand.runs.card import read_card, run_backbone
from evenhand.runs.predictions_csv import Block, write_predictions
from evenhand.runs.scores import Scores

BLOCK = 16_384
"""Number of rows of features in memory at a time."""


def predict(
    run: PathLike,
    source: PathLike | None = None,
    *,
    features: PathLike | None = None,
    out: PathLike,
    device: str = "cpu",
    precision: str | None = None,
    model: str | None = None,
    workers: int | None = None,
    engine: Engine = on_this_machine,
    path_column: str | None = None,
    root: PathLike | None = None,
    labels: LabelOptions | None = None,
    group_by: str | None = None,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Write a CSV with path, predicted class and class probabilities of each image or feature row.

    If the source has labels that are classes of the run, the CSV also has the columns `label`, `right` and,
    last, its attributes, and the returned dict has the keys of an audit. Images are read in batches, and the
    list of a folder is kept on disk, so that memory does not grow with their number.

    Parameters
    ----------
    run : str or Path
        Run folder that `evenhand.fit` wrote.
    source : str or Path, optional
        Images: a folder, table, archive or other source, as in `embed`.
    features : str or Path, optional
        File of features [N, D_in], in place of images.
    out : str or Path
        CSV file to write.
    device : str, default="cpu"
        Torch device of the model that embeds the images.
    precision : str, optional
        Number type of that model; by default, that of the run's store.
    model : str, optional
        Folder or checkpoint of the model, if it is no longer where the run's card says.
    workers : int, optional
        Number of processes that read images, as in `embed`.
    engine : Engine, optional
        Engine that runs the model on batches of images; the CSV does not depend on it.
    path_column, root : str, str or Path, optional
        Column of the paths of a table, and the folder that they start from, as in `Manifest.read`.
    labels : LabelOptions, optional
        How the labels of the images are found; by default, as in `embed`.
    group_by : str, optional
        Attribute of the images that makes the groups, or several as `ground,time`; by default that of the
        run, or else the first.
    progress : Progress, optional
        Receives the number of images that are done.

    Returns
    -------
    dict
        `rows`, the number of rows; `predicted`, the count of each class; `skipped`, the images that could not
        be read; `out`; and the evaluation, if there are labels.

    Raises
    ------
    EvenhandError
        If there is neither `source` nor `features`; `out` is an input or inside one, or is a file of another
        kind; the run is damaged; the images need a model that the run does not name, or none can be read; the
        widths do not match; or labels or groups were asked for and do not exist.
    """
    run = Path(run)
    keep_apart(Path(out), [run, source, features])
    check_predictions(Path(out))
    card = read_card(run)
    fitted, classes = read_run_bundle(run, card), card["classes"]
    skipped: list[dict[str, str]] = []
    notes: list[str] = []
    if source is not None:
        backbone = run_backbone(card, device, precision=precision, model=model)
        stream = partial(
            iter_features,
            backbone=backbone,
            workers=workers,
            short_side=card["store_card"].get(KEY),
            engine=engine,
            progress=progress,
        )

    def begin() -> tuple[Iterator[Block], Scores | None]:
        if features is not None:
            return _of_features(Path(features)), None
        if source is None:
            raise EvenhandError("source: there are neither images nor features; give one of the two")
        where = Options(path=path_column, root=None if root is None else Path(root))
        pictures = list_pictures(source, Path(out).parent, where)
        notes.extend(pictures.notes)
        known = known_labels(pictures, classes, labels or LabelOptions())
        return _of_images(pictures, stream, skipped), Scores.of(run, card, classes, known, group_by)

    counts, scores = write_predictions(Path(out), fitted, classes, begin)
    found = {} if scores is None else scores.as_dict()
    notes += found.get("notes", [])
    return {
        "rows": sum(counts.values()),
        "predicted": dict(counts),
        "skipped": skipped,
        "out": str(out),
        **found,
        **({"notes": notes} if notes else {}),
    }


def _of_features(path: Path) -> Iterator[Block]:
    row = 0
    for part in read_features([path]):
        for start in range(0, len(part), BLOCK):
            block = np.array(part[start : start + BLOCK], dtype=np.float32)
            check_scale(block)
            rows = list(range(row, row + len(block)))
            yield rows, list(map(str, rows)), block
            row += len(block)


def _of_images(
    images: Pictures, stream: Callable[..., Iterator[Features]], skipped: list[dict[str, str]]
) -> Iterator[Block]:
    for read, features, unreadable in stream(images.paths):
        skipped += [{"path": str(images.ids[k]), "reason": reason} for k, reason in unreadable]
        yield read, [str(images.ids[k]) for k in read], features
    if len(skipped) == len(images):
        raise none_readable(len(images), images.paths[0], skipped[0]["reason"])
