"""The demo: `fit` compared with zero-shot, ERM and CFR, on synthetic scenes with the small packaged model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from evenhand._outputs import RESULTS
from evenhand._progress import Progress, silent
from evenhand._typing import PathLike
from evenhand.backbones.tiny import load_tiny
from evenhand.data.manifest import Manifest
from evenhand.data.table import FeatureTable
from evenhand.datasets.scenes import write_scenes
from evenhand.evaluation.results import ResultRow, Results
from evenhand.extract.embed_images import embed
from evenhand.runs.fit import fit, fit_row

TRAINING = 2000
"""Number of training scenes; the shortcut misleads on a hundred of them, enough for evidence."""


def run_demo(out: PathLike, *, seeds: Sequence[int] = (0, 1, 2), progress: Progress = silent) -> Results:
    """Draw scenes for each seed, embed them, fit zero-shot, ERM, CFR and `auto`; write `out/results.json`.

    The scenes, the store and the `auto` run of each seed stay in `out/seed-S`. The same call resumes there.

    Parameters
    ----------
    out : str or Path
        Folder to write.
    seeds : sequence of int, default=(0, 1, 2)
        Seeds of the scenes and of the fits.
    progress : Progress, optional
        Receives the progress of embedding.
    """
    out = Path(out)
    backbone = load_tiny()
    rows: list[ResultRow] = []
    for seed in seeds:
        folder = run_folder(out, seed).parent
        photos = folder / "photos"
        # This file is written last; without it an earlier call was interrupted.
        if not (photos / "test" / "metadata.csv").exists():
            write_scenes(photos, seed=seed, train=TRAINING)
        table = embed(Manifest.read(photos, seed=seed), backbone, folder / "scenes.store", progress=progress)
        rows += _fit_all(table, seed, run_folder(out, seed))
    results = Results.of(rows, seeds=list(seeds))
    results.write(out / RESULTS)
    return results


def run_folder(out: Path, seed: int) -> Path:
    """Return the folder of a seed's run of `auto` in the folder of the demo."""
    return out / f"seed-{seed}" / "auto.run"


def _fit_all(table: FeatureTable, seed: int, run: Path) -> list[ResultRow]:
    erm = fit_row(table, "erm", seed)
    before = [fit_row(table, name, seed, erm=erm.estimator.model_).row for name in ("zero_shot", "cfr")]
    return [before[0], erm.row, before[1], *fit(table, method="auto", out=run, seed=seed).rows]
