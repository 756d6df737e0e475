"""Rates of each verdict on synthetic worlds, and what is kept there.

    python benchmarks/verdicts.py --seeds 2 --out out/bench/verdicts.json

Worlds of `_families.made` with 100 to 10,000 rows, 2 to 20 classes and 0 to 20 % wrong labels: nothing goes
with the class (flat), 90 % of the rows of a class share an attribute (shortcut), or all (no
counterexamples). A fit is under the better of zero-shot and ERM where its worst group is more than 3 points
lower and beyond the paired interval over test rows.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from _families import Made, made
from _tables import show
from _timing import machine

from evenhand import Auto, ZeroShot
from evenhand.functional.bootstrap import worst_group_difference

ROWS, CLASSES, NOISE = (100, 1000, 10_000), (2, 5, 20), (0.0, 0.1, 0.2)
WORLDS = {"flat": 0.0, "shortcut": 0.9, "no counterexamples": 1.0}
"""Share of a class's rows that have the attribute which goes with it; 0 draws it at random."""


def main() -> None:
    """Fit every world, print rates by each of its properties and write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--rows", type=int, nargs="+", default=ROWS)
    parser.add_argument("--classes", type=int, nargs="+", default=CLASSES)
    parser.add_argument("--out", type=Path, default=Path("out/bench/verdicts.json"))
    parser.add_argument("--markdown", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(1)
    fits = list(_fits(given.rows, given.classes, given.seeds))
    tables = {name: _by(fits, name) for name in ("rows", "classes", "wrong labels")}
    for title, rows in tables.items():
        show(title, rows, markdown=given.markdown)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps({"machine": machine(), **tables, "fits": fits}, indent=1) + "\n")


def _fits(rows: Sequence[int], classes: Sequence[int], seeds: int) -> Iterator[dict[str, Any]]:
    for n, C, noise, (world, share), seed in product(rows, classes, NOISE, WORLDS.items(), range(seeds)):
        sample = made(f"{world} {n} {C} {noise}", seed, Made(n, C, (share,), noise=noise))
        labels = np.array(sample.head.classes)[sample.y]
        auto = Auto(sample.head).fit(sample.X, labels)
        assert auto.kept_ is not None
        zero_shot = ZeroShot(sample.head).fit(sample.X, labels)
        models = (zero_shot.model_, auto.erm_, auto.model_)
        right = [one.logits(sample.X_test).argmax(axis=1) == sample.y_test for one in models]
        groups = sample.y_test * (sample.a_test.max() + 1) + sample.a_test
        worst = [float(min(one[groups == group].mean() for group in np.unique(groups))) for one in right]
        better = int(worst[1] > worst[0])
        gap = worst_group_difference(right[2], right[better], groups, 0, 500)
        yield {
            "world": world, "rows": n, "classes": C, "wrong labels": noise, "seed": seed,
            "verdict": auto.kept_["shortcut"], "zero-shot": worst[0], "ERM": worst[1], "kept": worst[2],
            "under the better": bool(worst[better] - worst[2] > 0.03 and gap[2] < 0),
        }  # fmt: skip


def _by(fits: Sequence[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    """Return one row for each world and value of a property."""
    rows = []
    for world, value in product(WORLDS, dict.fromkeys(fit[name] for fit in fits)):
        mine = [fit for fit in fits if (fit["world"], fit[name]) == (world, value)]
        said = [fit["verdict"] for fit in mine]
        means = {key: float(np.mean([fit[key] for fit in mine])) for key in ("zero-shot", "ERM", "kept")}
        under = sum(fit["under the better"] for fit in mine)
        counts = {word: said.count(word) for word in ("found", "no sign", "cannot tell")}
        rows.append(
            {"world": world, name: value, "fits": len(mine), **counts, **means, "under the better": under}
        )
    return rows


if __name__ == "__main__":
    main()
