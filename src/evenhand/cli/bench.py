"""`evenhand bench`: a benchmark by the paper's protocol, next to the published figures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, get_type_hints

import typer

from evenhand._errors import EvenhandError
from evenhand._outputs import check_results, keep_apart
from evenhand.backbones.outline import outline_of
from evenhand.backbones.typed_names import check_precision, check_site
from evenhand.cli.devices import Device, check_device, choose_device
from evenhand.cli.early import check_images, check_methods, check_model, read_concepts
from evenhand.cli.options import (
    BatchSize,
    Concepts,
    GroupBy,
    Json,
    Precision,
    Pretrained,
    Seed,
    Seeds,
    Threads,
    examples,
    listed,
    set_threads,
)

NAME = "bench"
EXAMPLES = examples(
    "evenhand bench --list",
    "evenhand bench scenes --seeds 3",
    "evenhand bench waterbirds --data birds/ --model RN50 --pretrained openai",
    "evenhand bench waterbirds --data birds/ --download",
)


def command(
    name: Annotated[str | None, typer.Argument(help="Name of the benchmark; --list shows all.")] = None,
    data: Annotated[Path | None, typer.Option(help="Folder with the benchmark's files.")] = None,
    model: Annotated[
        str | None,
        typer.Option(help="Model: open_clip name, local-dir:FOLDER, or tiny, the default for scenes."),
    ] = None,
    pretrained: Pretrained = None,
    out: Annotated[Path | None, typer.Option(help="Folder to write; by default out/bench-NAME.")] = None,
    methods: Annotated[str | None, typer.Option(help="Methods to run: a,b; by default all.")] = None,
    seeds: Seeds = 5,
    group_by: GroupBy = None,
    concepts: Concepts = None,
    param: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="Parameter of the benchmark. Repeatable.")
    ] = None,
    download: Annotated[
        bool,
        typer.Option("--download", help="Download missing files into --data. Without --model, stop there."),
    ] = False,
    show_list: Annotated[bool, typer.Option("--list", help="List the benchmarks and stop.")] = False,
    site: Annotated[
        str | None, typer.Option(help="Part to train: proj, attnpool.c_proj, or a ResNet's whole attnpool.")
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Number of processes; by default one per core.")
    ] = None,
    precision: Precision = "fp32",
    batch_size: BatchSize = 64,
    workers: Annotated[
        int | None,
        typer.Option(min=0, help="Processes that read images; by default one per core, at most 8."),
    ] = None,
    device: Device = "auto",
    seed: Seed = 0,
    threads: Threads = 1,
    json: Json = False,
) -> None:
    """Run all methods on a benchmark, next to the published figures."""
    set_threads(threads)
    if show_list:
        from evenhand.cli.bench_table import show_benchmarks

        show_benchmarks(json=json)
        return
    if name is None:
        raise EvenhandError("bench needs a benchmark's name; evenhand bench --list shows them")

    from evenhand.cli.fit import read_params
    from evenhand.cli.params import check_kinds
    from evenhand.datasets.registry import check_name, dataset_class, make

    params = read_params(param or [])
    check_name(name)
    check_methods(listed(methods) or [])
    check_device(device)
    check_precision(precision)
    check_site(site)
    words = read_concepts(concepts)
    if model is not None:
        check_model(model, precision, pretrained)
    folder = out or Path("out") / f"bench-{name}"
    if data is not None and not download:
        keep_apart(folder, [data])
        if model is not None:  # without one, that is what is reported
            check_images(data, argument="data", what="the folder with the benchmark's files")
    for file in ("results.json", "bench.json"):
        check_results(folder / file)
    check_kinds(name, params, get_type_hints(dataset_class(name)))
    dataset = make(name, **params)

    from evenhand.cli.bench_table import show_bench, show_loaded
    from evenhand.data.group_by import check_group_by
    from evenhand.data.store_identity import check_begun

    if dataset.made_attributes:  # before the images are drawn
        check_group_by(group_by, dataset.made_attributes, what="this benchmark")
    wanted = model or dataset.usual_model
    if download:
        _fetch(name, data)
    elif wanted is None:
        raise EvenhandError(
            f"bench {name} needs --model; the paper's are RN50 and ViT-L-14-336 with --pretrained openai"
        )
    if wanted is not None:  # before the images are drawn and the model is downloaded
        check_begun(
            folder / f"{name}.store",
            **outline_of(wanted)._asdict(),
            pretrained=pretrained,
            precision=None if precision == "auto" else precision,
            site=site,
        )
    manifest = dataset.load(data, folder / "pictures")
    check_group_by(group_by, manifest.attributes, what="this benchmark")
    if wanted is None:
        show_loaded(dataset, manifest, json=json)
        return

    from evenhand._cores import cores
    from evenhand.backbones.load import load_backbone
    from evenhand.bench.run import run_bench
    from evenhand.cli.bar import progress_bar

    backbone = load_backbone(wanted, pretrained, device=choose_device(device), precision=precision, site=site)
    with progress_bar() as progress:
        made = run_bench(
            name,
            dataset,
            manifest,
            backbone,
            folder,
            methods=listed(methods),
            seeds=range(seed, seed + seeds),
            group_by=group_by,
            concepts=words,
            jobs=jobs or cores(),
            batch_size=batch_size,
            workers=workers,
            progress=progress,
        )
    show_bench(made, folder, json=json)


def _fetch(name: str, data: Path | None) -> None:
    """Download into `data`.

    Raises
    ------
    EvenhandError
        If no folder was given.
    """
    if data is None:
        raise EvenhandError("--download needs --data, the folder to download into")

    from evenhand.cli.bar import progress_bar
    from evenhand.datasets.fetch import fetch

    with progress_bar() as progress:
        fetch(name, data, progress=progress)
