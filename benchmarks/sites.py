"""What training a ResNet's whole attention pool is worth, against its last linear map alone.

    python benchmarks/sites.py --out out/bench/sites.json

ERM and CFR with their defaults at both sites of the shipped model, on scenes at 95 % and several seeds of the
fit: test worst group, and the paired difference to the linear map's, with a 95 % t-interval over seeds.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import torch
from _sets import SCENES, scenes
from _tables import over_seeds, show
from _timing import machine
from _trajectories import Run, follow_or_read

from evenhand.backbones.projection import head_projection
from evenhand.data import FeatureTable
from evenhand.selection import Evidence

SITES = {"last linear map": None, "whole attention pool": "attnpool"}


def main() -> None:
    """Run what is missing, print the table and write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cache", type=Path, default=Path("out/bench/sets"))
    parser.add_argument("--out", type=Path, default=Path("out/bench/sites.json"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--markdown", action="store_true", help="print the table as the documentation has it")
    given = parser.parse_args()
    torch.set_num_threads(1)
    recipe = next(scene for scene in SCENES if scene.name == "scenes-95")
    figures: dict[str, list[dict[str, float]]] = {}
    rows: list[dict[str, Any]] = []
    for name, site in SITES.items():
        table = scenes(recipe, 0, given.cache, site)
        path = given.cache / "sites"
        runs = [
            follow_or_read(
                table, seed, "background", {}, path / f"{recipe.name}-{seed}-{site or 'linear'}.npz"
            )
            for seed in range(given.seeds)
        ]
        figures[name] = [_figures(run, seed) for seed, run in enumerate(runs)]
        rows.append(_row(name, table, figures[name], figures["last linear map"]))
    show("sites", rows, markdown=given.markdown)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"machine": machine(), "rows": rows, "figures": figures}, indent=1, ensure_ascii=False)
    given.out.write_text(text + "\n", encoding="utf-8")


def _figures(run: Run, seed: int) -> dict[str, float]:
    """Return the test worst groups of one fit."""
    zero_shot, *worst = run.worst_groups().tolist()
    choice = Evidence().choose(run.names, run.predictions, run.held_out, seed)
    return {
        "zero-shot": zero_shot,
        "ERM": worst[0],
        "best candidate": max(worst),
        "last": worst[len(run.names) - 3],
        "CFR": worst[0 if choice.index is None else choice.index + 1],
    }


def _row(
    name: str, table: FeatureTable, mine: list[dict[str, float]], base: list[dict[str, float]]
) -> dict[str, Any]:
    """Return means over seeds, and what the site adds to ERM and to CFR."""
    tensors = head_projection(table.head).tensors().values()
    gaps = {
        f"{method} − the linear map's": over_seeds(
            [a[method] - b[method] for a, b in zip(mine, base, strict=True)]
        )
        for method in ("ERM", "CFR")
    }
    means = {figure: sum(run[figure] for run in mine) / len(mine) for figure in mine[0]}
    return {"trained": name, "weights": sum(t.numel() for t in tensors), **means, **gaps, "runs": len(mine)}


if __name__ == "__main__":
    main()
