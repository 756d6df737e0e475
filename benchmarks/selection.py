"""Which label-free rule finds the checkpoint of the best worst group? Every rule, many sets and plans.

    python benchmarks/selection.py --data DIR --out out/bench/selection.json

A run is one plan of CFR on one set: ERM and some twenty candidates, cross-fitted. For every rule: the rank
correlation of its score with the test worst group over the candidates, the regret of what it picks (best
test worst group on the way minus that of the pick), with and without the guard, and the pick's gain over
ERM. Intervals are 95 % bootstraps over sets: plans of one set are no independent evidence.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
from _sets import all_sets
from _timing import machine
from _trajectories import Run, follow_or_read, oracle_or_read
from rich.console import Console
from rich.table import Table
from scipy.stats import spearmanr

from evenhand.functional.bootstrap import worst_group_difference
from evenhand.functional.intervals import percentile_interval
from evenhand.methods._calibrate import NEAREST, PAPER, STABLE
from evenhand.methods._references import CrossFittedErm, ErmReference, ShortcutReference, ZeroShotReference
from evenhand.selection.evidence import Evidence
from evenhand.selection.rules import RULES

DEFAULT = "probe errors, stable terms"
PLANS: dict[str, dict[str, Any]] = {
    DEFAULT: {"reference": ShortcutReference(), "recipes": STABLE},
    "probe errors, centroid and nearest": {
        "reference": ShortcutReference(),
        "recipes": NEAREST,
    },
    "ERM errors, stable terms": {"reference": ErmReference(), "recipes": STABLE},
    "cross-fitted ERM errors, stable terms": {"reference": CrossFittedErm(3), "recipes": STABLE},
    "zero-shot errors, stable terms": {"reference": ZeroShotReference(), "recipes": STABLE},
    "ERM errors, paper's terms": {"reference": ErmReference(), "recipes": PAPER},
}
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
        _print(title, rows)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(
        json.dumps({"machine": machine(), **tables, "records": records}, indent=1, ensure_ascii=False) + "\n"
    )


def _score(job: tuple[argparse.Namespace, str, int, str]) -> list[dict[str, Any]]:
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


def _judge(run: Run, name: str, seed: int) -> dict[str, Any]:
    """Return what one rule makes of one run; index 0 among its choices is ERM."""
    rule = RULES[name]
    cells = rule.partition(run.judged)
    right = np.vstack([run.judged.erm, run.predictions]) == run.judged.y
    scores = rule.scores(right, cells)
    zero_shot, *worst = run.worst_groups().tolist()
    plain = int(scores.argmax())
    choice = Evidence(rule).choose(run.names, run.predictions, run.judged, seed)
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


def _by_rule(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return one row per rule over all plans and sets."""
    rows = []
    for rule in RULES:
        mine = [r for r in records if r["rule"] == rule]
        rows.append(
            {
                "rule": rule,
                "groups": RULES[rule].group_labels_used,
                "correlation": _mean(mine, lambda r: r["correlation"]),
                "regret": _mean(mine, lambda r: r["best"] - r["plain"]),
                "regret guarded": _mean(mine, lambda r: r["best"] - r["guarded"]),
                "gain": _mean(mine, lambda r: r["plain"] - r["erm"]),
                "gain guarded": _mean(mine, lambda r: r["guarded"] - r["erm"]),
                "below ERM": sum(r["difference"]["high"] < 0 for r in mine),
                "runs": len(mine),
            }
        )
    return rows


def _by_plan(records: list[dict[str, Any]], plans: Sequence[str]) -> list[dict[str, Any]]:
    """Return one row per plan under the default rule with its guard."""
    rows = []
    for plan in plans:
        mine = [r for r in records if r["plan"] == plan and r["rule"] == "shortcut_cell"]
        rows.append({"plan": plan, **_worst_groups(mine)})
    return rows


def _by_set(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return one row per set, for the default plan and rule."""
    mine = [r for r in records if r["plan"] == DEFAULT and r["rule"] == "shortcut_cell"]
    families = dict.fromkeys(r["set"] for r in mine)
    rows = [{"set": f, **_worst_groups([r for r in mine if r["set"] == f])} for f in families]
    return [*rows, {"set": "all", **_worst_groups(mine)}]


def _worst_groups(records: list[dict[str, Any]]) -> dict[str, Any]:
    means = {
        name: float(np.mean([r[name] for r in records]))
        for name in ("zero_shot", "erm", "guarded", "best", "dfr")
    }
    gap = means["dfr"] - means["erm"]
    return {
        **means,
        "way to DFR": (means["guarded"] - means["erm"]) / gap if gap > 0.01 else None,
        "ERM kept": sum(r["kept"] == "erm" for r in records),
        "below ERM": sum(r["difference"]["high"] < 0 for r in records),
        "runs": len(records),
    }


def _mean(records: list[dict[str, Any]], value: Any) -> dict[str, float]:
    """Return the mean over sets of the mean over a set's plans, with its bootstrap interval over sets."""
    by_set: dict[tuple[str, int], list[float]] = {}
    for record in records:
        if (found := value(record)) is not None:
            by_set.setdefault((record["set"], record["seed"]), []).append(found)
    means = np.array([np.mean(values) for values in by_set.values()])
    draws = np.random.default_rng(0).choice(means, (2000, len(means))).mean(axis=1)
    low, high = percentile_interval(draws)
    return {"mean": float(means.mean()), "low": low, "high": high}


def _print(title: str, rows: Sequence[dict[str, Any]]) -> None:
    table = Table(*rows[0], title=title)
    for row in rows:
        table.add_row(*(_text(value) for value in row.values()))
    Console(width=170).print(table)


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return f"{value['mean']:.3f} [{value['low']:.3f}, {value['high']:.3f}]"
    return f"{value:.3f}" if isinstance(value, float) else "" if value is None else str(value)


if __name__ == "__main__":
    main()
