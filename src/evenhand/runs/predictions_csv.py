"""The CSV of predictions: its columns, and one line per image or row of features."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from scipy.special import softmax

from evenhand._files import atomic, sweep
from evenhand._typing import Floats
from evenhand.methods._training.model import Model
from evenhand.runs.card import check_width
from evenhand.runs.scores import Scores

Block = tuple[list[int], list[str], Floats]
"""Positions [n] among the images or rows, their paths [n], and features [n, D_in]."""


def write_predictions(
    out: Path,
    model: Model,
    classes: list[str],
    begin: Callable[[], tuple[Iterator[Block], Scores | None]],
) -> tuple[Counter[str], Scores | None]:
    """Write the CSV, and return the count of each predicted class and the filled scores.

    Parameters
    ----------
    out : Path
        The CSV; it is replaced only when all lines are written.
    model : Model
        Predicts the class codes.
    classes : list of str
        Class names.
    begin : callable
        Returns the blocks and the scores to fill, or None without labels. It puts the list of a folder next
        to `out`, so it is called after the temporary files of an earlier run are removed there.
    """
    counts: Counter[str] = Counter()
    sweep(out)
    with atomic(out) as temporary, temporary.open("w", newline="", encoding="utf-8") as stream:
        blocks, scores = begin()
        labelled = scores if scores is not None and scores.known.any else None
        writer = csv.writer(stream)
        more = [] if labelled is None else ["label", "right"]
        header = ["path", "predicted", *more, *(f"p_{name}" for name in classes)]
        attributes = {} if labelled is None else labelled.known.attributes
        writer.writerow([*header, *(f"attribute {name}" if name in header else name for name in attributes)])
        for positions, paths, X in blocks:
            check_width(X.shape[1], model.projection.width)
            logits = model.logits(X)
            probabilities = softmax(logits.astype(np.float64), axis=1)
            codes = probabilities.argmax(axis=1)
            label_cells: Sequence[tuple[str, ...]] = [()] * len(codes)
            if labelled is not None:
                label_cells = labelled.add(positions, logits, X)
            values = [attribute[positions] for attribute in attributes.values()]
            for k, (path, code, cells) in enumerate(zip(paths, codes, label_cells, strict=True)):
                counts[classes[code]] += 1
                shares = (f"{p:.6g}" for p in probabilities[k])
                writer.writerow([path, classes[code], *cells, *shares, *(of[k] for of in values)])
    return counts, scores
