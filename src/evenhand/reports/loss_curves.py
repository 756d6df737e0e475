"""Losses by epoch as small line charts, and the gains of candidates on one scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

WIDTH, HEIGHT = 300, 120
ROLES = {"kept": "candidate", "runner-up": "runner_up", "baseline": "baseline"}
"""Roles of candidates, each with the key of `kept` that names the candidate."""
STAGES = {1: "ERM: loss by epoch", 3: "Calibration: loss by epoch"}


@dataclass(frozen=True)
class Polyline:
    """A named line of a chart, with its points as an SVG polyline takes them."""

    name: str
    points: str


@dataclass(frozen=True)
class LossChart:
    """A small line chart. `low` and `high` end its vertical axis, and `last` is its last epoch."""

    title: str
    lines: list[Polyline]
    low: float
    high: float
    last: int


def loss_charts(history: Sequence[Mapping[str, Any]]) -> list[LossChart]:
    """Return a chart of each stage's loss by epoch, with a line per fold."""
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


def _chart(title: str, series: Mapping[str, Sequence[tuple[int, float]]]) -> LossChart:
    values = [loss for points in series.values() for _, loss in points]
    low, high = min(values), max(values)
    last = max(epoch for points in series.values() for epoch, _ in points)
    lines = [
        Polyline(
            name,
            " ".join(
                f"{WIDTH * (epoch - 1) / max(last - 1, 1):.1f},"
                f"{HEIGHT * (1 - (loss - low) / ((high - low) or 1)):.1f}"
                for epoch, loss in points
            ),
        )
        for name, points in series.items()
    ]
    return LossChart(title, lines, low, high, last)


def candidate_gains(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the candidates that a rule compared, with their roles and each gain's place on a common scale.

    `zero`, `left` and `width` are in percent of the scale, which runs from the smallest to the largest gain
    and includes 0.
    """
    tried = [trial for trial in row.get("grid") or [] if "gain" in trial]
    if not tried:
        return []
    gains = [0.0, *(trial["gain"] for trial in tried)]
    low, span = min(gains), (max(gains) - min(gains)) or 1.0
    kept = row.get("kept") or {}
    return [
        {
            **trial,
            "roles": [said for said, name in ROLES.items() if kept.get(name) == trial["candidate"]],
            "zero": 100 * -low / span,
            "left": 100 * (min(trial["gain"], 0.0) - low) / span,
            "width": 100 * abs(trial["gain"]) / span,
        }
        for trial in tried
    ]
