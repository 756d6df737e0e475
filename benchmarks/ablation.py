"""What each part of CFR is worth: one axis at a time away from the default, several seeds, intervals.

    python benchmarks/ablation.py --data DIR --out out/bench/ablation.json

Axes: calibration-set rule, positives, negatives, terms, balance, temperature, grid, warm start. For each,
over sets and seeds: test worst group of the best candidate on the way, of the last epoch, and of what the
default evidence keeps; and the paired difference of that to the default's, with a 95 % t-interval over seeds.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
from _sets import SCENES, composite, scenes
from _timing import machine
from _trajectories import follow_or_read
from rich.console import Console
from rich.table import Table
from scipy.stats import t

from evenhand.calibration.negatives import NearestNegatives
from evenhand.calibration.positives import Centroid, RunningCentroid
from evenhand.calibration.rules import LowMargin, Uniform
from evenhand.calibration.terms import (
    AnchorCrossEntropy,
    BatchCrossEntropy,
    Calibration,
    Similarity,
    TargetedContrast,
)
from evenhand.data.table import FeatureTable
from evenhand.methods._calibrate import GRID, NEAREST, PAPER, STABLE
from evenhand.methods._loop import SGD
from evenhand.methods._references import CrossFittedErm, ErmReference, ZeroShotReference
from evenhand.selection.evidence import Evidence

BATCH = BatchCrossEntropy(balanced=True)
PULL = Calibration(2.0, temperature=0.1)
COLDER = (Calibration(2.0, temperature=0.03), BATCH)
DEFAULT = "default"
VARIANTS: dict[str, dict[str, dict[str, Any]]] = {
    "": {DEFAULT: {}},
    "calibration set": {
        "ERM's errors": {"reference": ErmReference()},
        "cross-fitted ERM's errors": {"reference": CrossFittedErm(3)},
        "zero-shot's errors": {"reference": ZeroShotReference()},
        "ERM's lowest margins": {"reference": ErmReference(), "calibration_set": LowMargin()},
        "uniform": {"calibration_set": Uniform()},
    },
    "positives": {
        "centroid": {"recipes": replace(STABLE, positives=Centroid())},
        "running centroid": {"recipes": replace(STABLE, positives=RunningCentroid())},
    },
    "negatives": {"nearest": {"recipes": replace(STABLE, negatives=NearestNegatives())}},
    "terms": {
        "no calibration": {"recipes": replace(STABLE, terms=(BATCH,))},
        "anchors' cross-entropy": {"recipes": replace(STABLE, terms=(PULL, AnchorCrossEntropy()))},
        "with similarity": {"recipes": replace(STABLE, terms=(PULL, BATCH, Similarity()))},
        "with targeted": {"recipes": replace(STABLE, terms=(PULL, BATCH, TargetedContrast()))},
        "paper's, from the probe": {"recipes": PAPER},
    },
    "balance": {
        "none": {"recipes": replace(STABLE, terms=(PULL, BatchCrossEntropy()), balanced=False)},
    },
    "temperature": {
        f"{value}": {"recipes": replace(STABLE, terms=(Calibration(2.0, temperature=value), BATCH))}
        for value in (0.03, 0.3, 1.0)
    },
    "grid": {"three steps": {"recipes": GRID}},
    "together": {
        "nearest, 0.03": {"recipes": replace(STABLE, terms=COLDER, negatives=NearestNegatives())},
        "centroid, nearest": {"recipes": NEAREST},
        "centroid, nearest, 0.03": {"recipes": replace(NEAREST, terms=COLDER)},
    },
    "warm start": {"from W0": {"erm": SGD(learning_rate=1e-9, epochs=1)}},
}


def main() -> None:
    """Run what is missing, print the table and write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder of real data; scenes alone without it")
    parser.add_argument("--cache", type=Path, default=Path("out/bench/sets"))
    parser.add_argument("--out", type=Path, default=Path("out/bench/ablation.json"))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    names = [name for name, _ in _sets(given)]
    jobs = [
        (given, name, seed, axis, variant)
        for axis, variants in VARIANTS.items()
        for variant in variants
        for name in names
        for seed in range(given.seeds)
    ]
    with ProcessPoolExecutor(given.workers, mp_context=get_context("spawn")) as pool:
        records = list(pool.map(_record, jobs))
    rows = [_row(records, axis, variant) for axis, variants in VARIANTS.items() for variant in variants]
    _print(rows)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"machine": machine(), "rows": rows, "records": records}, indent=1, ensure_ascii=False)
    given.out.write_text(text + "\n", encoding="utf-8")


def _sets(given: argparse.Namespace) -> Iterator[tuple[str, FeatureTable]]:
    """Yield the sets: 95 % correlated scenes, and two recipes of composed photographs where they are."""
    recipe = next(scene for scene in SCENES if scene.name == "scenes-95")
    yield recipe.name, scenes(recipe, 0, given.cache)
    if given.data is not None:
        for name in ("two", "five"):
            yield name, composite(given.data / "composites" / f"{name}-0", given.cache)


def _record(job: tuple[argparse.Namespace, str, int, str, str]) -> dict[str, Any]:
    given, name, seed, axis, variant = job
    torch.set_num_threads(1)
    table = dict(_sets(given))[name]
    path = given.cache / "ablation" / f"{name}-{seed}-{axis}-{variant}.npz".replace(" ", "_")
    run = follow_or_read(table, seed, "background", VARIANTS[axis][variant], path)
    worst = run.worst_groups()[1:]
    choice = Evidence().choose(run.names, run.predictions, run.judged, seed)
    return {
        "axis": axis,
        "variant": variant,
        "set": name,
        "seed": seed,
        "erm": float(worst[0]),
        "best": float(worst.max()),
        "last": float(worst[len(run.names) - 3]),
        "kept": float(worst[0 if choice.index is None else choice.index + 1]),
        "seconds": run.seconds,
    }


def _row(records: list[dict[str, Any]], axis: str, variant: str) -> dict[str, Any]:
    """Return means over sets and seeds, and the difference to the default over seeds."""
    mine = [r for r in records if (r["axis"], r["variant"]) == (axis, variant)]
    base = {(r["set"], r["seed"]): r["kept"] for r in records if r["variant"] == DEFAULT}
    seeds = sorted({r["seed"] for r in mine})
    gaps = [np.mean([r["kept"] - base[r["set"], seed] for r in mine if r["seed"] == seed]) for seed in seeds]
    spread = (
        t.ppf(0.975, len(gaps) - 1) * np.std(gaps, ddof=1) / np.sqrt(len(gaps)) if len(gaps) > 1 else np.nan
    )
    means = {
        key: float(np.mean([r[key] for r in mine])) for key in ("erm", "best", "last", "kept", "seconds")
    }
    middle = float(np.mean(gaps))
    ends = {"low": middle - float(spread), "high": middle + float(spread)}
    return {
        "axis": axis,
        "variant": variant,
        **means,
        "difference": {"value": middle, **ends},
        "runs": len(mine),
    }


def _print(rows: list[dict[str, Any]]) -> None:
    table = Table(
        "axis", "variant", "best on the way", "last", "kept", "kept - default's", "runs", title="ablation"
    )
    for row in rows:
        gap = row["difference"]
        shown = f"{gap['value']:+.3f} [{gap['low']:+.3f}, {gap['high']:+.3f}]"
        figures = (f"{row[key]:.3f}" for key in ("best", "last", "kept"))
        table.add_row(row["axis"], row["variant"], *figures, shown, str(row["runs"]))
    Console(width=130).print(table)


if __name__ == "__main__":
    main()
