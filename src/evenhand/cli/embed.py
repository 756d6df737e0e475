"""`evenhand embed`: images through a frozen model, once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from evenhand.backbones.outline import outline_of
from evenhand.backbones.typed_names import check_site
from evenhand.cli.devices import Device
from evenhand.cli.early import check_images, check_model, check_root
from evenhand.cli.engine import Actors, Address, EngineOption, check_engine, choose_engine
from evenhand.cli.options import (
    AttributeColumns,
    BatchSize,
    ClassNames,
    Json,
    LabelColumn,
    MaxPixels,
    PathColumn,
    Precision,
    Pretrained,
    Root,
    Seed,
    SplitBy,
    SplitColumn,
    SplitFile,
    Threads,
    Workers,
    examples,
    listed,
    one_of,
    read_mapping,
    read_templates,
    set_threads,
)
from evenhand.cli.show import complain

NAME = "embed"
EXAMPLES = examples(
    "evenhand embed photos/ --model ViT-L-14-336 --pretrained openai --out birds.store",
    "evenhand embed rows.csv --model tiny --class-names 0=landbird,1=waterbird --out birds.store",
    "evenhand embed hf://datasets/ORG/NAME:train --model ViT-L-14 --pretrained openai --out web.store",
    "evenhand embed s3://bucket/shards --model ViT-L-14 --pretrained openai --engine ray --address auto "
    "--out web.store",
)
Activation = Literal["gelu", "quickgelu"]
NumberType = Literal["float16", "float32"]
Decode = Literal["reduced", "full"]


def command(
    source: Annotated[
        Path,
        typer.Argument(help="Folder, archive or table of images, also at s3://, gs:// or hf://datasets/."),
    ],
    out: Annotated[Path, typer.Option(help="Store to write, or to resume.")],
    model: Annotated[
        str,
        typer.Option(
            help="Model: open_clip name, local-dir:FOLDER, hf:NAME or FOLDER, hf-hub:NAME, or tiny."
        ),
    ],
    pretrained: Pretrained = None,
    preprocess: Annotated[
        str | None,
        typer.Option(
            help="Preprocessing: mean=0.5,std=0.5,size=224,interpolation=bicubic,resize_mode=squash, or an "
            "open_clip tag."
        ),
    ] = None,
    activation: Annotated[
        Activation | None,
        one_of(Activation, "Activation of a checkpoint file, which does not record its own."),
    ] = None,
    class_names: ClassNames = None,
    templates: Annotated[
        str | None,
        typer.Option(
            help="Prompt templates: openai, simple, or a file with one per line and {} or {c} for the class."
        ),
    ] = None,
    label_column: LabelColumn = "label",
    attribute_columns: AttributeColumns = None,
    split_column: SplitColumn = "split",
    split_by: SplitBy = None,
    split_file: SplitFile = None,
    path_column: PathColumn = None,
    root: Root = None,
    layout: Annotated[
        str | None,
        typer.Option(
            help="Meaning of the folder levels, such as domain/class or split/*/class; by default inferred. "
            "For a table, attributes in its paths, such as */patient/*."
        ),
    ] = None,
    shots: Annotated[
        int | None,
        typer.Option(min=1, help="Number of training images per class, drawn with --seed; by default all."),
    ] = None,
    batch_size: BatchSize = 64,
    workers: Workers = None,
    dtype: Annotated[NumberType, one_of(NumberType, "Number type of the stored features.")] = "float16",
    precision: Precision = "fp32",
    site: Annotated[
        str | None,
        typer.Option(
            help="Part to train: by default the projection; attnpool for a ResNet's attention pool."
        ),
    ] = None,
    decode: Annotated[
        Decode | None,
        one_of(
            Decode,
            "How to decode large JPEGs: in full, the default, or at a fraction of their size.",
        ),
    ] = None,
    thumbnails: Annotated[bool, typer.Option(help="Keep 64-pixel thumbnails.")] = True,
    max_pixels: MaxPixels = None,
    strict: Annotated[bool, typer.Option("--strict", help="Stop at the first broken image.")] = False,
    engine: EngineOption = "local",
    address: Address = None,
    actors: Actors = None,
    device: Device = "auto",
    seed: Seed = 0,
    threads: Threads = None,
    json: Json = False,
) -> None:
    """Run every image through a frozen model once. To resume, run the same command again."""
    set_threads(threads)
    check_engine(engine, precision=precision, address=address, actors=actors, device=device)
    names, wanted = read_mapping(class_names), read_templates(templates)
    check_images(source)
    check_root(root)
    check_model(model, precision, pretrained, preprocess=preprocess, activation=activation)
    check_site(site)

    from evenhand.data.store_identity import begun_identity, check_begun, check_free

    check_free(out)
    check_begun(
        out,
        **outline_of(model)._asdict(),
        pretrained=pretrained,
        dtype=dtype,
        thumbnails=thumbnails,
        precision=None if precision == "auto" else precision,
        decode=decode,
        site=site,
    )

    from evenhand.data.images.first_look import look_at_first
    from evenhand.data.images.pixel_limit import set_pixel_limit
    from evenhand.data.manifest import Manifest
    from evenhand.data.store import check_shares_images

    set_pixel_limit(max_pixels)
    manifest = Manifest.read(  # what is wrong with the images is reported before torch is imported
        source,
        label_column=label_column,
        attribute_columns=listed(attribute_columns),
        split_column=split_column,
        path_column=path_column,
        root=root,
        layout=layout,
        split_by=split_by,
        split_file=split_file,
        class_names=names,
        seed=seed,
        shots=shots,
    )
    check_shares_images(out, manifest.ids.tolist())
    if begun_identity(out) is None:
        look_at_first(manifest.paths.tolist(), strict=strict)
    for note in manifest.notes:
        complain("note", note)

    from evenhand.backbones.load import load_backbone
    from evenhand.cli.bar import progress_bar
    from evenhand.cli.freed_memory import keep_freed_memory
    from evenhand.cli.store import show_store
    from evenhand.extract.embed_images import embed

    where, own_device = choose_engine(engine, address=address, actors=actors, device=device, threads=threads)
    backbone = load_backbone(
        model,
        pretrained,
        device=own_device,
        precision=precision,
        site=site,
        preprocess=preprocess,
        activation=activation,
    )
    keep_freed_memory()
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
            decode=decode,
            engine=where,
            progress=progress,
        )
    for note in table.notes:
        complain("note", note)
    show_store(table, out, notes=[*manifest.notes, *table.notes], json=json, told=True)
