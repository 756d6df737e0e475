"""`predict`: a run folder on new images or features, into a CSV."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import softmax

from evenhand._errors import EvenhandError
from evenhand._files import atomic, sweep
from evenhand._outputs import check_predictions, keep_apart
from evenhand._progress import Progress, silent
from evenhand._typing import Floats, PathLike
from evenhand.data.embeddings import read_features
from evenhand.data.images.decode import none_readable
from evenhand.data.known_labels import LabelOptions, known_labels
from evenhand.data.table import check_scale
from evenhand.data.unlabelled import Pictures, list_pictures
from evenhand.extract.engine import Engine, on_this_machine
from evenhand.extract.local import Features, iter_features
from evenhand.methods._training.model import Model
from evenhand.methods.bundle import read_run_bundle
from evenhand.runs.card import read_card, run_backbone
from evenhand.runs.scores import Scores

BLOCK = 16_384
"""Rows of features in memory at a time."""

Block = tuple[list[int], list[str], Floats]
"""Positions [n] among the images or rows, their paths [n], and features [n, D_in]."""


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
    labels: LabelOptions | None = None,
    group_by: str | None = None,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Write path, predicted and p_<class> for each image or feature row; return counts.

    Where the source has labels that are classes of the run, the CSV has `label` and `right`, too, and what is
    returned has the keys of an audit's evaluation.

    Images go through batch by batch, and the list of a folder lies on the disk: memory does not grow with it.

    Parameters
    ----------
    run : Path
        Folder that `fit` wrote.
    source, features : Path, optional
        Images, or a file of features [N, D_in] in their place.
    out : Path
        CSV to write.
    device, precision : str
        Of the model that reads images; its numbers by default are those that the run's store was made with.
    model : str, optional
        Where the model lies now, if it moved: a folder or a checkpoint of the same weights.
    workers : int, optional
        Processes that read images, as in `embed`.
    engine : Engine
        What takes images through the trunk; it changes no byte of the CSV.
    labels : LabelOptions, optional
        How the labels of images are found; by default they are taken where they are.
    group_by : str, optional
        Attribute of the images that makes groups, by default the run's or else the first.
    progress : Progress
        Told how many images are done.

    Raises
    ------
    EvenhandError
        If `out` is or lies in what is read or is a file of another kind, the run is damaged, the images need
        a model that the run's store does not name, none of them can be read, the widths do not fit, or labels
        or groups were asked for and are not there.
    """
    run = Path(run)
    keep_apart(Path(out), [Path(given) for given in (run, source, features) if given is not None])
    check_predictions(Path(out))
    card = read_card(run)
    fitted, classes = read_run_bundle(run, card), card["classes"]
    skipped: list[dict[str, str]] = []
    if source is not None:
        backbone = run_backbone(card, device, precision=precision, model=model)
        stream = partial(iter_features, backbone=backbone, workers=workers, engine=engine, progress=progress)

    def begin() -> tuple[Iterator[Block], Scores | None]:
        if features is not None:
            return _of_features(Path(features)), None
        if source is None:
            raise EvenhandError("predict takes images or features; give one of the two")
        pictures = list_pictures(source, Path(out).parent)
        known = known_labels(pictures, classes, labels or LabelOptions())
        return _of_images(pictures, stream, skipped), Scores.of(run, card, classes, known, group_by)

    counts, scores = _write(Path(out), fitted, classes, begin)
    return {
        "rows": sum(counts.values()),
        "predicted": dict(counts),
        "skipped": skipped,
        "out": str(out),
        **({} if scores is None else scores.told()),
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
    pictures: Pictures, stream: Callable[..., Iterator[Features]], skipped: list[dict[str, str]]
) -> Iterator[Block]:
    for read, features, unreadable in stream(pictures.paths):
        skipped += [{"path": str(pictures.ids[k]), "reason": reason} for k, reason in unreadable]
        yield read, [str(pictures.ids[k]) for k in read], features
    if len(skipped) == len(pictures):
        raise none_readable(len(pictures), pictures.paths[0], skipped[0]["reason"])


def _write(
    out: Path,
    model: Model,
    classes: list[str],
    begin: Callable[[], tuple[Iterator[Block], Scores | None]],
) -> tuple[Counter[str], Scores | None]:
    counts: Counter[str] = Counter()
    sweep(out)
    with atomic(out) as temporary, temporary.open("w", newline="", encoding="utf-8") as stream:
        blocks, scores = begin()  # here, since the list of a folder lies beside `out`
        labelled = scores if scores is not None and scores.known.any else None
        writer = csv.writer(stream)
        beside = [] if labelled is None else ["label", "right"]
        writer.writerow(["path", "predicted", *beside, *(f"p_{name}" for name in classes)])
        for positions, paths, X in blocks:
            if X.shape[1] != model.projection.width:
                raise EvenhandError(
                    f"the features have width {X.shape[1]} but the run takes {model.projection.width}; "
                    "use features of the model that the run was fitted on"
                )
            probabilities = softmax(model.logits(X).astype(np.float64), axis=1)
            codes = probabilities.argmax(axis=1)
            told: Sequence[tuple[str, ...]] = [()] * len(codes)
            if labelled is not None:
                told = labelled.add(positions, codes, X)
            for path, code, cells, row in zip(paths, codes, told, probabilities, strict=True):
                counts[classes[code]] += 1
                writer.writerow([path, classes[code], *cells, *(f"{p:.6g}" for p in row)])
    return counts, scores
