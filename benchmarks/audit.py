"""What the audit finds, where groups and wrong labels are known: slices, words, probes, costs, suspects.

    python benchmarks/audit.py --data DIR --out out/bench/audit.json

Each set is fitted with CFR and audited against that run, all at their defaults and seed 0. Known groups and
flipped labels are used for the figures alone. Beside the sets: how often errors at random make a slice, and
what an audit of many rows or many classes takes. The runs are kept in the cache; remove them to fit anew.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import torch
from _sets import SCENES, SEEDS, composite, pacs, photos, scenes
from _timing import cpu_seconds, machine
from rich.console import Console
from rich.table import Table

from evenhand import Head, fit
from evenhand.audits import Audit, audit
from evenhand.audits.slices import SlicedRows, assess_slices, halves, slice_rows
from evenhand.data import FeatureTable

CIFAR = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
"""The words that the CLIP of the photographs was trained on."""
CHANCE_SEEDS, CHANCE_ROWS, CHANCE_ERRORS = 200, 300, 0.2


@dataclass(frozen=True)
class Case:
    """A set to audit; `clean` is the same with its right labels, where some were flipped on purpose."""

    name: str
    table: FeatureTable
    attribute: str
    words: Sequence[str] = ()
    clean: FeatureTable | None = None


def main() -> None:
    """Audit every set, print the tables and write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder of real data; scenes alone without it")
    parser.add_argument("--cache", type=Path, default=Path("out/bench/sets"))
    parser.add_argument("--out", type=Path, default=Path("out/bench/audit.json"))
    given = parser.parse_args()
    torch.set_num_threads(1)
    found = {
        "sets": [measured(case, given.cache / "audit") for case in cases(given.cache, given.data)],
        "chance": chance(),
        "scale": [
            scale("a million rows", 1_000_000, 2, 128, np.float16),
            scale("a thousand classes", 100_000, 1000, 128, np.float32),
        ],
    }
    show(found)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"machine": machine(), **found}, indent=1, ensure_ascii=False)
    given.out.write_text(text + "\n", encoding="utf-8")


def cases(cache: Path, data: Path | None) -> Iterator[Case]:
    """Yield the sets: drawn scenes, and composed photographs, photographs and PACS where they are."""
    recipes = {recipe.name: recipe for recipe in SCENES}
    for seed in SEEDS:
        clean = scenes(recipes["scenes-95"], seed, cache)
        noisy = scenes(recipes["scenes-95-noisy"], seed, cache)
        yield Case(f"scenes-95-{seed}", clean, "background", clean=clean)
        yield Case(f"scenes-95-noisy-{seed}", noisy, "background", clean=clean)
    if data is None:
        return
    yield Case("photographs", photos(data, cache), "background", CIFAR)
    for name in ("two", "five", "flat", "noisy"):
        yield Case(f"{name}-0", composite(data / "composites" / f"{name}-0", cache), "background")
    yield Case("pacs", pacs(data, cache), "domain")


def measured(case: Case, cache: Path) -> dict[str, Any]:
    """Return the figures of one set, of ERM's errors and of what CFR changes."""
    run = cache / f"{case.name}.run"
    if not (run / "card.json").exists():
        fit(case.table, method="cfr", out=run, group_by=case.attribute)
    vocabulary = None
    if case.words:
        vocabulary = cache / f"{case.name}.txt"
        vocabulary.write_text("\n".join(case.words), encoding="utf-8")
    found = audit(case.table, group_by=case.attribute, run=run, vocabulary=vocabulary)
    slices = [one for one in found.slices if one.model == "erm"]
    return {
        "set": case.name,
        "rows": found.sampled,
        "matches": {
            match.method: {"p10": match.mean_precision, "ami": match.adjusted_mutual_information}
            for match in found.matches
            if match.model == "erm"
        },
        "tested": len(slices),
        "beyond_chance": sum(one.beyond_chance for one in slices),
        "words": words(found),
        "flips": flips(found, case.attribute),
        "costs": {one.name: (one.before, one.after) for one in found.costs if one.reason is None},
        "suspects": suspects(found, case, run),
    }


def words(audit: Audit) -> dict[str, list[str]]:
    """Return the words of each class's surest slice of ERM's errors that has some."""
    found: dict[str, list[str]] = {}
    for one in audit.slices:
        sure = [word.word for word in one.words if word.beyond_chance]
        if one.model == "erm" and sure:
            found.setdefault(one.label, sure[:3])
    return found


def flips(audit: Audit, attribute: str) -> dict[str, float | None]:
    """Return by model the share of predictions that exchanging a value moves, the most of all values."""
    known = [one for one in audit.probes if one.known and one.attribute == attribute]
    return {
        model: max(
            (
                side.flipped.value
                for one in known
                for side in one.sides
                if side.model == model and side.flipped.value is not None
            ),
            default=None,
        )
        for model in audit.models
    }


def suspects(audit: Audit, case: Case, run: Path) -> dict[str, int | None]:
    """Return the calibration rows and the suspects, and how many of either are known to be mislabeled."""
    ids = pq.read_table(run / "calibration_set.parquet")["id"].to_pylist()
    numbers = {name: row for row, name in enumerate(case.table.ids.tolist())}
    wrong = None if case.clean is None else case.table.y != case.clean.y
    found = [one.row for one in audit.suspects]
    return {
        "calibration": len(ids),
        "calibration_wrong": None if wrong is None else int(wrong[[numbers[name] for name in ids]].sum()),
        "suspect": len(found),
        "suspect_wrong": None if wrong is None else int(wrong[found].sum()),
        "first_50_wrong": None if wrong is None else int(wrong[found[:50]].sum()),
    }


def chance() -> dict[str, float]:
    """Return in what share of audits of errors at random some slice passes, by the half that tests it."""
    passed = {"the other half": 0, "the half that found it": 0}
    for seed in range(CHANCE_SEEDS):
        generator = np.random.default_rng(seed)
        y = np.arange(CHANCE_ROWS) % 2
        z = generator.normal(size=(CHANCE_ROWS, 6)).astype(np.float32)
        z[:, 0] += 2 * y - 1
        rows = SlicedRows(z, y, ("a", "b"), np.arange(CHANCE_ROWS), halves(y, seed))
        predicted = np.where(generator.random(CHANCE_ROWS) < CHANCE_ERRORS, 1 - y, y)
        sliced = slice_rows(rows, predicted)
        for how, finds in zip(passed, (rows.finds, ~rows.finds), strict=True):
            found = assess_slices(replace(rows, finds=finds), sliced, {"model": predicted}, "model")
            passed[how] += any(one.beyond_chance for one, _ in found)
    return {how: count / CHANCE_SEEDS for how, count in passed.items()}


def scale(name: str, n: int, classes: int, width: int, dtype: Any) -> dict[str, Any]:
    """Return the processor seconds of one audit."""
    generator = np.random.default_rng(0)
    y = np.arange(n) % classes
    X = generator.normal(size=(n, width)).astype(dtype)
    X += generator.normal(size=(classes, width)).astype(dtype)[y]
    table = FeatureTable(
        parts=[X],
        y=y,
        split=np.where(np.arange(n) % (2 * classes) < classes, "train", "test"),
        ids=np.arange(n).astype(str),
        paths=np.full(n, ""),
        attributes={},
        head=Head(np.eye(width, dtype=np.float32), None, tuple(f"c{k:04d}" for k in range(classes))),
        card={"family": "import"},
    )
    start = cpu_seconds()
    audit(table)
    return {"name": name, "rows": n, "cpu_seconds": cpu_seconds() - start}


def show(found: dict[str, Any]) -> None:
    """Print the tables."""
    console = Console(width=170)
    table = Table(
        "set", "rows", "P@10", "AMI", "tested", "sure", "words", "flips", "suspects", title="audit of ERM"
    )
    for row in found["sets"]:
        pairs = [" / ".join(f"{one[key]:.2f}" for one in row["matches"].values()) for key in ("p10", "ami")]
        said = "; ".join(f"{label}: {', '.join(own)}" for label, own in row["words"].items())
        moved = " to ".join("–" if value is None else f"{value:.2f}" for value in row["flips"].values())
        counts = " ".join(f"{key} {value}" for key, value in row["suspects"].items() if value is not None)
        cells = (str(row["tested"]), str(row["beyond_chance"]), said, moved, counts)
        table.add_row(row["set"], str(row["rows"]), *pairs, *cells)
    console.print(table)
    for row in found["sets"]:
        for name, (before, after) in row["costs"].items():
            console.print(f"{row['set']}: {name} {before:.3f} to {after:.3f}")
    for how, share in found["chance"].items():
        console.print(f"errors at random, tested on {how}: {share:.3f} of audits name a slice")
    for row in found["scale"]:
        console.print(f"{row['name']}: {row['cpu_seconds']:.1f} s of a processor")


if __name__ == "__main__":
    main()
