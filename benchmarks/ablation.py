"""What each part of CFR is worth: one axis at a time away from the default, several seeds, intervals.

    python benchmarks/ablation.py --data DIR --out out/bench/ablation.json

Axes: calibration-set rule, positives, negatives, draws, terms, balance, temperature, schedule, dropout,
learning rate, grid, ERM, folds. For each, over sets and seeds: test worst group of ERM, the best candidate,
the last epoch, and what the default evidence keeps; and the paired difference of that to the default's,
with a 95 % t-interval over seeds.
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
from _ablation_parts import (
    LowMargin,
    NegativesPerAnchor,
    OwnClass,
    PositivesPerAnchor,
    RunningCentroid,
    Uniform,
)
from _sets import SCENES, composite, scenes
from _tables import over_seeds, show
from _timing import machine
from _trajectories import Way, follow_or_read

from evenhand.data import FeatureTable
from evenhand.methods import (
    GRID,
    NEAREST,
    PUBLISHED_SIMILARITY,
    SGD,
    STABLE,
    AnchorCrossEntropy,
    BatchCrossEntropy,
    Calibration,
    Centroid,
    CrossFittedErm,
    ErmReference,
    NearestNegatives,
    Similarity,
    TargetedContrast,
    ZeroShotReference,
)
from evenhand.methods._training.folds import stratified_folds, with_validation
from evenhand.methods._training.problem import Problem
from evenhand.methods.cfr.candidates import Candidates, History, cross_fitted, validated
from evenhand.methods.cfr.trajectory import CandidatePlan, follow
from evenhand.selection import Evidence, Rule


def first_fold(problem: Problem, plan: CandidatePlan, rule: Rule, folds: int, history: History) -> Candidates:
    """Cross-fit, but keep the states of the first fold in place of the folds' averages."""
    found = cross_fitted(problem, plan, rule, folds, history)
    first = stratified_folds(problem.y, folds, problem.seed)[0].of(problem)
    return replace(found, states=follow(first, plan, []).states)


def held_out(problem: Problem, plan: CandidatePlan, rule: Rule, _folds: int, history: History) -> Candidates:
    """Train once on four fifths of the rows, and score on the others."""
    return validated(with_validation(problem), plan, rule, history)


FIRST_FOLD = "three, states of the first"
HELD_OUT = "none, a fifth held out"
BATCH = BatchCrossEntropy(balanced=True)
CALIBRATION = Calibration(2.0, temperature=0.1)
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
    "negatives": {
        "nearest": {"recipes": replace(STABLE, negatives=NearestNegatives())},
        "from the anchor's own class": {"recipes": replace(STABLE, negatives=OwnClass())},
    },
    "draws": {
        "for each anchor": {
            "recipes": replace(STABLE, positives=PositivesPerAnchor(), negatives=NegativesPerAnchor())
        }
    },
    "terms": {
        "no calibration": {"recipes": replace(STABLE, terms=(BATCH,))},
        "anchors' cross-entropy": {"recipes": replace(STABLE, terms=(CALIBRATION, AnchorCrossEntropy()))},
        "with similarity": {"recipes": replace(STABLE, terms=(CALIBRATION, BATCH, Similarity()))},
        "with targeted": {"recipes": replace(STABLE, terms=(CALIBRATION, BATCH, TargetedContrast()))},
        "paper's, from the probe": {"recipes": PUBLISHED_SIMILARITY},
    },
    "balance": {
        "none": {"recipes": replace(STABLE, terms=(CALIBRATION, BatchCrossEntropy()), balanced=False)},
    },
    "temperature": {
        f"{value}": {"recipes": replace(STABLE, terms=(Calibration(2.0, temperature=value), BATCH))}
        for value in (0.03, 0.3, 1.0)
    },
    "grid": {"three learning rates": {"recipes": GRID}},
    "together": {
        "nearest, 0.03": {"recipes": replace(STABLE, terms=COLDER, negatives=NearestNegatives())},
        "centroid, nearest": {"recipes": NEAREST},
        "centroid, nearest, 0.03": {"recipes": replace(NEAREST, terms=COLDER)},
    },
    "schedule": {"a(e)": {"recipes": replace(STABLE, schedule=0.5)}},
    "dropout": {"0.1": {"recipes": replace(STABLE, dropout=0.1)}},
    "learning rate": {"1e-4, 100 epochs": {"recipes": replace(STABLE, sgd=PUBLISHED_SIMILARITY.sgd)}},
    "ERM": {"1e-4, 100 epochs": {"erm": PUBLISHED_SIMILARITY.sgd}},
    "warm start": {"from W0": {"erm": SGD(learning_rate=1e-9, epochs=1)}},
    "folds": {FIRST_FOLD: {}, HELD_OUT: {}},
}
"""Parameters of CFR by axis and variant."""
WAYS: dict[str, Way] = {FIRST_FOLD: first_fold, HELD_OUT: held_out}
"""Variants whose candidates are not cross-fitted and averaged."""


def main() -> None:
    """Run what is missing, print the table and write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder of real data; scenes alone without it")
    parser.add_argument("--cache", type=Path, default=Path("out/bench/sets"))
    parser.add_argument("--out", type=Path, default=Path("out/bench/ablation.json"))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--markdown", action="store_true", help="print the table as the documentation has it")
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
    show("ablation", rows, markdown=given.markdown)
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
    way = WAYS.get(variant, cross_fitted)
    run = follow_or_read(table, seed, "background", VARIANTS[axis][variant], path, way)
    worst = run.worst_groups()[1:]
    choice = Evidence().choose(run.names, run.predictions, run.held_out, seed)
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
    gaps = [
        float(np.mean([r["kept"] - base[r["set"], seed] for r in mine if r["seed"] == seed]))
        for seed in seeds
    ]
    names = {"erm": "ERM", "best": "best candidate", "last": "last", "kept": "kept"}
    return {
        "axis": axis,
        "variant": variant,
        **{shown: float(np.mean([r[name] for r in mine])) for name, shown in names.items()},
        "kept − default's": over_seeds(gaps),
        "runs": len(mine),
    }


if __name__ == "__main__":
    main()
