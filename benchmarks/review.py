"""How near some answers about images come to the true worst group, against rows asked at random.

Answers are simulated from the attribute that the sets know, 5 % of them wrong. Each set is evaluated as it
is, with balanced groups, and with a test split in which exceptions are as rare as in a user's data
(`--rare`). Without `--data` the sets are the drawn scenes.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from _sets import all_sets, import_features, pacs
from sklearn.linear_model import LogisticRegression

from evenhand._random import numpy_stream
from evenhand._typing import Bools, Ints
from evenhand.data import FeatureTable
from evenhand.review import Answer, AttributeEstimate, ReviewRows, choose_rows, review_rows
from evenhand.review.choose import rounds
from evenhand.review.estimate import estimate_on

COUNTS = (20, 40, 80)
SETTINGS = ("balanced", "rare")
WRONG = 0.05
WAYS = ("chosen", "random")
QUESTIONS = {"domain": "photo"}
"""The value that is asked about; of other attributes the first in the alphabet."""


@dataclass(frozen=True)
class Case:
    """A set with its model, and the truth that only the simulated person knows."""

    family: str
    rows: ReviewRows
    yes: Bools

    def truth(self) -> float:
        """Return the true worst-group accuracy."""
        cells = 2 * self.rows.y + self.yes[self.rows.numbers]
        return min(float(self.rows.right[cells == cell].mean()) for cell in np.unique(cells))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--rare", type=float, default=0.08, help="share of exceptions in the second setting")
    parser.add_argument("--repeats", type=int, default=2, help="simulated persons of each set")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1], help="which sets of each family")
    parser.add_argument("--families", nargs="+", help="which families, as the runs name them")
    parser.add_argument("--settings", nargs="+", default=SETTINGS, help="which test splits")
    parser.add_argument("--ways", nargs="+", default=WAYS, help="how rows are asked about")
    parser.add_argument("--answers", type=int, nargs="+", default=COUNTS, help="how many answers")
    parser.add_argument("--join", type=Path, nargs="+", help="earlier --out files to tabulate, without runs")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    if options.join:
        found = [run for path in options.join for run in json.loads(path.read_text())["runs"]]
    else:
        with tempfile.TemporaryDirectory() as cache:
            found = list(measured(Path(cache), options))
    print(table(found))
    if options.out is not None:
        options.out.write_text(json.dumps({"runs": found, "table": table(found)}, indent=2))


def measured(cache: Path, options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    for family, seed, found, attribute in sets(cache, options.data):
        if seed not in options.seeds or family not in (options.families or [family]):
            continue
        yes = found.attributes[attribute] == asked(found, attribute)
        for setting in options.settings:
            shown = found if setting == "balanced" else thinned(found, yes, options.rare, seed)
            case = Case(family, with_probe(shown, seed), yes)
            for way in options.ways:
                for repeat in range(options.repeats):
                    for run in tried(case, setting, way, 100 * seed + repeat, options.answers):
                        print(json.dumps(run), file=sys.stderr, flush=True)
                        yield run


def sets(cache: Path, data: Path | None) -> Iterator[tuple[str, int, FeatureTable, str]]:
    if data is None:
        yield from all_sets(cache, None)
        return
    for name, attribute in (
        ("composites", "background"),
        ("realclip", "attribute"),
        ("grocery", "attribute"),
    ):
        for folder in sorted(path for path in (data / name).iterdir() if path.is_dir()):
            family, _, number = folder.name.rpartition("-")
            yield f"{name} {family}", int(number), import_features(folder, cache, attribute), attribute
    yield "pacs", 0, pacs(data, cache), "domain"


def asked(found: FeatureTable, attribute: str) -> str:
    return QUESTIONS.get(attribute) or str(np.unique(found.attributes[attribute])[0])


def thinned(found: FeatureTable, yes: Bools, share: float, seed: int) -> FeatureTable:
    """Drop test rows until the rarer side of each class in training is `share` of its rows, or 8 rows."""
    split = found.split.copy()
    for code in range(len(found.classes)):
        train, test = (found.rows(name)[found.y[found.rows(name)] == code] for name in ("train", "test"))
        rare = yes[train].mean() < 0.5
        rows = test[yes[test] == rare]
        kept = max(8, round(share / (1 - share) * (len(test) - len(rows))))
        split[numpy_stream(seed, "thinned", code).permutation(rows)[kept:]] = "unused"
    return replace(found, split=split)


def with_probe(found: FeatureTable, seed: int) -> ReviewRows:
    """Return the rows as a linear probe, the usual classifier of a user, classifies them."""
    rows = review_rows(found, seed=seed)
    train, embed = found.rows("train"), rows.signs.model.embed
    probe = LogisticRegression(max_iter=300).fit(embed(found.features(train)), found.y[train])
    right = probe.predict(embed(found.features(rows.numbers))) == rows.y
    return replace(rows, right=right, model="linear_probe")


def tried(case: Case, setting: str, way: str, seed: int, counts: Sequence[int]) -> Iterator[dict[str, Any]]:
    """Yield what is estimated after each number of answers, given to one growing list of rows."""
    person = numpy_stream(seed, "person")
    answers: dict[int, Answer] = {}
    for n in rounds(max(counts)):
        for row, why in ask(case.rows, answers, n, way, seed):
            wrong = person.random() < WRONG
            answers[row] = Answer("yes" if case.yes[row] != wrong else "no", why)
        if len(answers) in counts:
            named = {"family": case.family, "setting": setting, "way": way, "person": seed}
            yield named | figures(case, answers, seed)


def ask(rows: ReviewRows, answers: dict[int, Answer], n: int, way: str, seed: int) -> Sequence[Any]:
    if way == "chosen":
        return choose_rows(rows, answers, n, seed)
    left: Ints = np.setdiff1d(rows.numbers, list(answers))
    return [(int(row), "random") for row in numpy_stream(seed, "ask", len(answers)).choice(left, n, False)]


def figures(case: Case, answers: dict[int, Answer], seed: int) -> dict[str, Any]:
    start = time.perf_counter()
    truth, yes = case.truth(), case.yes[case.rows.numbers]
    try:
        found = estimate_on(case.rows, answers, seed=seed)
    except Exception as error:  # two answers of a kind are missing: no figure, and the table counts it
        return {"answers": len(answers), "failed": str(error)}
    return {
        "answers": len(answers),
        "truth": truth,
        "value": found.worst_group.value,
        "low": found.worst_group.low,
        "high": found.worst_group.high,
        "hard": hard_groups(case, found),
        "attribute": float((found.values[case.rows.numbers] == np.where(yes, "yes", "no")).mean()),
        "error": found.error.value,
        "error_low": found.error.low,
        "error_high": found.error.high,
        "verdict": found.verdict.shortcut,
        "seconds": time.perf_counter() - start,
    }


def hard_groups(case: Case, found: AttributeEstimate) -> float:
    """Return the worst group where the estimated attribute is taken for the truth."""
    cells = 2 * case.rows.y + (found.values[case.rows.numbers] == "yes")
    return min(float(case.rows.right[cells == cell].mean()) for cell in np.unique(cells))


def table(runs: Sequence[dict[str, Any]]) -> str:
    """Return a Markdown table of the means by setting, way of asking and number of answers."""
    lines = [
        "| test split | rows | answers | worst group is off by | taken as truth | interval holds it "
        "| its width | attribute right | found / no sign / cannot tell | failed |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for setting in SETTINGS:
        for n in sorted({run["answers"] for run in runs}):
            for way in WAYS:
                of = [r for r in runs if (r["setting"], r["way"], r["answers"]) == (setting, way, n)]
                if not of:
                    continue
                lines.append(f"| {setting} | {way} | {n} | {_line(of)} |")
    return "\n".join(lines)


def _line(runs: Sequence[dict[str, Any]]) -> str:
    done = [run for run in runs if "failed" not in run]
    off = np.mean([abs(run["value"] - run["truth"]) for run in done])
    hard = np.mean([abs(run["hard"] - run["truth"]) for run in done])
    holds = np.mean([run["low"] <= run["truth"] <= run["high"] for run in done])
    width = np.mean([run["high"] - run["low"] for run in done])
    attribute = np.mean([run["attribute"] for run in done])
    words = [run["verdict"] for run in done]
    counts = " / ".join(str(words.count(word)) for word in ("found", "no sign", "cannot tell"))
    return (
        f"{100 * off:.1f} | {100 * hard:.1f} | {100 * holds:.0f} % | {100 * width:.0f} "
        f"| {100 * attribute:.0f} % | {counts} | {len(runs) - len(done)}"
    )


if __name__ == "__main__":
    main()
