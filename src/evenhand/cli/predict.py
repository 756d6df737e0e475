"""`evenhand predict`: a fitted run on new images or features."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from evenhand._errors import EvenhandError
from evenhand.cli.options import Device, Json, Threads, examples, set_threads

NAME = "predict"
EXAMPLES = examples(
    "evenhand predict birds.run new-photos/ --out predictions.csv",
    "evenhand predict my.run --features new.npy --out predictions.csv",
)


def command(
    run: Annotated[Path, typer.Argument(help="Run folder that fit made.")],
    source: Annotated[Path | None, typer.Argument(help="Images: a folder, a CSV or a Parquet table.")] = None,
    out: Annotated[Path, typer.Option(help="CSV to write.")] = Path("predictions.csv"),
    features: Annotated[Path | None, typer.Option(help="X.npy instead of images.")] = None,
    device: Device = "auto",
    threads: Threads = None,
    json: Json = False,
) -> None:
    """Write path, predicted class and the probability of each class, one row per image."""
    if (source is None) == (features is None):
        raise EvenhandError("predict takes images or --features X.npy; give exactly one of the two")
    set_threads(threads)
