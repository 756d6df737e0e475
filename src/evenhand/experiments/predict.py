"""`predict`: a run folder on new images or features, into a CSV."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import softmax

from evenhand._errors import EvenhandError
from evenhand._files import atomic
from evenhand._progress import Progress, silent
from evenhand._typing import Floats
from evenhand.backbones.base import Backbone
from evenhand.backbones.openclip import load_openclip
from evenhand.backbones.tiny import load_tiny
from evenhand.data.embeddings import read_features
from evenhand.data.manifest import Manifest
from evenhand.experiments.bundle import BUNDLE, read_bundle
from evenhand.experiments.stages import read_run_card
from evenhand.extract.local import iter_features
from evenhand.methods._model import Model

Block = tuple[list[str], Floats]
"""Paths [n] and features [n, D_in]."""


def predict_run(
    run: Path,
    source: Path | None = None,
    *,
    features: Path | None = None,
    out: Path,
    device: str = "cpu",
    progress: Progress = silent,
) -> dict[str, Any]:
    """Write path, predicted and p_<class> for each image or feature row; return counts.

    Raises
    ------
    EvenhandError
        If the run is damaged, the images need a model that the run's store does not name, or the widths
        do not fit.
    """
    model, classes = read_bundle(run / BUNDLE)
    card = read_run_card(run)
    skipped: list[dict[str, str]] = []
    if features is not None:
        blocks = _of_features(features)
    elif source is not None:
        blocks = _of_images(source, backbone_of_run(card, device), skipped, progress)
    else:
        raise EvenhandError("predict takes images or features; give one of the two")
    counts = _write(out, model, classes, blocks)
    return {"rows": sum(counts.values()), "predicted": dict(counts), "skipped": skipped, "out": str(out)}


def _of_features(path: Path) -> Iterator[Block]:
    row = 0
    for part in read_features([path]):
        yield [str(k) for k in range(row, row + len(part))], np.array(part, dtype=np.float32)
        row += len(part)


def backbone_of_run(card: Mapping[str, Any], device: str) -> Backbone:
    """Load the model that made the run's store.

    Raises
    ------
    EvenhandError
        If the store holds imported embeddings, or the model cannot be had or has other weights now.
    """
    made = card["store_card"]
    if made.get("family") != "open_clip":
        raise EvenhandError(
            "the run was fitted on imported embeddings, so images cannot be embedded; give --features X.npy"
        )
    how = {"device": device, "precision": made["precision"], "site": made["site"].removeprefix("visual.")}
    if made["model"] == "tiny":
        backbone = load_tiny(**how)
    else:
        backbone = load_openclip(made["model"], made["pretrained"], **how)
    if backbone.card()["weights_sha256"] != made["weights_sha256"]:
        raise EvenhandError(
            f"model {made['model']!r} has other weights than the run's store was made with "
            f"({made['weights_sha256'][:12]}); use the same checkpoint"
        )
    return backbone


def _of_images(
    source: Path, backbone: Backbone, skipped: list[dict[str, str]], progress: Progress
) -> Iterator[Block]:
    manifest = Manifest.read(source, labelled=False)
    for read, features, unreadable in iter_features(manifest.paths.tolist(), backbone, progress=progress):
        skipped += [{"path": str(manifest.ids[k]), "reason": reason} for k, reason in unreadable]
        yield [str(manifest.ids[k]) for k in read], features


def _write(out: Path, model: Model, classes: list[str], blocks: Iterable[Block]) -> Counter[str]:
    counts: Counter[str] = Counter()
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
