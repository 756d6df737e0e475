"""Training curves and candidates as points of small line charts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

WIDTH, HEIGHT = 300, 120
STAGES = {1: "ERM: loss by epoch", 3: "Calibration: loss by epoch"}


@dataclass(frozen=True)
class Curve:
    """A curve: its name and its points as an SVG polyline takes them."""

    name: str
    points: str


@dataclass(frozen=True)
class Chart:
    """A small line chart; `low` and `high` are the ends of its vertical axis, `last` is its last epoch."""

    title: str
    lines: list[Curve]
    low: float
    high: float
    last: int


def charts(history: Sequence[Mapping[str, Any]]) -> list[Chart]:
    """Return the loss of each stage over its epochs, a line per fold."""
    found = []
    for stage, title in STAGES.items():
        series: dict[str, list[tuple[int, float]]] = {}
        for entry in history:
            if entry.get("stage") == stage and entry.get("loss") is not None:
                fold = entry.get("fold")
                name = "all training rows" if fold is None else f"without fold {int(fold)}"
                series.setdefault(name, []).append((int(entry["epoch"]), float(entry["loss"])))
        if series:
            found.append(_chart(title, series))
    return found


def _chart(title: str, series: Mapping[str, Sequence[tuple[int, float]]]) -> Chart:
    values = [loss for points in series.values() for _, loss in points]
    low, high = min(values), max(values)
    last = max(epoch for points in series.values() for epoch, _ in points)
    lines = [
        Curve(
            name,
            " ".join(
                f"{WIDTH * (epoch - 1) / max(last - 1, 1):.1f},"
                f"{HEIGHT * (1 - (loss - low) / ((high - low) or 1)):.1f}"
                for epoch, loss in points
            ),
        )
        for name, points in series.items()
    ]
    return Chart(title, lines, low, high, last)


def candidates(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the candidates that a rule judged, with the place of each gain on a common scale.

    `zero`, `left` and `width` are percent of the scale from the smallest to the largest gain, 0 included.
    """
    tried = [trial for trial in row.get("grid") or [] if "gain" in trial]
    if not tried:
        return []
    gains = [0.0, *(trial["gain"] for trial in tried)]
    low, span = min(gains), (max(gains) - min(gains)) or 1.0
    kept = (row.get("kept") or {}).get("candidate")
    return [
        {
            **trial,
            "kept": trial["candidate"] == kept,
            "zero": 100 * -low / span,
            "left": 100 * (min(trial["gain"], 0.0) - low) / span,
            "width": 100 * abs(trial["gain"]) / span,
        }
        for trial in tried
    ]
