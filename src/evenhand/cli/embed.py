"""`evenhand embed`: images through a frozen model, once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from evenhand.cli.engine import Actors, Address, EngineOption, check_precision, choose_engine
from evenhand.cli.options import (
    AttributeColumns,
    ClassNames,
    Device,
    Json,
    LabelColumn,
    Seed,
    SplitColumn,
    Threads,
    Workers,
    examples,
    listed,
    read_mapping,
    read_templates,
    set_threads,
)

NAME = "embed"
EXAMPLES = examples(
    "evenhand embed photos/ --model ViT-L-14-336 --pretrained openai --out birds.store",
    "evenhand embed rows.csv --model tiny --class-names 0=landbird,1=waterbird --out birds.store",
    "evenhand embed s3://bucket/shards --model ViT-L-14 --pretrained openai --engine ray --address auto "
    "--out web.store",
)


def command(
    source: Annotated[
        Path, typer.Argument(help="Folder, archive or table of images, also at s3:// or gs://.")
    ],
    out: Annotated[Path, typer.Option(help="Store to write, or to resume.")],
    model: Annotated[str, typer.Option(help="open_clip name, local-dir:FOLDER, hf:NAME_OR_FOLDER, or tiny.")],
    pretrained: Annotated[str | None, typer.Option(help="open_clip tag, or a checkpoint file.")] = None,
    class_names: ClassNames = None,
    templates: Annotated[
        str | None, typer.Option(help="openai, simple, or a file: one a line, {} or {c} for the class name.")
    ] = None,
    label_column: LabelColumn = "label",
    attribute_columns: AttributeColumns = None,
    split_column: SplitColumn = "split",
    batch_size: Annotated[int, typer.Option(min=1, help="Images per step.")] = 64,
    workers: Workers = None,
    dtype: Annotated[Literal["float16", "float32"], typer.Option(help="Numbers of the store.")] = "float16",
    precision: Annotated[str, typer.Option(help="Model numbers: fp32, bf16, fp16, or auto.")] = "fp32",
    site: Annotated[
        str | None, typer.Option(help="Part to train, where there is a choice: a ResNet's whole attnpool.")
    ] = None,
    thumbnails: Annotated[bool, typer.Option(help="Keep 64-pixel thumbnails.")] = True,
    strict: Annotated[bool, typer.Option("--strict", help="Stop at the first broken image.")] = False,
    engine: EngineOption = "local",
    address: Address = None,
    actors: Actors = None,
    device: Device = "auto",
    seed: Seed = 0,
    threads: Threads = None,
    json: Json = False,
) -> None:
    """Send every image through a frozen model once; interrupted, the same command resumes."""
    set_threads(threads)
    check_precision(engine, precision)
    names, wanted = read_mapping(class_names), read_templates(templates)

    from evenhand.backbones.load import load_backbone
    from evenhand.cli.bar import progress_bar
    from evenhand.cli.store import show_store
    from evenhand.data.manifest import Manifest
    from evenhand.extract.local import embed

    where, own_device = choose_engine(engine, address=address, actors=actors, device=device, threads=threads)
    manifest = Manifest.read(
        source,
        label_column=label_column,
        attribute_columns=listed(attribute_columns),
        split_column=split_column,
        class_names=names,
        seed=seed,
    )
    backbone = load_backbone(model, pretrained, device=own_device, precision=precision, site=site)
    with progress_bar() as progress:
        table = embed(
            manifest,
            backbone,
            out,
            templates=wanted,
            batch_size=batch_size,
            workers=workers,
            thumbnails=thumbnails,
            strict=strict,
            dtype=dtype,
            engine=where,
            progress=progress,
        )
    show_store(table, out, notes=[*manifest.notes, *table.notes], json=json)
