"""Which label-free rule finds the checkpoint of the best worst group? Every rule, many sets and plans.

    python benchmarks/selection.py --data DIR --out out/bench/selection.json

A run is one plan of CFR on one set: ERM and some twenty candidates, cross-fitted. For every rule: the rank
correlation of its score with the test worst group over the candidates, the regret of what it picks (best
test worst group on the way minus that of the pick), with and without the guard, and the pick's gain over
ERM. Intervals are 95 % bootstraps over families of sets, each the mean of its seeds and plans: those of one
recipe are no independent evidence. That of a single set is the hull of its seeds' intervals over test rows.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
from _sets import all_sets
from _tables import over_families, show
from _timing import machine
from _trajectories import Run, follow_or_read, oracle_or_read
from scipy.stats import spearmanr

from evenhand.functional import worst_group_difference
from evenhand.methods import (
    NEAREST,
    PUBLISHED_SIMILARITY,
    STABLE,
    Centroid,
    CrossFittedErm,
    ErmReference,
    ShortcutReference,
    ZeroShotReference,
)
from evenhand.selection import RULES, Evidence

Record = dict[str, Any]
RULE = Evidence().rule.name
DEFAULT = "probe errors, stable terms"
PLANS: dict[str, dict[str, Any]] = {
    DEFAULT: {"reference": ShortcutReference(), "recipes": STABLE},
    "probe errors, centroid and nearest": {"reference": ShortcutReference(), "recipes": NEAREST},
    "probe errors, centroid": {
        "reference": ShortcutReference(),
        "recipes": replace(STABLE, positives=Centroid()),
    },
    "probe errors, stable or nearest": {"reference": ShortcutReference(), "recipes": (STABLE, NEAREST)},
    "ERM errors, stable terms": {"reference": ErmReference(), "recipes": STABLE},
    "cross-fitted ERM errors, stable terms": {"reference": CrossFittedErm(3), "recipes": STABLE},
    "zero-shot errors, stable terms": {"reference": ZeroShotReference(), "recipes": STABLE},
    "ERM errors, paper's terms": {"reference": ErmReference(), "recipes": PUBLISHED_SIMILARITY},
}
SHOWN = {
    "zero_shot": "zero-shot",
    "erm": "ERM",
    "best": "best candidate",
    "last": "last",
    "guarded": "CFR",
    "dfr": "DFR",
}
"""Figures of a record by the name that tables give them."""
WIDE = 1100
"""Sets of wider features run the first two plans alone: each takes minutes there."""


def main() -> None:
    """Run what is missing, score every rule, print the tables and write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder of real data; scenes alone without it")
    parser.add_argument("--cache", type=Path, default=Path("out/bench/sets"))
    parser.add_argument("--out", type=Path, default=Path("out/bench/selection.json"))
    parser.add_argument("--plans", nargs="+", choices=PLANS, default=list(PLANS), help="plans to run")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument(
        "--markdown", action="store_true", help="print the tables as the documentation has them"
    )
    given = parser.parse_args()
    torch.set_num_threads(1)
    sets = list(all_sets(given.cache, given.data))
    jobs = [
        (given, family, seed, plan)
        for plan in given.plans
        for family, seed, table, _ in sets
        if table.width <= WIDE or plan in list(PLANS)[:2]
    ]
    with ProcessPoolExecutor(given.workers, mp_context=get_context("spawn")) as pool:
        records = [record for found in pool.map(_score, jobs) for record in found]
    tables = {
        "rules": _by_rule(records),
        "plans": _by_plan(records, given.plans),
        "sets": _by_set(records),
    }
    for title, rows in tables.items():
        if rows:
            show(title, rows, markdown=given.markdown)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(
        json.dumps({"machine": machine(), **tables, "records": records}, indent=1, ensure_ascii=False) + "\n"
    )


def _score(job: tuple[argparse.Namespace, str, int, str]) -> list[Record]:
    """Return one record per rule for one plan on one set."""
    given, family, seed, plan = job
    torch.set_num_threads(1)
    table, attribute = next(
        (table, attribute)
        for name, number, table, attribute in all_sets(given.cache, given.data)
        if (name, number) == (family, seed)
    )
    stem = f"{family}-{seed}"
    run = follow_or_read(
        table, seed, attribute, PLANS[plan], given.cache / "runs" / f"{stem}-{plan.replace(' ', '_')}.npz"
    )
    dfr = oracle_or_read(table, seed, attribute, given.cache / "runs" / f"{stem}-dfr.json")
    shared = {"set": family, "seed": seed, "plan": plan, "dfr": dfr, "seconds": run.seconds}
    return [{**shared, "rule": name, **_judge(run, name, seed)} for name in RULES]


def _judge(run: Run, name: str, seed: int) -> Record:
    """Return what one rule makes of one run; index 0 among its choices is ERM."""
    rule = RULES[name]
    cells = rule.partition(run.held_out)
    right = np.vstack([run.held_out.erm, run.predictions]) == run.held_out.y
    scores = rule.scores(right, cells)
    zero_shot, *worst = run.worst_groups().tolist()
    plain = int(scores.argmax())
    choice = Evidence(rule).choose(run.names, run.predictions, run.held_out, seed)
    guarded = 0 if choice.index is None else choice.index + 1
    correct = run.test == run.test_y
    difference = worst_group_difference(correct[1 + guarded], correct[1], run.test_groups, seed)
    correlation = spearmanr(scores, worst).statistic if np.ptp(scores) and np.ptp(worst) else np.nan
    return {
        "zero_shot": zero_shot,
        "erm": worst[0],
        "best": max(worst),
        "last": worst[len(run.names) - 3],
        "correlation": None if np.isnan(correlation) else float(correlation),
        "plain": worst[plain],
        "guarded": worst[guarded],
        "kept": "erm" if guarded == 0 else run.names[guarded - 1],
        "difference": dict(zip(("value", "low", "high"), difference, strict=True)),
    }


def _by_rule(records: list[Record]) -> list[Record]:
    """Return one row per rule over all plans and sets."""
    rows = []
    for rule in RULES:
        mine = [r for r in records if r["rule"] == rule]
        rows.append(
            {
                "rule": rule,
                "groups": RULES[rule].group_labels_used,
                "rank correlation": _mean(mine, lambda r: r["correlation"]),
                "regret": _mean(mine, lambda r: r["best"] - r["plain"]),
                "regret, guarded": _mean(mine, lambda r: r["best"] - r["guarded"]),
                "gain over ERM": _mean(mine, lambda r: r["plain"] - r["erm"], "difference"),
                "gain, guarded": _mean(mine, _gain, "difference"),
                "below ERM, guarded": sum(r["difference"]["high"] < 0 for r in mine),
                "runs": len(mine),
            }
        )
    return rows


def _by_plan(records: list[Record], plans: Sequence[str]) -> list[Record]:
    """Return one row per plan under the default rule with its guard, on the sets that all plans ran on."""
    by_plan = {
        plan: {(r["set"], r["seed"]): r for r in records if r["plan"] == plan and r["rule"] == RULE}
        for plan in plans
    }
    common = set.intersection(*(set(runs) for runs in by_plan.values()))
    base = by_plan.get(DEFAULT, {})
    rows = []
    for plan, runs in by_plan.items():
        mine = [run for key, run in runs.items() if key in common]
        gaps = [(r["set"], r["guarded"] - base[r["set"], r["seed"]]["guarded"]) for r in mine if base]
        paired = over_families(gaps, "difference") if gaps else None
        figures = _figures(mine, _mean(mine, _gain, "difference"))
        rows.append({"plan": plan, **figures, "CFR − default's": paired})
    return rows


def _by_set(records: list[Record]) -> list[Record]:
    """Return one row per set, for the default plan and rule; the last one is over families of sets."""
    mine = [r for r in records if r["plan"] == DEFAULT and r["rule"] == RULE]
    families = {name: [r for r in mine if r["set"] == name] for name in dict.fromkeys(r["set"] for r in mine)}
    rows = [{"set": name, **_figures(runs, _of_seeds(runs))} for name, runs in families.items()]
    return [*rows, {"set": "all", **_figures(mine, _mean(mine, _gain, "difference"))}] if mine else []


def _figures(records: list[Record], gain: Record) -> Record:
    """Return what the kept states reach in the mean, with the interval of their gain over ERM."""
    means = {shown: float(np.mean([r[name] for r in records])) for name, shown in SHOWN.items()}
    gap = means["DFR"] - means["ERM"]
    return {
        **means,
        "CFR − ERM": gain,
        "gap to DFR closed": (means["CFR"] - means["ERM"]) / gap if gap > 0.01 else None,
        "ERM kept": sum(r["kept"] == "erm" for r in records),
        "below ERM": sum(r["difference"]["high"] < 0 for r in records),
        "runs": len(records),
    }


def _of_seeds(records: list[Record]) -> Record:
    """Return the gain of one set: the mean over its seeds, and the hull of their intervals over test rows."""
    gains = [r["difference"] for r in records]
    return {
        "difference": float(np.mean([gain["value"] for gain in gains])),
        "low": min(gain["low"] for gain in gains),
        "high": max(gain["high"] for gain in gains),
    }


def _gain(record: Record) -> float:
    return float(record["guarded"] - record["erm"])


def _mean(records: list[Record], value: Callable[[Record], float | None], kind: str = "mean") -> Record:
    return over_families(((r["set"], value(r)) for r in records), kind)


if __name__ == "__main__":
    main()
