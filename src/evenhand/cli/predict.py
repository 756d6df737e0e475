"""`evenhand predict`: a fitted run on new images or features."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from evenhand._errors import EvenhandError
from evenhand._outputs import check_predictions
from evenhand.backbones.names import check_precision
from evenhand.cli.early import check_file, check_images
from evenhand.cli.engine import Actors, Address, EngineOption, check_engine, choose_engine
from evenhand.cli.options import Device, Json, MaxPixels, MovedModel, Threads, Workers, examples, set_threads

NAME = "predict"
EXAMPLES = examples(
    "evenhand predict birds.run new-photos/ --out predictions.csv",
    "evenhand predict my.run --features new.npy --out predictions.csv",
)


def command(
    run: Annotated[Path, typer.Argument(help="Run folder that fit made.")],
    source: Annotated[Path | None, typer.Argument(help="Images: a folder, an archive or a table.")] = None,
    out: Annotated[Path, typer.Option(help="CSV to write.")] = Path("predictions.csv"),
    features: Annotated[Path | None, typer.Option(help="X.npy instead of images.")] = None,
    model: MovedModel = None,
    workers: Workers = None,
    max_pixels: MaxPixels = None,
    precision: Annotated[
        str | None, typer.Option(help="Model numbers: fp32, bf16, fp16, or auto; by default the store's.")
    ] = None,
    engine: EngineOption = "local",
    address: Address = None,
    actors: Actors = None,
    device: Device = "auto",
    threads: Threads = None,
    json: Json = False,
) -> None:
    """Write path, predicted class and the probability of each class, one row per image."""
    if (source is None) == (features is None):
        raise EvenhandError("predict takes images or --features X.npy; give exactly one of the two")
    given = next((name for name, value in _of_images(workers, precision, model).items() if value), None)
    if features is not None and given is not None:
        raise EvenhandError(f"{given} goes with images, but --features came; leave one of them out")
    check_engine(engine, precision=precision, address=address, actors=actors, device=device)
    check_predictions(out)
    if source is not None:
        check_images(source)
    if precision is not None:
        check_precision(precision)
    check_file(features, "--features", "a .npy file")

    from evenhand.experiments.run_folder import read_card

    read_card(run)  # a wrong folder is told at once, before torch is imported
    set_threads(threads)

    from evenhand.cli.bar import progress_bar
    from evenhand.cli.show import as_json, clean, complain, console, table
    from evenhand.cli.tables import MOST, left_out
    from evenhand.data.pixel_limit import set_pixel_limit
    from evenhand.experiments.predict import predict_run

    set_pixel_limit(max_pixels)
    where, own_device = choose_engine(engine, address=address, actors=actors, device=device, threads=threads)
    with progress_bar() as progress:
        found = predict_run(
            run,
            source,
            features=features,
            out=out,
            device=own_device,
            precision=precision,
            model=model,
            workers=workers,
            engine=where,
            progress=progress,
        )
    if json:
        as_json(found)
        return
    console().print(clean(f"{out}: {found['rows']} rows"), soft_wrap=True)
    drawn = table("", "predicted", "n", right=("n",))
    counts = list(found["predicted"].items())
    if len(counts) > MOST:
        counts = sorted(counts, key=lambda one: -one[1])[:MOST]
    for name, count in counts:
        drawn.add_row(clean(name), str(count))
    console().print(drawn)
    if more := left_out(len(found["predicted"]), "classes, predicted less often"):
        console().print(more)
    for image in found["skipped"][:MOST]:
        complain("skipped", f"{image['path']}: {image['reason']}")

    if more := left_out(len(found["skipped"]), "images"):
        complain("skipped", more)


def _of_images(workers: int | None, precision: str | None, model: str | None) -> dict[str, bool]:
    given = {"--workers": workers, "--precision": precision, "--model": model}
    return {name: value is not None for name, value in given.items()}
