"""The main job on drawn scenes with the embedded model: extract, audit, ERM, CFR."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from evenhand._progress import Progress, silent
from evenhand._typing import PathLike
from evenhand.backbones.tiny import load_tiny
from evenhand.data.manifest import Manifest
from evenhand.data.table import FeatureTable
from evenhand.datasets.scenes import write_scenes
from evenhand.evaluation.results import ResultRow, Results, provenance, summarise
from evenhand.extract.local import embed
from evenhand.runs.fit import fit, fit_row

TRAINING = 2000
"""Scenes to train on: a hundred of them mislead, enough for evidence."""


def run_demo(out: PathLike, *, seeds: Sequence[int] = (0, 1, 2), progress: Progress = silent) -> Results:
    """Draw scenes anew for each seed, embed them once, fit every method, write `out/results.json`.

    The scenes, the store and the CFR run of each seed stay in `out/seed-S`, to look at and to go on from.
    """
    out = Path(out)
    backbone = load_tiny()
    rows: list[ResultRow] = []
    for seed in seeds:
        folder = run_folder(out, seed).parent
        photos = folder / "photos"
        # Written last: without it an earlier run was interrupted.
        if not (photos / "test" / "metadata.csv").exists():
            write_scenes(photos, seed=seed, train=TRAINING)
        table = embed(Manifest.read(photos, seed=seed), backbone, folder / "scenes.store", progress=progress)
        rows += _fit_all(table, seed, run_folder(out, seed))
    results = Results(schema=1, provenance=provenance(seeds=list(seeds)), rows=rows, summary=summarise(rows))
    results.write(out / "results.json")
    return results


def run_folder(out: Path, seed: int) -> Path:
    """Return where a seed's CFR run lies in the demo's folder."""
    return out / f"seed-{seed}" / "cfr.run"


def _fit_all(table: FeatureTable, seed: int, run: Path) -> list[ResultRow]:
    erm, fitted, _ = fit_row(table, "erm", seed)
    zero_shot, _, _ = fit_row(table, "zero_shot", seed, erm=fitted.model_)
    return [zero_shot, erm, *fit(table, method="cfr", out=run, seed=seed).rows]
