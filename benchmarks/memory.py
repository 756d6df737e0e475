"""How much memory a fit takes as the store grows, and a prediction as the folder does.

    python benchmarks/memory.py --out out/bench/memory.json
    python benchmarks/memory.py --only fit --share 0.1

A fit that streams must not grow with the features, nor a prediction with the images; what a fit keeps for
each row is measured, too. Linux only.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from _timing import Row, Spread, report
from PIL import Image

import evenhand
from evenhand import Head, embed
from evenhand.backbones import load_backbone
from evenhand.data import Manifest
from evenhand.data.store_write import StoreWriter
from evenhand.datasets.scenes import write_scenes

MIB = 2**20
WIDTH = 768
ROWS = 1_400_000
"""2 GiB of float16 features of width 768."""
PART = 16_384
"""Rows per part, `embed --part-rows`."""
RETURNED = {"MALLOC_MMAP_THRESHOLD_": "131072"}
"""What makes glibc give freed blocks back. Left alone it raises this limit as blocks are freed and keeps more
and more of them, in steps of tens of MiB that tell nothing of what a program holds."""


def fit(share: float) -> list[Row]:
    """Anonymous memory of ERM and CFR, in memory and streamed, on a quarter of the rows and on all."""
    sizes = [max(4000, round(share * ROWS / 4)), max(16_000, round(share * ROWS))]
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        stores = [_store(Path(folder) / f"{n}.store", n) for n in sizes]
        for method in ("erm", "cfr"):
            for how in ("stream", "hold"):
                found = [_child("fit", store, method, how) for store in stores]
                added = [(one["fit"]["peak"] - one["fit"]["before"]) / MIB for one in found]
                per_row = (added[1] - added[0]) * MIB / (sizes[1] - sizes[0])
                features = 4 * WIDTH
                name = f"{method}, features {'read from the store' if how == 'stream' else 'in memory'}"
                details = {"rows": sizes, "width": WIDTH, "runs": found}
                met = per_row <= 0.1 * features if how == "stream" else None
                rows += [
                    Row(f"{name}: MiB added by the fit of {n:,} rows", _one(value), details=details)
                    for n, value in zip(sizes, added, strict=True)
                ]
                goal = f"≤ {0.1 * features:.0f}" if how == "stream" else ""
                rows.append(
                    Row(f"{name}: bytes a row more ({features} of features)", _one(per_row), goal, met)
                )
                rows.append(Row(f"{name}: seconds", _one(found[1]["fit"]["seconds"])))
        kept = [(one["read"]["peak"] - one["read"]["before"]) / MIB for one in found]
        each = (kept[1] - kept[0]) * MIB / (sizes[1] - sizes[0])
        rows.append(Row("reading the store: bytes a row of names, labels, splits", _one(each)))
    return rows


def predict(share: float) -> list[Row]:
    """Anonymous memory of `predict` on a thousand images and on ten thousand, by either allocator."""
    sizes = [max(400, round(share * 1000)), max(2000, round(share * 10_000))]
    with tempfile.TemporaryDirectory() as folder:
        run = _run(Path(folder))
        folders = [_images(Path(folder) / str(n), n) for n in sizes]
        kept = [_child("predict", run, one, **RETURNED) for one in folders]
        usual = [_child("predict", run, one) for one in folders]
    rows = []
    for how, found in (("memory returned at once", kept), ("allocator as usual", usual)):
        added = [(one["predict"]["peak"] - one["predict"]["before"]) / MIB for one in found]
        rows += [
            Row(f"predict, {how}: MiB added by {n:,} images", _one(value), details={"runs": found})
            for n, value in zip(sizes, added, strict=True)
        ]
        if how == "memory returned at once":
            held = [one["predict"]["held"] for one in found]
            per_image = (held[1] - held[0]) / (sizes[1] - sizes[0])
            rows.append(
                Row(
                    "predict: bytes an image more, held between batches",
                    _one(per_image),
                    "≤ 20",
                    per_image <= 20,
                )
            )
    return rows


def _store(path: Path, n: int) -> Path:
    """Write a store of n rows of width 768 with a shortcut in 95 % of them, one class after the other."""
    rng = np.random.default_rng(0)
    y = (np.arange(n) >= n // 2).astype(np.int64)
    place = np.where(rng.random(n) < 0.95, y, 1 - y)
    text = np.eye(WIDTH, dtype=np.float32)[:2]
    head = Head(np.eye(WIDTH, dtype=np.float32), None, ("land", "water"), text)
    with StoreWriter(path, identity={"family": "import"}, head=head, width=WIDTH, dtype="float16") as writer:
        for start in range(0, n, PART):
            rows = np.arange(start, min(n, start + PART))
            X = rng.standard_normal((len(rows), WIDTH), dtype=np.float32)
            X[:, 0] += 2.0 * (1 - y[rows])
            X[:, 1] += 2.0 * y[rows]
            X[:, 2] += 4.0 * place[rows]
            columns: dict[str, Any] = {
                "id": np.char.add("images/", rows.astype(str)),
                "path": np.full(len(rows), ""),
                "label": np.asarray(head.classes)[y[rows]],
                "split": np.where(rows % 10 == 0, "test", "train"),
                "place": place[rows].astype(str),
            }
            writer.write_part(X, columns)
        writer.finish()
    return path


def _run(folder: Path) -> Path:
    """Return a run on the embedded model, which `predict` can load."""
    write_scenes(folder / "scenes", seed=0, train=160, test=40)
    table = embed(Manifest.read(folder / "scenes"), load_backbone("tiny"), folder / "scenes.store", workers=0)
    evenhand.fit(table, method="erm", out=folder / "scenes.run")
    return folder / "scenes.run"


def _images(folder: Path, n: int) -> Path:
    """Write n small images into ten folders."""
    pixels = np.random.default_rng(0).integers(0, 256, (n, 3), dtype=np.uint8)
    for k in range(n):
        place = folder / f"camera-{k % 10}"
        place.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (32, 32), tuple(pixels[k].tolist())).save(place / f"photograph-{k:07d}.png")
    return folder


def _child(*arguments: object, **environment: str) -> dict[str, Any]:
    command = [sys.executable, str(Path(__file__).with_name("_memory.py")), *map(str, arguments)]
    done = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, text=True, env={**os.environ, **environment}
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _one(value: float) -> Spread:
    return Spread.of([value])


PARTS = {part.__name__: part for part in (fit, predict)}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    report("Memory", [row for name in given.only for row in PARTS[name](given.share)], given.out)


if __name__ == "__main__":
    main()
