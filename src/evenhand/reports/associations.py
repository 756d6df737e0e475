"""The section on what goes with the label."""

from __future__ import annotations

from evenhand.audits.error_analysis import ErrorAnalysis
from evenhand.reports.galleries import Gallery, GalleryImage

TITLE = "Images that contradict it"
SHOWN = 24
"""Contradicting images that are shown."""


def contradicting_gallery(analysis: ErrorAnalysis) -> Gallery:
    """Return the training images that contradict what goes with the label, the surest first."""
    table, read = analysis.models.table, analysis.findings.associations.legibility
    if read is None:
        return Gallery(TITLE, 0, [])
    shown = zip(read.contradicting_rows[:SHOWN], read.taken_for[:SHOWN], strict=True)
    images = [
        GalleryImage(row, str(table.ids[row]), label, "", 0.0, (label, other), str(table.paths[row]))
        for row, other in shown
        for label in [table.classes[table.y[row]]]
    ]
    return Gallery(TITLE, read.contradicting, images)
