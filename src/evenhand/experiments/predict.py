"""`predict`: a run folder on new images or features, into a CSV."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import softmax

from evenhand._errors import EvenhandError
from evenhand._files import atomic, sweep
from evenhand._progress import Progress, silent
from evenhand._typing import Floats, PathLike
from evenhand.backbones.base import Backbone
from evenhand.data.embeddings import read_features
from evenhand.data.images import none_readable
from evenhand.data.manifest import Manifest
from evenhand.experiments.bundle import BUNDLE, read_bundle
from evenhand.experiments.run_folder import read_card, run_backbone
from evenhand.extract.engine import Engine, on_this_machine
from evenhand.extract.local import iter_features
from evenhand.methods._model import Model

Block = tuple[list[str], Floats]
"""Paths [n] and features [n, D_in]."""


def predict_run(
    run: PathLike,
    source: PathLike | None = None,
    *,
    features: PathLike | None = None,
    out: PathLike,
    device: str = "cpu",
    engine: Engine = on_this_machine,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Write path, predicted and p_<class> for each image or feature row; return counts.

    `device` is this process's, `engine` takes images through the trunk; it changes no byte of the CSV.

    Raises
    ------
    EvenhandError
        If the run is damaged, the images need a model that the run's store does not name, none of them can
        be read, or the widths do not fit.
    """
    run = Path(run)
    card = read_card(run)
    model, classes = read_bundle(run / BUNDLE)
    skipped: list[dict[str, str]] = []
    if features is not None:
        blocks = _of_features(Path(features))
    elif source is not None:
        blocks = _of_images(Path(source), run_backbone(card, device), engine, skipped, progress)
    else:
        raise EvenhandError("predict takes images or features; give one of the two")
    counts = _write(Path(out), model, classes, blocks)
    return {"rows": sum(counts.values()), "predicted": dict(counts), "skipped": skipped, "out": str(out)}


def _of_features(path: Path) -> Iterator[Block]:
    row = 0
    for part in read_features([path]):
        yield [str(k) for k in range(row, row + len(part))], np.array(part, dtype=np.float32)
        row += len(part)


def _of_images(
    source: Path, backbone: Backbone, engine: Engine, skipped: list[dict[str, str]], progress: Progress
) -> Iterator[Block]:
    manifest = Manifest.read(source, labelled=False)
    stream = iter_features(manifest.paths.tolist(), backbone, engine=engine, progress=progress)
    for read, features, unreadable in stream:
        skipped += [{"path": str(manifest.ids[k]), "reason": reason} for k, reason in unreadable]
        yield [str(manifest.ids[k]) for k in read], features
    if len(skipped) == len(manifest):
        raise none_readable(len(manifest), manifest.paths[0], skipped[0]["reason"])


def _write(out: Path, model: Model, classes: list[str], blocks: Iterable[Block]) -> Counter[str]:
    counts: Counter[str] = Counter()
    sweep(out)
    with atomic(out) as temporary, temporary.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["path", "predicted", *(f"p_{name}" for name in classes)])
        for paths, X in blocks:
            if X.shape[1] != model.projection.width:
                raise EvenhandError(
                    f"the features have width {X.shape[1]} but the run takes {model.projection.width}; "
                    "use features of the model that the run was fitted on"
                )
            probabilities = softmax(model.logits(X).astype(np.float64), axis=1)
            for path, row in zip(paths, probabilities, strict=True):
                name = classes[int(row.argmax())]
                counts[name] += 1
                writer.writerow([path, name, *(f"{p:.6g}" for p in row)])
    return counts
