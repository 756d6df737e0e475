"""Images on the page: the calibration set, what changed, and what contradicts what goes with the label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evenhand._typing import Bools, Ints
from evenhand.audits.associations import Legibility
from evenhand.audits.calibration_set import CalibrationRows
from evenhand.audits.evaluate import EvaluatedModels
from evenhand.data.table import FeatureTable
from evenhand.reports.sampling import ShownRows
from evenhand.runs.models import Stage

PER_CLASS = 40
"""Calibration images of a class that are shown."""
CLASSES = 12
"""Classes of the calibration set that are shown."""
CONTRADICTING = 24
"""Images that contradict what goes with the label that are shown."""


@dataclass(frozen=True)
class GalleryImage:
    """One image.

    Attributes
    ----------
    row : int
        Its row number in the store.
    name : str
        Its id.
    label : str
        Its class.
    group : str
        Its group, empty if unknown.
    margin : float
        Margin of the reference model in a calibration set, of the model after elsewhere.
    predicted : tuple of str, default=()
        Classes predicted before and after; empty in a calibration set.
    path : str, default=""
        Its path, empty if unknown.
    """

    row: int
    name: str
    label: str
    group: str
    margin: float
    predicted: tuple[str, ...] = ()
    path: str = ""


@dataclass(frozen=True)
class Gallery:
    """Images under one heading; `images` may be fewer than `total`."""

    title: str
    total: int
    images: list[GalleryImage]


def calibration_galleries(models: EvaluatedModels, calibration: CalibrationRows) -> tuple[list[Gallery], int]:
    """Return a gallery per class, the class with most rows first, and the number of classes.

    Of a class with more than `PER_CLASS` rows, half of the images have the lowest margins and half the
    highest.
    """
    groups = _groups(models, calibration.rows)
    by_class: dict[str, list[GalleryImage]] = {}
    for one, row, group in zip(calibration.records, calibration.rows.tolist(), groups, strict=True):
        path = str(models.table.paths[row])
        image = GalleryImage(row, one["id"], one["label"], group, one["margin"], path=path)
        by_class.setdefault(one["label"], []).append(image)
    galleries = [
        Gallery(name, len(images), _ends(sorted(images, key=lambda image: image.margin)))
        for name, images in sorted(by_class.items(), key=lambda pair: -len(pair[1]))
    ]
    return galleries[:CLASSES], len(galleries)


def changed_galleries(models: EvaluatedModels, shown: ShownRows) -> list[Gallery]:
    """Return the newly correct and newly wrong images, or a random sample of them."""
    return [
        _changed(models, "Newly correct", models.newly_correct, shown.newly_correct),
        _changed(models, "Newly wrong", models.newly_wrong, shown.newly_wrong),
    ]


def contradicting_gallery(table: FeatureTable, read: Legibility | None) -> Gallery:
    """Return the training images that contradict what goes with the label, the surest first."""
    title = "Images that contradict it"
    if read is None:
        return Gallery(title, 0, [])
    images = []
    for row, other in zip(read.contradicting_rows[:CONTRADICTING], read.taken_for, strict=False):
        label = table.classes[table.y[row]]
        path = str(table.paths[row])
        images.append(GalleryImage(row, str(table.ids[row]), label, "", 0.0, (label, other), path))
    return Gallery(title, read.contradicting, images)


def group_counts(models: EvaluatedModels) -> list[tuple[str, int, int, int]]:
    """Return test rows, newly correct and newly wrong, by group (or class), the most changes first."""
    test = models.split.test
    groups = models.groups(test)
    names = models.table.labels(test) if groups is None else groups
    right, wrong = models.newly_correct, models.newly_wrong
    counts = [
        (
            name or "group unknown",
            int((names == name).sum()),
            int((right & (names == name)).sum()),
            int((wrong & (names == name)).sum()),
        )
        for name in np.unique(names).tolist()
    ]
    return sorted(counts, key=lambda line: -(line[2] + line[3]))


def gallery_images(
    models: EvaluatedModels, rows: Ints, places: Ints, pair: tuple[Stage, Stage]
) -> list[GalleryImage]:
    """Return store rows [n] as images, whose predictions are at `places` [n] of both stages."""
    table = models.table
    return [
        GalleryImage(
            row,
            str(table.ids[row]),
            table.classes[table.y[row]],
            group,
            float(pair[1].margins[place]),
            tuple(table.classes[stage.predicted[place]] for stage in pair),
            str(table.paths[row]),
        )
        for row, place, group in zip(rows.tolist(), places.tolist(), _groups(models, rows), strict=True)
    ]


def rows_of(galleries: Sequence[Gallery]) -> Ints:
    """Return the row numbers of all images in galleries."""
    return np.array([image.row for one in galleries for image in one.images], dtype=np.int64)


def _groups(models: EvaluatedModels, rows: Ints) -> list[str]:
    groups = models.groups(rows)
    return [""] * len(rows) if groups is None else groups.tolist()


def _changed(models: EvaluatedModels, title: str, chosen: Bools, shown: Ints) -> Gallery:
    images = gallery_images(models, models.split.test[shown], shown, models.pair)
    return Gallery(title, int(chosen.sum()), sorted(images, key=lambda image: image.group))


def _ends(images: list[GalleryImage]) -> list[GalleryImage]:
    if len(images) <= PER_CLASS:
        return images
    return [*images[: PER_CLASS // 2], *images[-PER_CLASS // 2 :]]
