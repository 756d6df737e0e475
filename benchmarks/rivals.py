"""Every method on composed photographs and on PACS: test worst group, as one Markdown table and JSON.

    python benchmarks/rivals.py --data DIR --out out/bench/rivals.json

The sets are the recipes of composed photographs and PACS with a domain at home in every class: training keeps
the rows of a class in its home domain and one in twenty of the others, a third of every cell is tested on.
Without DIR the drawn scenes alone. What is done is kept in the cache, so that the same command goes on.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from _sets import SCENES, composite, pacs, scenes
from _timing import machine
from _trajectories import oracle_or_read

from evenhand import FeatureTable, compare
from evenhand._random import numpy_stream
from evenhand.comparison.winner import KEPT
from evenhand.evaluation import Results

METHODS = ("all", "cfr:nearest", "cfr:paper")
KEPT_OF_HOME = 0.05
TESTED = 1 / 3
ORACLE = "DFR, all training groups"


def main() -> None:
    """Run what is missing, print the table and write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder of real data; scenes alone without it")
    parser.add_argument("--cache", type=Path, default=Path("out/bench/sets"))
    parser.add_argument("--out", type=Path, default=Path("out/bench/rivals.json"))
    parser.add_argument("--sets", nargs="+", help="of these names alone")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args()
    columns: dict[str, dict[str, float | None]] = {}
    found: dict[str, Any] = {}
    for name, table, attribute in _sets(given.cache, given.data):
        if given.sets and name not in given.sets:
            continue
        results = compare(
            table,
            methods=METHODS,
            seeds=range(given.seeds),
            oracles=True,
            group_by=attribute,
            jobs=given.jobs,
            out=given.cache / "rivals" / name,
        )
        found[name] = results.model_dump(mode="json", by_alias=True)
        oracle = [
            oracle_or_read(table, seed, attribute, given.cache / "rivals" / f"{name}-{seed}-dfr.json")
            for seed in range(given.seeds)
        ]
        columns[name] = {**_worst_groups(results), ORACLE: float(np.mean(oracle))}
        print(name, json.dumps(columns[name]), flush=True)
    print(_markdown(columns))
    given.out.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"machine": machine(), "worst_group": columns, "results": found}, ensure_ascii=False)
    given.out.write_text(text + "\n", encoding="utf-8")


def _sets(cache: Path, data: Path | None) -> Iterator[tuple[str, FeatureTable, str]]:
    """Yield (name, table, attribute that makes groups)."""
    if data is None:
        recipe = next(scene for scene in SCENES if scene.name == "scenes-95")
        yield recipe.name, scenes(recipe, 0, cache), "background"
        return
    for folder in sorted((data / "composites").glob("*-0")):
        yield folder.name.removesuffix("-0"), composite(folder, cache), "background"
    yield "pacs", _at_home(pacs(data, cache), "domain", seed=0), "domain"


def _at_home(table: FeatureTable, attribute: str, *, seed: int) -> FeatureTable:
    """Return rows of a table such that each class goes with a value of the attribute in training."""
    values, codes = np.unique(table.attributes[attribute], return_inverse=True)
    cells = table.y * len(values) + codes
    generator = numpy_stream(seed, "at home")
    # Ranks in [0, 1) within a cell, in random order: exact shares of every cell.
    rank = np.empty(len(cells))
    for cell in np.unique(cells):
        rows = np.flatnonzero(cells == cell)
        rank[rows] = generator.permutation(len(rows)) / len(rows)
    home = codes == table.y % len(values)
    tested = rank < TESTED
    kept = home | (rank >= 1 - KEPT_OF_HOME * (1 - TESTED))
    split = np.select([tested, kept], ["test", "train"], "unused")
    return replace(table, split=split)


def _worst_groups(results: Results) -> dict[str, float | None]:
    """Return the mean over seeds of every method's worst group, None where it gave none."""
    kept = [] if results.kept_summary is None else [results.kept_summary]
    assert not kept or kept[0].method == KEPT
    return {
        one.method: None if one.worst_group is None else one.worst_group.mean
        for one in [*results.summary, *kept]
    }


def _markdown(columns: dict[str, dict[str, float | None]]) -> str:
    names = list(dict.fromkeys(name for column in columns.values() for name in column))
    head = [
        "| method | " + " | ".join(f"`{name}`" for name in columns) + " |",
        "|---|" + "---|" * len(columns),
    ]
    rows = (
        f"| {name if ' ' in name else f'`{name}`'} | "
        + " | ".join(_percent(column.get(name)) for column in columns.values())
        + " |"
        for name in names
    )
    return "\n".join([*head, *rows])


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f}"


if __name__ == "__main__":
    main()
