"""Two ways of doing one thing, timed by turns in one process, and the table and JSON that come of it."""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import torch
from rich.console import Console
from rich.table import Table


class Spread(NamedTuple):
    """Median, smallest and largest over rounds; all equal where there is one."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Return the spread of a figure over rounds."""
        return cls(statistics.median(values), min(values), max(values))

    def times(self, factor: float) -> Spread:
        """Return the same durations, scaled."""
        return Spread(*(factor * value for value in self))


@dataclass(frozen=True)
class Row:
    """One line of a benchmark.

    Attributes
    ----------
    name : str
        What is measured.
    value : Spread
        Over rounds.
    goal : str
        As a person reads it; empty where the figure is only shown.
    met : bool or None
        Whether the median meets the goal.
    details : dict
        What the value was made of: seconds by side, sizes, settings.
    """

    name: str
    value: Spread
    goal: str = ""
    met: bool | None = None
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Seconds:
    """Seconds of each side, one per round, by the wall and by the processors (children included)."""

    wall: dict[str, list[float]]
    cpu: dict[str, list[float]]

    def ratio(self, above: str, below: str, clock: str = "wall") -> Spread:
        """Return seconds(above) / seconds(below), round by round."""
        found = getattr(self, clock)
        return Spread.of([a / b for a, b in zip(found[above], found[below], strict=True)])

    def medians(self) -> dict[str, dict[str, float]]:
        """Return the median seconds of each side, by either clock."""
        return {
            side: {"wall": statistics.median(self.wall[side]), "cpu": statistics.median(self.cpu[side])}
            for side in self.wall
        }


def side_by_side(sides: Mapping[str, Callable[[], object]], rounds: int) -> Seconds:
    """Time every side once per round, in turning order, so that what slows the machine slows all alike."""
    names = list(sides)
    wall: dict[str, list[float]] = {name: [] for name in names}
    cpu: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(rounds):
        for name in names if turn % 2 == 0 else names[::-1]:
            start, start_cpu = time.perf_counter(), cpu_seconds()
            sides[name]()
            wall[name].append(time.perf_counter() - start)
            cpu[name].append(cpu_seconds() - start_cpu)
    return Seconds(wall, cpu)


def cpu_seconds() -> float:
    """Return processor seconds of this process and of its finished children."""
    return sum(os.times()[:4])


def report(title: str, rows: Sequence[Row], out: Path | None) -> None:
    """Print the table, and write it as JSON with what it was measured on."""
    table = Table("figure", "median", "spread", "goal", "met", title=title)
    for row in rows:
        met = "" if row.met is None else "yes" if row.met else "no"
        median, low, high = row.value
        table.add_row(row.name, f"{median:.3g}", f"{low:.3g} – {high:.3g}", row.goal, met)
    Console(width=140).print(table)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        data = {
            "title": title,
            "machine": machine(),
            "rows": [{**asdict(row), "value": row.value._asdict()} for row in rows],
        }
        out.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def machine() -> dict[str, Any]:
    """Return what the figures depend on beside the code."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "torch_threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "python": platform.python_version(),
    }


def _processor() -> str:
    listed = Path("/proc/cpuinfo")
    lines = listed.read_text(encoding="utf-8").splitlines() if listed.exists() else []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.processor())
