"""Is the right candidate handed over, without group labels? Zero-shot, ERM by penalty, soft-balanced heads.

    python benchmarks/decision.py --data DIR --out out/bench/decision.json

For every set of `_families`: the pool is cross-fitted and the rule of `selection.auto_guard` decides. Tables:
mean test worst group by block, with the better of zero-shot and ERM and the best of the pool beside it; runs
that lie more than 3 points under those, and beyond the paired interval over test rows; the verdicts against
what is true of a set; the rule without one of its parts; its limits chosen on the other families alone.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from _families import Sample, families
from _pool import Pool, fit_pool
from _tables import show
from _timing import machine

from evenhand._files import atomic
from evenhand._typing import Floats, Ints
from evenhand.functional.bootstrap import worst_group_difference
from evenhand.selection.auto_guard import Decision, DecisionRule
from evenhand.selection.shortcut_limits import Limits
from evenhand.selection.shortcut_signs import CrossFits, ShortcutSigns, find_signs
from evenhand.selection.shortcut_verdict import verdict

MARGIN = 0.03
"""How far a run may lie under what it is compared with."""
GRID = {
    "skewness": (0.2, 0.25, 0.3),
    "clearness": (1.0, 1.65, 2.0, 99.0),
}
"""Limits that are chosen leaving one family out."""
CONFIDENCES = (0.9, 0.95)


@dataclass(frozen=True)
class Case:
    """A set with its pool, and what its test rows say."""

    key: str
    family: str
    block: str
    truth: str
    pool: Pool
    y_test: Ints
    groups: Ints

    @property
    def worst(self) -> Floats:
        """Test worst group of every candidate."""
        right = self.pool.test == self.y_test
        worst: Floats = np.min(
            [right[:, self.groups == g].mean(axis=1) for g in np.unique(self.groups)], axis=0
        )
        return worst

    def decide(
        self, limits: Limits | None = None, rule: DecisionRule | None = None, seed: int = 0
    ) -> tuple[Decision, ShortcutSigns]:
        """Decide with these limits; the heads stay those of the usual ones."""
        signs = find_signs(self.pool.seen, limits)
        return self.decide_on(signs, rule, seed), signs

    def decide_on(self, signs: ShortcutSigns, rule: DecisionRule | None = None, seed: int = 0) -> Decision:
        """Decide on given signs."""
        pool = self.pool
        return (rule or DecisionRule()).decide(
            pool.names, pool.right, pool.seen.y, signs, zero_shot=0, erm=pool.erm, seed=seed
        )

    def under(self, kept: int, other: int) -> bool:
        """Tell whether `kept` is under `other` by more than the margin and beyond the paired interval."""
        worst = self.worst
        if worst[other] - worst[kept] <= MARGIN:
            return False
        right = self.pool.test == self.y_test
        return worst_group_difference(right[kept], right[other], self.groups, 0, 500)[2] < 0


def main() -> None:
    """Cross-fit what is missing, decide, print the tables and write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--data", type=Path, help="folder of real data; scenes and made sets alone without it"
    )
    parser.add_argument("--cache", type=Path, default=Path("out/bench/sets"))
    parser.add_argument("--out", type=Path, default=Path("out/bench/decision.json"))
    parser.add_argument("--seed", type=int, default=0, help="of folds and draws")
    parser.add_argument("--markdown", action="store_true")
    given = parser.parse_args()
    cases = [_case(sample, given) for sample in families(given.cache, given.data)]
    tables = {
        "blocks": _by_block(cases, [case.decide()[0].index for case in cases]),
        "verdicts": _verdicts(cases),
        "parts": list(_parts(cases)),
        "one family left out": _left_out(cases, (0.95,)),
        "one family left out, the level too": _left_out(cases, CONFIDENCES),
        "sets": _by_set(cases),
    }
    for title, rows in tables.items():
        show(title, rows, markdown=given.markdown)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps({"machine": machine(), **tables}, indent=1, ensure_ascii=False) + "\n")


def _case(sample: Sample, given: argparse.Namespace) -> Case:
    path = given.cache / "pools" / f"{sample.key.replace('/', '-')}-{given.seed}.npz"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(fit_pool(sample, given.seed), path)
        print(sample.key, flush=True)
    groups = sample.y_test * (sample.a_test.max() + 1) + sample.a_test
    family = sample.name.split(",")[0].removesuffix(" flat").removesuffix(" 95")
    return Case(sample.key, family, sample.block, sample.truth, _read(path), sample.y_test, groups)


def _write(pool: Pool, path: Path) -> None:
    seen = {f"seen_{name}": value for name, value in vars(pool.seen).items()}
    with atomic(path) as temporary, temporary.open("wb") as stream:
        np.savez_compressed(
            stream, names=np.array(pool.names), erm=pool.erm, right=pool.right, test=pool.test, **seen
        )


def _read(path: Path) -> Pool:
    with np.load(path) as found:
        seen = {field.name: found[f"seen_{field.name}"] for field in fields(CrossFits)}
        seen["has_text"] = bool(seen["has_text"])
        crossfits = CrossFits(**seen)
        return Pool(
            found["names"].tolist(),
            int(found["erm"]),
            found["right"],
            crossfits,
            find_signs(crossfits),
            found["test"],
        )


def _by_block(cases: Sequence[Case], kept: Sequence[int]) -> list[dict[str, Any]]:
    """Return one row per block of sets, and one over all."""
    blocks = list(dict.fromkeys(case.block for case in cases))
    rows = []
    for block in [*blocks, "all"]:
        mine = [(case, k) for case, k in zip(cases, kept, strict=True) if block in (case.block, "all")]
        rows.append({"block": block, **_figures(mine)})
    return rows


def _figures(mine: Iterable[tuple[Case, int]]) -> dict[str, Any]:
    """Return mean worst groups, and how many runs lie under what they should not lie under."""
    mine = list(mine)
    worst = [(case.worst, case.pool.erm, k) for case, k in mine]
    better = [0 if w[0] >= w[erm] else erm for w, erm, _ in worst]
    return {
        "runs": len(mine),
        "zero-shot": _mean(w[0] for w, _, _ in worst),
        "ERM": _mean(w[erm] for w, erm, _ in worst),
        "better of both": _mean(w[b] for (w, _, _), b in zip(worst, better, strict=True)),
        "kept": _mean(w[k] for w, _, k in worst),
        "best of pool": _mean(w.max() for w, _, _ in worst),
        "under the better": sum(case.under(k, b) for (case, k), b in zip(mine, better, strict=True)),
        "under ERM": sum(case.under(k, case.pool.erm) for case, k in mine),
    }


def _verdicts(cases: Sequence[Case]) -> list[dict[str, Any]]:
    """Return the verdicts by what is true of the sets."""
    rows = []
    for truth in ("shortcut", "flat", "no counterexamples"):
        for text in (True, False):
            mine = [case for case in cases if case.truth == truth and case.pool.seen.has_text == text]
            said = []
            for case in mine:
                decision, signs = case.decide()
                said.append(verdict(signs, decision, len(case.pool.seen.y)).shortcut)
            counts = {word: said.count(word) for word in ("found", "no sign", "cannot tell")}
            if mine:
                rows.append({"truth": truth, "text": "yes" if text else "no", "runs": len(mine), **counts})
    return rows


def _parts(cases: Sequence[Case]) -> Iterable[dict[str, Any]]:
    """Yield one row for the rule, and one for each change of it."""
    usual = Limits()
    changes: dict[str, Callable[[Case], int]] = {
        "the rule": lambda case: case.decide()[0].index,
        "always cells": lambda case: (
            case.decide(replace(usual, skewness=-9, skewness_without_text=-9))[0].index
        ),
        "never cells": lambda case: (
            case.decide(replace(usual, skewness=99, skewness_without_text=99))[0].index
        ),
        "no uncontradicted": lambda case: case.decide(replace(usual, agreement=-2, legibility=2))[0].index,
        "no competence": lambda case: case.decide(replace(usual, competence=0))[0].index,
        "all of the reference": lambda case: case.decide(replace(usual, share_without_text=1))[0].index,
        "no trust": lambda case: _decide_with(case, trust=np.ones(len(case.pool.seen.y))),
        "hard cells": lambda case: _decide_with(case, low=np.round(find_signs(case.pool.seen).low)),
        "one bound": lambda case: case.decide(replace(usual, clearness=99))[0].index,
        "no bound": lambda case: case.decide(rule=DecisionRule(0.5, 0.5))[0].index,
        "without heads": _without_heads,
        "another seed of draws": lambda case: case.decide(seed=1)[0].index,
    }
    for name, keep in changes.items():
        yield {"rule": name, **_figures([(case, keep(case)) for case in cases])}


def _decide_with(case: Case, **changes: Any) -> int:
    return case.decide_on(replace(find_signs(case.pool.seen), **changes)).index


def _without_heads(case: Case) -> int:
    kept = [k for k, name in enumerate(case.pool.names) if not name.startswith("head")]
    pool = case.pool
    smaller = replace(pool, names=[pool.names[k] for k in kept], right=pool.right[kept])
    return kept[replace(case, pool=smaller).decide()[0].index]


def _left_out(cases: Sequence[Case], confidences: Sequence[float]) -> list[dict[str, Any]]:
    """Choose the limits and the confidence on all families but one, and decide on that one."""
    settings = [
        (Limits(**dict(zip(GRID, values, strict=True))), DecisionRule(confidence, draws=500))
        for values in product(*GRID.values())
        for confidence in confidences
    ]
    kept = np.array([[case.decide(limits, rule)[0].index for case in cases] for limits, rule in settings])
    value = np.array([[case.worst[k] for case, k in zip(cases, line, strict=True)] for line in kept])
    names = np.array([case.family for case in cases])
    picks = []
    for place, family in enumerate(names):
        best = int(value[:, names != family].mean(axis=1).argmax())
        picks.append(int(kept[best, place]))
    return _by_block(cases, picks)


def _by_set(cases: Sequence[Case]) -> list[dict[str, Any]]:
    """Return one row per set."""
    rows = []
    for case in cases:
        decision, signs = case.decide()
        worst = case.worst
        rows.append(
            {
                "set": case.key,
                "rows": len(case.pool.seen.y),
                "g": signs.skewness,
                "p": signs.hidden,
                "zero-shot": float(worst[0]),
                "ERM": float(worst[case.pool.erm]),
                "kept": decision.kept,
                "worst group": float(worst[decision.index]),
                "best of pool": float(worst.max()),
                "verdict": verdict(signs, decision, len(case.pool.seen.y)).shortcut,
            }
        )
    return rows


def _mean(values: Iterable[float]) -> float:
    return float(np.mean(list(values)))


if __name__ == "__main__":
    main()
