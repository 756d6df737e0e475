"""`evenhand fit`: train one method on a store."""

from __future__ import annotations

import json as jsons
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from evenhand._errors import EvenhandError
from evenhand.cli.options import GroupBy, Json, Seed, Threads, examples, set_threads

NAME = "fit"
EXAMPLES = examples(
    "evenhand fit birds.store --method cfr --out birds.run",
    "evenhand fit birds.store --method erm --param epochs=50 --seed 1 --out erm.run",
)


def command(
    store: Annotated[Path, typer.Argument(help="Store that embed or import made.")],
    out: Annotated[Path, typer.Option(help="Run folder to write.")],
    method: Annotated[str, typer.Option(help="zero_shot, linear_probe, erm, cfr or dfr.")] = "cfr",
    group_by: GroupBy = None,
    validation_from: Annotated[
        Literal["train", "given"], typer.Option(help="Split validation off training, or use the given split.")
    ] = "train",
    calibrate_confidence: Annotated[
        bool, typer.Option("--calibrate-confidence", help="Fit a temperature on rows that trained nothing.")
    ] = False,
    param: Annotated[list[str] | None, typer.Option(help="NAME=VALUE for the method; repeatable.")] = None,
    seed: Seed = 0,
    threads: Threads = 1,
    json: Json = False,
) -> None:
    """Train one method on the cached features, and evaluate it on the test split."""
    set_threads(threads)
    params = read_params(param or [])

    from evenhand.cli.results import show_results
    from evenhand.data.store import read_store
    from evenhand.experiments.run import fit_run

    results = fit_run(
        read_store(store),
        method=method,
        out=out,
        seed=seed,
        group_by=group_by,
        validation_from=validation_from,
        params=params,
        confidence=calibrate_confidence,
    )
    show_results(results, out, json=json)


def read_params(texts: list[str]) -> dict[str, Any]:
    """Return {name: value} of NAME=VALUE texts; values are JSON where they can be, text otherwise.

    Raises
    ------
    EvenhandError
        If a text has no name or no equals sign, or a name comes twice.
    """
    params: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name or name in params:
            raise EvenhandError(f"--param got {text!r}; give each parameter once as NAME=VALUE")
        try:
            params[name] = jsons.loads(value)
        except jsons.JSONDecodeError:
            params[name] = value
    return params
