"""`evenhand compare`: methods × seeds on one store."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from evenhand._commands import beside
from evenhand.cli.devices import FitDevice, check_fit_device, fit_device
from evenhand.cli.early import check_methods, read_concepts
from evenhand.cli.options import (
    Concepts,
    GroupBy,
    Json,
    Metric,
    Seed,
    Seeds,
    StoreArgument,
    examples,
    listed,
    one_of,
    set_threads,
)
from evenhand.methods.registry import no_method
from evenhand.selection.rule_names import RuleName

NAME = "compare"
EXAMPLES = examples(
    "evenhand compare birds.store --out birds.compare",
    "evenhand compare birds.store --methods erm,cfr,jtt,dfr --seeds 3 --group-by background",
    "evenhand compare birds.store --oracles --concepts words.yaml --json",
)


def command(
    store: StoreArgument,
    methods: Annotated[
        str, typer.Option(help="Methods to compare: a,b; or all that this store supports.")
    ] = "all",
    seeds: Seeds = 5,
    selection: Annotated[
        RuleName, one_of(RuleName, "Rule that selects configurations, the same for all methods.")
    ] = "shortcut_cell",
    oracles: Annotated[
        bool, typer.Option("--oracles", help="Include methods that use group labels.")
    ] = False,
    concepts: Concepts = None,
    budget: Annotated[int, typer.Option(min=1, help="Maximum number of configurations per method.")] = 5,
    group_by: GroupBy = None,
    metric: Metric = "accuracy",
    jobs: Annotated[
        int | None,
        typer.Option(
            min=1, help="Number of processes, each with one thread; by default one per core, or one on a GPU."
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder to write, or to resume.")] = None,
    device: FitDevice = "auto",
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Compare methods on the same features, splits, budget and seeds.

    One selection rule chooses the configuration of every method.
    """
    set_threads(1)
    check_fit_device(device)
    names = listed(methods) or []
    check_methods(name for name in names if name != "all")
    if not names:
        raise no_method()
    words = read_concepts(concepts)

    from evenhand.comparison.folder import check_free
    from evenhand.data.estimated import attribute_names
    from evenhand.data.group_by import check_group_by

    # A wrong folder is reported at once, before torch is imported.
    check_group_by(group_by, attribute_names(store))
    if out is not None:
        check_free(out)

    from evenhand._cores import cores
    from evenhand.backbones.concepts_from_card import concepts_for
    from evenhand.cli.bar import progress_bar
    from evenhand.cli.compare_table import show_comparison
    from evenhand.cli.suggest import suggest
    from evenhand.comparison.run import compare
    from evenhand.data.store import load_store

    where = fit_device(device)
    table = load_store(store)
    with progress_bar() as progress:
        results = compare(
            table,
            methods=names,
            seeds=range(seed, seed + seeds),
            selection=selection,
            oracles=oracles,
            concepts=None if words is None else concepts_for(table, words),
            budget=budget,
            group_by=group_by,
            jobs=jobs or (cores() if where == "cpu" else 1),
            device=where,
            out=out,
            progress=progress,
        )
    show_comparison(results, out, json=json, metric=metric)
    if json:
        return
    if out is not None:
        suggest("report", out, "--out", beside(out, ".html"))
        return
    kept = results.kept_method[0].method if results.kept_method else "auto"
    suggest("fit", store, "--method", kept, "--out", beside(store, ".run"))
