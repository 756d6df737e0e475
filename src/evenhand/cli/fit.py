"""`evenhand fit`: train one method on a store."""

from __future__ import annotations

import json as jsons
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from evenhand._errors import EvenhandError
from evenhand.cli.devices import FitDevice, check_fit_device, fit_device
from evenhand.cli.early import check_methods, check_words, read_concepts
from evenhand.cli.options import (
    Concepts,
    GroupBy,
    Json,
    MetricName,
    Seed,
    StoreArgument,
    Threads,
    examples,
    one_of,
    set_threads,
)
from evenhand.cli.params import check_params, chosen_by
from evenhand.methods.registry import METHODS, declares

NAME = "fit"
EXAMPLES = examples(
    "evenhand fit birds.store --out birds.run",
    "evenhand fit scans.store --metric auroc --out scans.run",
    "evenhand fit birds.store --method erm --param epochs=50 --seed 1 --out erm.run",
    "evenhand fit birds.store --method roboshot --concepts words.yaml --out words.run",
)
ValidationFrom = Literal["train", "given"]


def command(
    store: StoreArgument,
    out: Annotated[Path, typer.Option(help="Run folder to write.")],
    method: Annotated[str, typer.Option(help=f"{', '.join(METHODS)}, or a plug-in's name.")] = "auto",
    group_by: GroupBy = None,
    metric: Annotated[
        MetricName,
        one_of(MetricName, "Metric to show for each class and group; with auroc, auto also chooses by it."),
    ] = "accuracy",
    validation_from: Annotated[
        ValidationFrom,
        one_of(ValidationFrom, "Source of the validation rows: split off training, or the given split."),
    ] = "train",
    calibrate_confidence: Annotated[
        bool,
        typer.Option(
            "--calibrate-confidence", help="Fit a temperature for the probabilities on held-out rows."
        ),
    ] = False,
    param: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="Parameter of the method. Repeatable.")
    ] = None,
    concepts: Concepts = None,
    stream: Annotated[
        bool | None, typer.Option(help="Read features in blocks to save memory; by default above 2 GiB.")
    ] = None,
    device: FitDevice = "auto",
    seed: Seed = 0,
    threads: Threads = 1,
    json: Json = False,
) -> None:
    """Fit a model, look for a shortcut, and evaluate on the test split."""
    set_threads(threads)
    params = read_params(param or [])
    check_fit_device(device)
    check_methods([method])
    check_params(method, params)
    check_words(method, concepts)
    words = read_concepts(concepts)

    from evenhand.data.estimated import attribute_names
    from evenhand.data.group_by import check_group_by
    from evenhand.runs.card import check_free
    from evenhand.runs.group_use import no_groups
    from evenhand.runs.streaming import check_can_stream

    # What is wrong with the folder or the options is reported at once, before torch is imported.
    known = attribute_names(store)
    check_group_by(group_by, known)
    if not known and declares(method, "group_labels_used") != "none":
        raise no_groups(method)
    check_can_stream(method, declares(method, "streams"), stream)
    check_free(out)

    from evenhand.data.partition import parts
    from evenhand.data.store import load_store

    table = load_store(store)
    parts(table, validation_from)

    from evenhand.backbones.concepts_from_card import concepts_for
    from evenhand.cli.results import show_results
    from evenhand.cli.suggest import suggest
    from evenhand.runs.fit import fit

    params = {**chosen_by(method, metric), **params}
    results = fit(
        table,
        method=method,
        out=out,
        seed=seed,
        group_by=group_by,
        validation_from=validation_from,
        params=params,
        concepts=None if words is None else concepts_for(table, words),
        calibrate_confidence=calibrate_confidence,
        stream=stream,
        device=fit_device(device),
    )
    show_results(results, out, json=json, metric=metric)
    if not json:
        suggest("report", out)


def read_params(texts: list[str]) -> dict[str, Any]:
    """Return {name: value} of NAME=VALUE texts; values are read as JSON if possible, else as text.

    Raises
    ------
    EvenhandError
        If a text has no name or no equals sign, or a name comes twice.
    """
    params: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name or name in params:
            raise EvenhandError(f"--param: got {text!r}; give each parameter once as NAME=VALUE")
        try:
            params[name] = jsons.loads(value)
        except (ValueError, RecursionError):  # also of thousands of digits or brackets
            params[name] = value
    return params
