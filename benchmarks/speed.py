"""How fast CFR is, each time against something that anyone can run: ratios, side by side in one process.

    python benchmarks/speed.py --out out/bench/speed.json
    python benchmarks/speed.py --only products nearest --rounds 5

Sizes come down by `--share`, for a first look; the JSON says what was measured.
"""

from __future__ import annotations

import argparse
import itertools
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from _features import draw
from _fits import cfr, fit_afr
from _matmuls import operations, record, replay
from _models import decoded, random_backbone, scenes
from _paper_loop import PaperLoop
from _timing import Row, Spread, report, side_by_side
from sklearn.linear_model import LogisticRegression

from evenhand import embed
from evenhand.functional import nearest_of_other_classes
from evenhand.functional.nearest import KEYS, QUERIES
from evenhand.methods import DFR
from evenhand.methods._training.train_erm import ERM_SGD

EPOCHS = 100
WATERBIRDS = (4795, 1024, 768)
"""Training rows, D_in, D_out."""
PARTS = 10
"""A fit is timed in this many parts where it is set against what it is made of."""
STEPS = 2
"""Of the paper's loop, per round."""
GIB = 2**30


def end_to_end(rounds: int, share: float) -> list[Row]:
    """CFR from image files to a fitted model, against the paper's loop over the same images."""
    images = max(160, round(share * 1280))
    backbone = random_backbone("ViT-B-32")
    with tempfile.TemporaryDirectory() as folder:
        manifest = scenes(Path(folder) / "photos", images)
        loop = PaperLoop(backbone, torch.cat(decoded(manifest, backbone, 64)), torch.from_numpy(manifest.y))
        numbers = itertools.count()

        def ours() -> None:
            table = embed(manifest, backbone, Path(folder) / f"{next(numbers)}.store")
            rows = np.arange(len(table.y))
            train = table.features(rows), table.labels(rows)
            cfr(table.head, EPOCHS).fit(*train, validation=train)

        def theirs() -> None:
            for _ in range(STEPS):
                loop.step()

        sides = {"ours": ours, "loop": theirs}
        seconds = side_by_side(sides, rounds)
    per_epoch = -(-images // 128)
    details = {
        "images": images,
        "steps_measured": STEPS,
        "steps_per_epoch": per_epoch,
        "seconds": seconds.medians(),
    }
    one = seconds.ratio("loop", "ours").times(per_epoch / STEPS)
    many = one.times(EPOCHS)
    many_cpu = seconds.ratio("loop", "ours", "cpu").times(EPOCHS * per_epoch / STEPS)
    name = "paper's loop / CFR end to end"
    return [
        Row(f"{name}, 1 epoch of the loop", one, details=details),
        Row(f"{name}, {EPOCHS} epochs", many, "≥ 100", many.median >= 100, details),
        Row(f"{name}, {EPOCHS} epochs, processor time", many_cpu, "≥ 100", many_cpu.median >= 100, details),
    ]


def products(rounds: int, share: float) -> list[Row]:
    """The fit against its bare matrix products, in short pairs: a tenth of the epochs, ten times as often."""
    n, d_in, d_out = WATERBIRDS
    train, validation = draw(n, d_in, d_out), draw(n // 4, d_in, d_out, seed=1)
    epochs, pairs = max(2, round(share * EPOCHS / PARTS)), PARTS * rounds

    def fit() -> None:
        method = cfr(train.head, epochs).set_params(erm=replace(ERM_SGD, epochs=ERM_SGD.epochs // PARTS))
        method.fit(train.X, train.y, validation=(validation.X, validation.y))

    recorded = record(fit)
    seconds = side_by_side({"fit": fit, "products": replay(recorded)}, pairs)
    details = {
        "rows": n,
        "d_in": d_in,
        "d_out": d_out,
        "epochs": epochs,
        "pairs": pairs,
        "operations": operations(recorded),
        "products": len(recorded.calls),
        "seconds": seconds.medians(),
    }
    wall, cpu = seconds.ratio("fit", "products"), seconds.ratio("fit", "products", "cpu")
    name = f"CFR fit / its bare matrix products, {pairs} pairs of {epochs} epochs"
    return [
        Row(name, wall, "≤ 1.5", wall.median <= 1.5, details),
        Row(f"{name}, processor time", cpu, "≤ 1.5", cpu.median <= 1.5, details),
    ]


def scaling(rounds: int, share: float) -> list[Row]:
    """Fit time and memory against N, each fit in a process of its own."""
    sizes = [round(share * n) for n in (10_000, 31_623, 100_000, 316_228, 1_000_000)]
    epochs, d_in = 1, 256
    child = [sys.executable, str(Path(__file__).with_name("_scaling.py"))]
    runs = []
    for n in sizes * rounds:
        command = [*child, str(n), str(d_in), str(epochs)]
        runs.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
    turns = [runs[start : start + len(sizes)] for start in range(0, len(runs), len(sizes))]
    details = {"d_in": d_in, "epochs": epochs, "runs": runs}
    rows = []
    for label, clock in (("", "wall"), (", processor time", "cpu")):
        # What a fit costs at any N flattens the whole range; the last decade shows what grows.
        for span, first in ((f"{sizes[0]:,}", 0), (f"{sizes[2]:,}", 2)):
            slope = Spread.of([_exponent(turn[first:], clock) for turn in turns])
            name = f"exponent of fit time, N from {span} to {sizes[-1]:,}{label}"
            rows.append(Row(name, slope, "≤ 1.05", slope.median <= 1.05, details))
    last = [turn[-1] for turn in turns]
    beyond = Spread.of([(run["peak_bytes"] - run["features_bytes"]) / GIB for run in last])
    added = Spread.of([(run["peak_bytes"] - run["peak_before_bytes"]) / GIB for run in last])
    return [
        *rows,
        Row(f"peak memory beyond the features, N = {sizes[-1]:,}, GiB", beyond, "≤ 1", beyond.median <= 1),
        Row("of it added by the fit, GiB", added),
    ]


def nearest(rounds: int, share: float) -> list[Row]:
    """Exact nearest negatives against the product that holds their cosines."""
    n, d, k = round(share * 100_000), 1024, 16
    asked = min(n, 2 * QUERIES)
    generator = torch.Generator().manual_seed(0)
    h = torch.randn(n, d, generator=generator)
    y = torch.randint(0, 2, (n,), generator=generator)
    queries = torch.randperm(n, generator=generator)[:asked]
    q = h[queries]
    out = torch.empty(QUERIES, KEYS)

    @torch.inference_mode()
    def bare() -> None:
        for left in torch.split(q, QUERIES):
            for right in torch.split(h, KEYS):
                torch.mm(left, right.T, out=out[: len(left), : len(right)])

    sides = {"nearest": lambda: nearest_of_other_classes(h, y, queries, k), "product": bare}
    seconds = side_by_side(sides, rounds)
    details = {"rows": n, "d_in": d, "k": k, "queries_measured": asked, "seconds": seconds.medians()}
    wall, cpu = seconds.ratio("product", "nearest"), seconds.ratio("product", "nearest", "cpu")
    name = f"exact nearest negatives, share of the GEMM rate at N = {n:,}"
    return [
        Row(name, wall, "≥ 0.7", wall.median >= 0.7, details),
        Row(f"{name}, processor time", cpu, "≥ 0.7", cpu.median >= 0.7, details),
    ]


def rivals(rounds: int, share: float) -> list[Row]:
    """CFR against one logistic regression, AFR's recipe and DFR, on the same features."""
    n, d_in, d_out = WATERBIRDS
    train, validation = draw(n, d_in, d_out), draw(n // 4, d_in, d_out, seed=1)
    held: Any = (validation.X, validation.y)
    held_with_groups: Any = (*held, validation.groups)
    epochs = max(2, round(share * EPOCHS))
    sides: dict[str, Callable[[], object]] = {
        "cfr": lambda: cfr(train.head, epochs).fit(train.X, train.y, validation=held),
        "logistic regression, one fit": lambda: LogisticRegression(max_iter=1000).fit(train.X, train.y),
        "AFR, 5 values of γ": lambda: fit_afr(train.X, train.y),
        "DFR, 7 values of C, 20 refits": lambda: DFR(head=train.head, random_state=0).fit(
            train.X, train.y, groups=train.groups, validation=held_with_groups
        ),
    }
    # A first fit pays for what torch imports at its first step.
    cfr(train.head, 1).fit(train.X, train.y, validation=held)
    seconds = side_by_side(sides, rounds)
    details = {"rows": n, "d_in": d_in, "d_out": d_out, "epochs": epochs, "seconds": seconds.medians()}
    return [
        Row(f"CFR fit, {epochs} epochs / {name}", seconds.ratio("cfr", name, "cpu"), details=details)
        for name in sides
        if name != "cfr"
    ]


def _exponent(runs: list[dict[str, float]], clock: str) -> float:
    """Return the slope of log seconds in log rows."""
    return float(np.polyfit(np.log([r["rows"] for r in runs]), np.log([r[clock] for r in runs]), 1)[0])


MEASURES = {part.__name__: part for part in (products, rivals, scaling, nearest, end_to_end)}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=MEASURES, default=list(MEASURES))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    rows = [row for name in given.only for row in MEASURES[name](given.rounds, given.share)]
    report("Speed", rows, given.out)


if __name__ == "__main__":
    main()
