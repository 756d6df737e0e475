"""How often what goes with the label is named, and how often something is where nothing does.

    python benchmarks/naming.py --data DIR --out out/bench/naming.json

Each set is looked at as it is, without counterexamples (training rows whose attribute is not the commonest of
their class are dropped), and without a shortcut (recipes that have none, and balanced test rows in place of
training). The known attribute is used for the figures alone. A name counts where it is the attribute of most
rows of the class, in the words of the set; attributes that are a class of the set cannot be named. `mean` is
the method to beat: class means without the class names, against words, in one line.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from _sets import SCENES, all_sets
from _timing import machine
from rich.console import Console
from rich.table import Table

from evenhand import load_openclip
from evenhand.audits.associations import Associations, find_associations
from evenhand.audits.naming import beside_classes
from evenhand.audits.text_tower import TextTower, load_tower
from evenhand.audits.vocabulary import Vocabulary, common_words
from evenhand.data import FeatureTable, import_embeddings, load_store
from evenhand.runs.models import zero_shot_model

CIFAR = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
"""The words that the CLIP of the photographs was trained on."""
SMALL, DRAWS = 400, 5
"""Rows of small sets without a shortcut, and how many are drawn from each large one."""
TOP = 3
NOISE, RANDOM = 8, "random column "
"""Columns at random in sets without a shortcut, and how their names start."""


@dataclass(frozen=True)
class Case:
    """A set as it is looked at; `kind` is `as it is`, `no counterexamples` or `no shortcut`."""

    family: str
    name: str
    kind: str
    table: FeatureTable
    attribute: str


def main() -> None:
    """Look at every set, print the tables and write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder of real data; scenes alone without it")
    parser.add_argument("--cache", type=Path, default=Path("out/bench/sets"))
    parser.add_argument("--out", type=Path, default=Path("out/bench/naming.json"))
    given = parser.parse_args()
    torch.set_num_threads(1)
    rows = [measured(case, given.data) for case in cases(given.cache, given.data)]
    show(rows)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"machine": machine(), "sets": rows}, indent=1, ensure_ascii=False)
    given.out.write_text(text + "\n", encoding="utf-8")


def cases(cache: Path, data: Path | None) -> Iterator[Case]:
    """Yield every set as it is, without counterexamples and without a shortcut."""
    flat = {recipe.name for recipe in SCENES if recipe.correlation == 0.5} | {"flat"}
    for family, seed, table, attribute in sets(cache, data):
        name = f"{family}-{seed}"
        if family in flat or "-flat" in family:
            yield from without_shortcut(family, name, table, attribute)
            continue
        yield Case(family, name, "as it is", table, attribute)
        yield Case(family, name, "no counterexamples", majority(table, attribute), attribute)
        balanced = replace(table, split=np.where(table.split == "test", "train", "unused"))
        yield from without_shortcut(family, name, balanced, attribute)


def sets(cache: Path, data: Path | None) -> Iterator[tuple[str, int, FeatureTable, str]]:
    """Yield the sets whose attribute has a name: not PACS, whose rows have no text."""
    for family, seed, table, attribute in all_sets(cache, data):
        # The photographs are one set, whatever the seed.
        if family != "pacs" and (family, seed) != ("photographs", 1):
            yield family, seed, table, attribute
    for folder in [] if data is None else sorted((data / "realclip").iterdir()):
        store = cache / f"{folder.name}.store"
        if not (store / "card.json").exists():
            import_embeddings(
                [folder / "features.npy"],
                folder / "rows.csv",
                label_column="label",
                out=store,
                text_features=folder / "text.npy",
                attribute_columns=["attribute"],
            )
        family, _, number = folder.name.rpartition("-")
        yield family, int(number), load_store(store), "attribute"


def without_shortcut(family: str, name: str, table: FeatureTable, attribute: str) -> Iterator[Case]:
    """Yield a set without a shortcut, and small draws from its training rows."""
    yield Case(family, name, "no shortcut", with_noise(table), attribute)
    rows = table.rows("train")
    for draw in range(DRAWS if len(rows) > 2 * SMALL else 0):
        few = np.random.default_rng(draw).choice(rows, SMALL, replace=False)
        split = np.full(len(table), "unused")
        split[few] = "train"
        yield Case(family, f"{name}, draw {draw}", "no shortcut", replace(table, split=split), attribute)


def with_noise(table: FeatureTable) -> FeatureTable:
    """Return a table with `NOISE` more columns of 2, 3, 5 or 10 values at random."""
    generator = np.random.default_rng(0)
    noise = {
        f"{RANDOM}{k}": generator.integers(0, (2, 3, 5, 10)[k % 4], len(table)).astype(np.str_)
        for k in range(NOISE)
    }
    return replace(table, attributes={**table.attributes, **noise})


def majority(table: FeatureTable, attribute: str) -> FeatureTable:
    """Return a table whose training rows have the commonest attribute of their class."""
    usual = commonest(table, attribute)
    of_row = np.array([usual[code] for code in table.y])
    against = (table.split == "train") & (table.attributes[attribute] != of_row)
    return replace(table, split=np.where(against, "unused", table.split))


def commonest(table: FeatureTable, attribute: str) -> list[str]:
    """Return the commonest attribute of each class in training."""
    rows = table.rows("train")
    found = []
    for code in range(len(table.classes)):
        own = table.attributes[attribute][rows[table.y[rows] == code]]
        values, counts = np.unique(own, return_counts=True)
        found.append(str(values[counts.argmax()]))
    return found


def measured(case: Case, data: Path | None) -> dict[str, Any]:
    """Return what is named in one set, and at which rank the attribute stands."""
    tower, why = words_of(case, data)
    found = find_associations(case.table, zero_shot_model(case.table), tower, why, seed=0)
    return {
        "family": case.family,
        "set": case.name,
        "kind": case.kind,
        "rows": found.n,
        "no_words": found.no_words,
        "alarm": bool(found.sure_words()),
        "named": found.sure_words(),
        "ranks": [] if tower is None or case.kind == "no shortcut" else ranks(case, tower, found),
        "columns": {one.column: one.verdict for one in found.columns},
        "contradicting": None if found.legibility is None else found.legibility.contradicting,
        "against": against(case),
        "default_vocabulary": default_vocabulary(case, data),
    }


def words_of(case: Case, data: Path | None) -> tuple[TextTower | None, str]:
    """Return the words that the model of a set knows."""
    if "family" in case.table.card and case.table.card["family"] != "import":
        given = Vocabulary(CIFAR, "CIFAR-10") if case.family == "photographs" else None
        return load_tower(case.table, given), ""
    if case.table.head.text is None or case.table.head.text.shape[1] != 128 or data is None:
        return None, "no text tower"
    return photo_words(case.table, data, Vocabulary(CIFAR, "CIFAR-10")), ""


def photo_words(table: FeatureTable, data: Path, vocabulary: Vocabulary) -> TextTower:
    """Return words by the small CLIP that made the composed photographs."""
    backbone = load_openclip(f"local-dir:{data / 'photo-clip'}")
    return load_tower(replace(table, card=backbone.card()), vocabulary)


def default_vocabulary(case: Case, data: Path | None) -> str | None:
    """Return why the default vocabulary says nothing of one set that the small CLIP made."""
    if data is None or (case.name, case.kind) != ("two-0", "as it is"):
        return None
    return photo_words(case.table, data, common_words()).unknown


def ranks(case: Case, tower: TextTower, found: Associations) -> list[dict[str, Any]]:
    """Return the rank of each class's attribute among the words, from 1, by either method."""
    words = tower.vocabulary.words
    by_mean = mean_scores(case.table, tower)
    made = []
    for code, true in enumerate(commonest(case.table, case.attribute)):
        if true not in words:
            continue
        label = case.table.classes[code]
        own = [one.word for one in found.words if one.label == label]
        order = [words[k] for k in np.argsort(-by_mean[code], kind="stable")]
        made.append(
            {
                "label": label,
                "true": true,
                "difference": own.index(true) + 1 if true in own else None,
                "mean": order.index(true) + 1,
                "named": true in found.sure_words().get(label, []),
            }
        )
    return made


def mean_scores(table: FeatureTable, tower: TextTower) -> Any:
    """Return class means without the class names against words, [C, V]."""
    rows = table.rows("train")
    z = beside_classes(zero_shot_model(table).embed(table.features(rows)), table.head.text)
    means = np.stack([z[table.y[rows] == code].mean(axis=0) for code in range(len(table.classes))])
    words = beside_classes(tower.embedded, table.head.text)
    return means @ (words / np.linalg.norm(words, axis=1, keepdims=True)).T


def against(case: Case) -> int:
    """Return how many training rows do not have the commonest attribute of their class."""
    rows, usual = case.table.rows("train"), commonest(case.table, case.attribute)
    of_row = np.array([usual[code] for code in case.table.y[rows]])
    return int((case.table.attributes[case.attribute][rows] != of_row).sum())


def show(rows: Sequence[dict[str, Any]]) -> None:
    """Print naming by family and kind, and alarms where there is no shortcut."""
    console = Console(width=170)
    table = Table(
        "kind", "family", "pairs", "mean 1 / 3", "difference 1 / 3", "surely", "columns", title="naming"
    )
    for kind in ("as it is", "no counterexamples"):
        for family in dict.fromkeys(row["family"] for row in rows if row["kind"] == kind):
            own = [row for row in rows if row["kind"] == kind and row["family"] == family]
            table.add_row(kind, family, *line(own))
        table.add_row(kind, "all", *line([row for row in rows if row["kind"] == kind]))
    console.print(table)
    flat = [row for row in rows if row["kind"] == "no shortcut"]
    for what, own in (
        ("whole sets", [row for row in flat if "draw" not in row["set"]]),
        (f"draws of {SMALL} rows", [row for row in flat if "draw" in row["set"]]),
    ):
        spoken = [row for row in own if row["no_words"] is None]
        alarms = [row["set"] for row in spoken if row["alarm"]]
        console.print(f"no shortcut, {what}: {len(alarms)} alarms of {len(spoken)} in words {alarms}")
        console.print(
            f"no shortcut, {what}: known attribute {counted(own)}; at random {counted(own, RANDOM)}"
        )
    for row in rows:
        if row["default_vocabulary"] is not None:
            console.print(f"{row['set']}, default vocabulary: {row['default_vocabulary']}")


def line(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Return the cells of some sets: ranks at most 1 and `TOP` by either method, and verdicts on columns."""
    found = [one for row in rows for one in row["ranks"]]
    shares = [
        " / ".join(str(sum((one[method] or TOP + 1) <= most for one in found)) for most in (1, TOP))
        for method in ("mean", "difference")
    ]
    return [str(len(found)), *shares, str(sum(one["named"] for one in found)), counted(rows)]


def counted(rows: Sequence[dict[str, Any]], start: str = "") -> str:
    """Return how often each verdict on columns was given, on those at random or on the others."""
    verdicts = [
        verdict
        for row in rows
        for name, verdict in row["columns"].items()
        if name.startswith(RANDOM) == bool(start)
    ]
    return ", ".join(f"{verdicts.count(name)} {name}" for name in sorted(set(verdicts)))


if __name__ == "__main__":
    main()
