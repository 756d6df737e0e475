"""Every method on every family of sets: one program, one table for README and docs, and JSON.

    python benchmarks/rivals.py --data DIR --out out/bench/rivals.json --markdown

Each set is compared as `evenhand compare` does: a fifth of training is held out, and `shortcut_cell` chooses
among at most `--budget` configurations of a method and the states along their epochs. What is done is kept in
the cache, so the same command goes on. Small sets come first, and the tables are of those that are done.
Without DIR, the made sets alone.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
from _families import MADE, Made, Sample, few_rows, made, stored, without_counterexamples
from _tables import over_families, show
from _timing import machine

from evenhand import DFR, FeatureTable, compare
from evenhand._files import atomic
from evenhand._typing import Bools, Ints
from evenhand.functional.bootstrap import worst_group_difference

METHODS = ("all", "cfr:published-code")
MARGIN = 0.03
"""How far a run may lie under what it is compared with."""
ROWS = 1000
"""Training rows of a composite or of photographs, so that every method fits them in seconds."""
ORACLE = "DFR, all training groups"
TUNED = {
    "auto": "limits of its rule on these families",
    "cfr": "terms, step and rule on scenes, composites and photographs",
}
"""Where settings were chosen; all other methods have published or usual ones, and none was tuned here."""


@dataclass(frozen=True)
class Run:
    """One method on one set: which test rows it classifies correctly, and the seconds of all its fits."""

    method: str
    right: Bools
    seconds: float


@dataclass(frozen=True)
class Compared:
    """A set and the runs of all methods on it."""

    sample: Sample
    runs: Mapping[str, Run]

    @property
    def groups(self) -> Ints:
        """Class × attribute of the test rows."""
        groups: Ints = self.sample.y_test * (self.sample.a_test.max() + 1) + self.sample.a_test
        return groups

    @property
    def family(self) -> str:
        """What the set is a seed or a variant of."""
        return self.sample.name.split(",")[0].removesuffix(" flat").removesuffix(" 95")

    def worst(self, method: str) -> float:
        """Test worst group of a method."""
        right = self.runs[method].right
        return min(float(right[self.groups == g].mean()) for g in np.unique(self.groups))

    def below(self, method: str, other: str) -> bool:
        """Tell whether a method is below another by more than the margin and beyond the paired interval."""
        if self.worst(other) - self.worst(method) <= MARGIN:
            return False
        right = self.runs[method].right, self.runs[other].right
        return worst_group_difference(*right, self.groups, 0, 1000)[2] < 0


def main() -> None:
    """Compare what is missing, print the tables and write the JSON after every set."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder of real data; made sets alone without it")
    parser.add_argument("--cache", type=Path, default=Path("out/bench/sets"))
    parser.add_argument("--out", type=Path, default=Path("out/bench/rivals.json"))
    parser.add_argument("--sets", nargs="+", help="of these families alone")
    parser.add_argument("--budget", type=int, default=5, help="configurations of a method")
    parser.add_argument("--markdown", action="store_true")
    given = parser.parse_args()
    done: list[Compared] = []
    for sample in samples(given.cache, given.data):
        if given.sets and sample.name.split(",")[0] not in given.sets:
            continue
        done.append(compared(sample, given.cache / "rivals", given.budget))
        print(sample.key, {name: round(done[-1].worst(name), 3) for name in done[-1].runs}, flush=True)
        given.out.parent.mkdir(parents=True, exist_ok=True)
        tables = {"methods": by_method(done), "worst group by block": by_block(done), "sets": by_set(done)}
        with atomic(given.out) as temporary:
            temporary.write_text(json.dumps({"machine": machine(), **tables}, ensure_ascii=False) + "\n")
    for title, rows in tables.items():
        show(title, rows, markdown=given.markdown)


def samples(cache: Path, data: Path | None) -> Iterator[Sample]:
    """Yield the sets in turns over the blocks, small ones first, so that a run cut short has all blocks."""
    found = [_cut(sample) for sample in _base(cache, data)]
    found += [
        without_counterexamples(sample)
        for sample in found
        if sample.truth == "shortcut" and sample.seed == 0 and sample.block != "noise"
    ]
    by_block: dict[str, list[Sample]] = {}
    for sample in sorted(found, key=lambda one: one.X.size):
        by_block.setdefault(sample.block, []).append(sample)
    for turn in zip_longest(*by_block.values()):
        yield from (sample for sample in turn if sample is not None)


def _base(cache: Path, data: Path | None) -> Iterator[Sample]:
    blocks = {
        "noisy": "noise",
        "imbalanced": "imbalance",
        "five": "three to ten classes",
        "three": "three to ten classes",
    }
    blocks |= {"season-gender": "real CLIP", "colour-aligned": "zero-shot uses the shortcut"}
    for sample in stored(cache, data) if data is not None else ():
        named = next((block for part, block in blocks.items() if sample.name.startswith(part)), None)
        yield replace(sample, block="no shortcut" if sample.truth == "flat" else named or sample.block)
    for seed in (0, 1):
        ten = made("ten classes", seed, Made(n=ROWS, classes=10, shares=(0.9,)))
        yield replace(ten, block="three to ten classes")
        yield replace(made("flat, 1000 rows", seed, MADE["flat, 1000 rows"]), block="no shortcut")


def _cut(sample: Sample) -> Sample:
    """Return a large set with `ROWS` training rows, under the name that it has."""
    return (
        sample
        if len(sample.y) <= ROWS
        else replace(few_rows(sample, ROWS), name=sample.name, block=sample.block)
    )


def compared(sample: Sample, cache: Path, budget: int) -> Compared:
    """Compare all methods on a set, or read what the cache holds."""
    table = _table(sample)
    folder = cache / sample.key.replace("/", "-").replace(",", "")
    results = compare(table, methods=METHODS, seeds=[sample.seed], oracles=True, budget=budget, out=folder)
    runs = {}
    for row in results.rows:
        if row.status == "ok":
            name = f"{row.method.replace(':', '%3A')}-{sample.seed}.json"
            codes = json.loads((folder / "units" / name).read_text())["unit"]["test"]
            runs[row.method] = Run(row.method, np.array(codes) == sample.y_test, row.fit_seconds or 0.0)
    kept = results.kept_method[0].method
    runs["kept by evenhand"] = replace(runs[kept], method="kept by evenhand")
    oracle = _oracle(table, sample)
    return Compared(sample, runs | ({ORACLE: oracle} if oracle else {}))


def _table(sample: Sample) -> FeatureTable:
    classes = np.array(sample.head.classes)
    return FeatureTable.from_arrays(
        np.concatenate([sample.X, sample.X_test]),
        classes[np.concatenate([sample.y, sample.y_test])],
        groups={"attribute": [f"v{a}" for a in np.concatenate([sample.a, sample.a_test])]},
        split=["train"] * len(sample.y) + ["test"] * len(sample.y_test),
        head=sample.head,
    )


def _oracle(table: FeatureTable, sample: Sample) -> Run | None:
    """Return DFR with the group labels of all training rows; None where a group has too few rows."""
    train = table.rows("train")
    cells = np.bincount(sample.y * (sample.a.max() + 1) + sample.a)
    if (cells[cells > 0] < 2).any():
        return None
    X, y, groups = table.features(train), table.labels(train), table.groups("attribute", train)
    method = DFR(table.head, random_state=sample.seed).fit(X, y, validation=(X, y, groups))
    test = table.rows("test")
    return Run(ORACLE, method.predict(table.features(test)) == table.labels(test), 0.0)


def by_method(done: Sequence[Compared]) -> list[dict[str, Any]]:
    """Return one row per method, best worst group first; intervals over families."""
    names = dict.fromkeys(name for one in done for name in one.runs)
    rows = []
    for name in names:
        mine = [one for one in done if name in one.runs]
        rows.append(
            {
                "method": name,
                "worst group": over_families((one.family, one.worst(name)) for one in mine),
                "average": float(np.mean([one.runs[name].right.mean() for one in mine])),
                "below zero-shot": sum(one.below(name, "zero_shot") for one in mine),
                "below ERM": sum(one.below(name, "erm") for one in mine),
                "runs": len(mine),
                "families": len({one.family for one in mine}),
                "fit seconds": float(np.median([one.runs[name].seconds for one in mine])),
                "tuned on": TUNED.get(name, ""),
            }
        )
    return sorted(rows, key=lambda row: -row["worst group"]["mean"])


def by_block(done: Sequence[Compared]) -> list[dict[str, Any]]:
    """Return the mean worst group of each method by block of sets."""
    blocks = dict.fromkeys(one.sample.block for one in done)
    rows = []
    for row in by_method(done):
        name = row["method"]
        means = {}
        for block in blocks:
            mine = [one.worst(name) for one in done if one.sample.block == block and name in one.runs]
            means[block] = float(np.mean(mine)) if mine else None
        rows.append({"method": name, **means})
    return rows


def by_set(done: Sequence[Compared]) -> list[dict[str, Any]]:
    """Return the worst group of each method on each set."""
    names = [row["method"] for row in by_method(done)]
    return [
        {
            "set": one.sample.key,
            "block": one.sample.block,
            "rows": len(one.sample.y),
            "classes": len(one.sample.head.classes),
            **{name: one.worst(name) if name in one.runs else None for name in names},
        }
        for one in done
    ]


if __name__ == "__main__":
    main()
