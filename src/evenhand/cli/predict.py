"""`evenhand predict`: a fitted run on new images or features."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from evenhand._errors import EvenhandError
from evenhand._outputs import check_predictions
from evenhand.backbones.typed_names import check_precision
from evenhand.cli.devices import Device
from evenhand.cli.early import check_file, check_images, check_moved, check_root, check_some
from evenhand.cli.engine import Actors, Address, EngineOption, check_engine, choose_engine
from evenhand.cli.options import (
    AttributeColumns,
    Json,
    MaxPixels,
    Metric,
    MovedModel,
    PathColumn,
    Root,
    RunArgument,
    Threads,
    Workers,
    examples,
    listed,
    read_mapping,
    set_threads,
)

NAME = "predict"
EXAMPLES = examples(
    "evenhand predict birds.run new-photos/ --out predictions.csv",
    "evenhand predict birds.run test.csv --label-column species --group-by background",
    "evenhand predict my.run --features new.npy --out predictions.csv",
)


def command(
    run: RunArgument,
    source: Annotated[Path | None, typer.Argument(help="Images: a folder, an archive or a table.")] = None,
    out: Annotated[Path, typer.Option(help="CSV to write.")] = Path("predictions.csv"),
    features: Annotated[
        Path | None, typer.Option(help="Features to predict from, X.npy, instead of images.")
    ] = None,
    model: MovedModel = None,
    label_column: Annotated[
        str | None, typer.Option(help="Column with the labels; by default label, if there is one.")
    ] = None,
    attribute_columns: AttributeColumns = None,
    path_column: PathColumn = None,
    root: Root = None,
    class_names: Annotated[
        str | None,
        typer.Option(help="The run's class for each label of the source: label=class,… or a file."),
    ] = None,
    group_by: Annotated[
        str | None,
        typer.Option(
            help="Attribute that defines the groups, or several: a,b; by default the run's, or the first."
        ),
    ] = None,
    metric: Metric = "accuracy",
    workers: Workers = None,
    max_pixels: MaxPixels = None,
    precision: Annotated[
        str | None,
        typer.Option(help="Precision of the model: fp32, bf16, fp16 or auto; by default the store's."),
    ] = None,
    engine: EngineOption = "local",
    address: Address = None,
    actors: Actors = None,
    device: Device = "auto",
    threads: Threads = None,
    json: Json = False,
) -> None:
    """Predict the class and the class probabilities of every image.

    If the images have labels, from class folders or a column, the CSV also has label, right and the
    attributes. The command then shows accuracy by class, and by group if attributes are known.
    """
    set_threads(threads)
    if (source is None) == (features is None):
        raise EvenhandError("predict takes images or --features X.npy; give exactly one of the two")
    of_images = {
        "--model": model,
        "--workers": workers,
        "--precision": precision,
        "--label-column": label_column,
        "--attribute-columns": attribute_columns,
        "--path-column": path_column,
        "--root": root,
        "--class-names": class_names,
        "--group-by": group_by,
    }
    given = next((name for name, value in of_images.items() if value is not None), None)
    if features is not None and given is not None:
        raise EvenhandError(f"{given} applies to images, but --features was given; leave one out")
    names = read_mapping(class_names) or {}
    check_engine(engine, precision=precision, address=address, actors=actors, device=device)
    check_predictions(out)
    if source is not None:
        check_images(source)
        check_root(root)
    if precision is not None:
        check_precision(precision)
    check_file(features, "features", "a .npy file")
    check_moved(model)

    from evenhand.data.own_embeddings import read_features
    from evenhand.runs.card import check_embeds, check_width, read_card

    # A wrong folder, file or column is reported at once, before torch is imported.
    card = read_card(run)
    if features is not None:
        check_width(read_features([features])[0].shape[1], card["width"])
    if source is not None:
        check_embeds(card)
        check_some(
            source, label_column, listed(attribute_columns), group_by, {"path": path_column, "root": root}
        )

    from evenhand.cli.bar import progress_bar
    from evenhand.cli.freed_memory import keep_freed_memory
    from evenhand.cli.predict_tables import show_predictions
    from evenhand.data.images.pixel_limit import set_pixel_limit
    from evenhand.data.known_labels import LabelOptions
    from evenhand.runs.predict import predict

    set_pixel_limit(max_pixels)
    where, own_device = choose_engine(engine, address=address, actors=actors, device=device, threads=threads)
    keep_freed_memory()
    with progress_bar() as progress:
        found = predict(
            run,
            source,
            features=features,
            out=out,
            device=own_device,
            precision=precision,
            model=model,
            workers=workers,
            engine=where,
            path_column=path_column,
            root=root,
            labels=LabelOptions(label_column, listed(attribute_columns), names),
            group_by=group_by,
            progress=progress,
        )
    show_predictions(found, run, json=json, metric=metric)
