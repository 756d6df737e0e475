"""An audit in the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from evenhand._counts import number_of
from evenhand.cli import tables
from evenhand.cli.show import clean, console, interval, percent, table, worded
from evenhand.evaluation.metric_view import by_metric, metric_of

WORDS = 3
"""Words of a class that are shown."""
SHOWN = 8
"""Lines of slices and of suspects; all are in the JSON."""


def show_audit(found: Mapping[str, Any], metric: str = "accuracy", *, verbose: bool = False) -> None:
    """Write the bottom line, then the evaluation and, if there are any, slices, a plan and suspects.

    With `verbose`, also write probes, costs outside the task, the test behind the verdict, and matches with
    the known groups.
    """
    screen = console()
    for line in found["bottom_line"]:
        screen.print(worded(line), soft_wrap=True)
    screen.print()
    before = [by_metric(found["before"], metric)] if found["before"] else []
    found = by_metric(found, metric)
    screen.print(tables.methods([*before, found]))
    screen.print()
    for kind in ("classes", "groups"):
        if found[kind]:
            title = f"{kind.capitalize()}, {found['split']} split, {found['method']}"
            screen.print(tables.rates(title, found[kind], metric_of(found)))
            screen.print()
    shown = [one for one in found["slices"] if one["beyond_chance"] and one["same_as"] is None]
    tables_shown = [
        _words(found["associations"]),
        _columns(found["associations"]["columns"]),
        _slices(shown, found["models"]),
        _plan(found["gaps"]),
        _suspects(found["suspects"]),
    ]
    if verbose:
        tables_shown += [_probes(found["probes"]), _costs(found["costs"])]
    for made in tables_shown:
        if made is not None:
            screen.print(made)
            screen.print()
    matches = [f"shortcut: {found['signs']['reason']}", *map(_match, found["matches"])] if verbose else []
    for note in [*_read(found["associations"], found["notes"]), *matches, *found["notes"]]:
        screen.print(worded(note), soft_wrap=True)


def _words(found: Mapping[str, Any]) -> Table | None:
    if not found["words"] or found["no_words"] is not None:
        return None
    numbers = ("difference", "at least")
    title = f"What goes with the label in {found['n']:,} training rows, in standard deviations; not a proof"
    made = table(title, "class", "word", *numbers, right=numbers)
    for label in dict.fromkeys(one["label"] for one in found["words"]):
        for one in [one for one in found["words"] if one["label"] == label][:WORDS]:
            sure = f"{one['low']:.2f}" if one["goes_with_label"] else "may be chance or the class itself"
            made.add_row(clean(label), clean(one["word"]), f"{one['difference']:.2f}", sure)
    return made


def _columns(columns: Sequence[Mapping[str, Any]]) -> Table | None:
    if not columns:
        return None
    numbers = ("association", "predicted within class %", "chance %", "accuracy drop, points")
    made = table("Columns of the training rows", "column", "verdict", *numbers, "why", right=numbers)
    for one in columns:
        association = "{value:.2f} ({low:.2f}–{high:.2f})".format(**one["association"])
        figures = (association, interval(one["readable"]), percent(one["chance"]), interval(one["fall"]))
        why = one["sentence"].removeprefix(f"{one['column']}: ")
        made.add_row(clean(one["column"]), one["verdict"], *figures, clean(why))
    return made


def _read(found: Mapping[str, Any], notes: Sequence[str]) -> list[str]:
    """Return sentences on what goes with the label, and on a probe that cannot see the class names."""
    read = found["legibility"]
    said = [] if f"no words: {found['no_words']}" in notes else [found["sentence"]]
    if read is None:
        return said
    return [
        *said,
        f"the class names alone predict the label with a balanced accuracy of {interval(read['by_names'])} "
        f"% on the training rows, a probe without them with {interval(read['without_names'])} %; "
        f"{number_of(read['contradicting'], 'row contradicts', 'rows contradict')} it",
    ]


def _match(one: Mapping[str, Any]) -> str:
    return (
        f"slices by {one['method']} of {one['model']}'s errors, compared with the known groups: "
        f"precision at 10 {one['mean_precision']:.2f}, "
        f"adjusted mutual information within classes {one['adjusted_mutual_information']:.2f}"
    )


def _slices(slices: Sequence[Mapping[str, Any]], models: Sequence[str]) -> Table | None:
    if not slices:
        return None
    numbers = ("n", *(f"{model} error %" for model in models), "over class", "p")
    title = (
        "Slices with more errors than their class, beyond chance; found on half of the rows, tested on the "
        "other half"
    )
    made = table(title, "slice", "errors of", *numbers, "in words", right=numbers)
    for one in slices[:SHOWN]:
        rates = [interval(one["errors_of"][model]) for model in models]
        cells = (str(one["n"]), *rates, f"+{percent(one['lift'])}", f"{one['p_corrected']:.1g}")
        made.add_row(clean(one["name"]), clean(one["model"]), *cells, clean(one["sentence"]))
    return made


def _plan(gaps: Sequence[Mapping[str, Any]]) -> Table | None:
    planned = [one for one in gaps if one["needed"] is not None]
    if not planned:
        return None
    numbers = ("rows", "rest of its class", "detects a gap of", "rows needed", "to collect")
    title = (
        "Test rows: the gap that they detect in four of five tests, and the rows that the planned gap needs"
    )
    made = table(title, "group", *numbers, right=numbers)
    for one in planned:
        shown = "–" if one["detectable"] is None else f"{percent(one['detectable'])} points"
        missing = max(0, one["needed"] - one["n"])
        counts = (str(one["n"]), str(one["others"]), shown, str(one["needed"]), str(missing))
        made.add_row(clean(one["name"]), *counts)
    return made


def _probes(probes: Sequence[Mapping[str, Any]]) -> Table | None:
    if not probes:
        return None
    title = "Attributes: how well a probe predicts them, and how many predictions flip when they are swapped"
    made = table(title, "attribute", "model", "predicted %", "flips %", right=("predicted %", "flips %"))
    for one in probes:
        for side in one["sides"]:
            name = clean(f"{one['attribute']} {one['value']}")
            made.add_row(name, clean(side["model"]), interval(side["readable"]), interval(side["flipped"]))
    return made


def _costs(costs: Sequence[Mapping[str, Any]]) -> Table | None:
    if not costs:
        return None
    numbers = ("before %", "after %", "difference")
    made = table("Cost of the projection outside the task", "use", *numbers, "what it is", right=numbers)
    for one in costs:
        if one["reason"] is not None:
            made.add_row(clean(one["name"]), "–", "–", "–", clean(f"not measured: {one['reason']}"))
            continue
        difference = interval({key: one[key] for key in ("low", "high")} | {"value": one["difference"]})
        shares = (percent(one["before"]), percent(one["after"]), difference)
        made.add_row(clean(one["name"]), *shares, clean(one["meaning"]))
    return made


def _suspects(suspects: Sequence[Mapping[str, Any]]) -> Table | None:
    if not suspects:
        return None
    what = number_of(len(suspects), "calibration row")
    title = f"{what} that every model predicts as another class: look at them, do not just delete them"
    made = table(title, "image", "score", "may be", "why", right=("score",))
    for one in suspects[:SHOWN]:
        made.add_row(clean(one["id"]), f"{one['score']:.2f}", one["may_be"], clean(one["reason"]))
    return made
