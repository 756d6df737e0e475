"""`evenhand audit`: what a model gets wrong, where, and what those errors look like."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from evenhand._commands import beside
from evenhand._errors import EvenhandError
from evenhand._outputs import AUDIT_FILES, check_replaceable, check_writable, keep_apart
from evenhand.cli.devices import FitDevice, check_fit_device, fit_device
from evenhand.cli.early import check_vocabulary, store_and_run
from evenhand.cli.options import GroupBy, Json, Metric, Seed, Threads, VocabularyFile, examples, set_threads

NAME = "audit"
EXAMPLES = examples(
    "evenhand audit birds.store",
    "evenhand audit birds.run",
    "evenhand audit birds.store --plan 10",
    "evenhand audit birds.run --out birds.audit",
    "evenhand audit birds.store --against birds.run --fail-under worst-class=0.8 --json",
    "evenhand audit scans.store --metric auroc --fail-under worst-group=0.8",
)
BELOW = 3
"""Exit code when a rate is below its bound."""


def command(
    source: Annotated[
        Path,
        typer.Argument(metavar="STORE|RUN", help="Store that embed or import made, or a run."),
    ],
    against: Annotated[
        Path | None, typer.Option(help="Run fitted on this store, to audit its model as well.")
    ] = None,
    vocabulary: VocabularyFile = None,
    slices: Annotated[int, typer.Option(min=2, help="Number of slices per class and method.")] = 5,
    fail_under: Annotated[
        list[str] | None,
        typer.Option(
            metavar="RATE=BOUND",
            help="Exit with 3 if a rate is below its bound, such as worst-class=0.8. Repeatable.",
        ),
    ] = None,
    metric: Metric = "accuracy",
    plan: Annotated[
        float | None, typer.Option(help="Gap in points: show how many test images are needed to detect it.")
    ] = None,
    verbose: Annotated[
        bool,
        typer.Option(
            "--verbose", help="Also show probes, costs outside the task, and matches with known groups."
        ),
    ] = False,
    group_by: GroupBy = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder to write slices.csv, errors.csv and suspects.csv to.")
    ] = None,
    device: FitDevice = "auto",
    seed: Seed = 0,
    threads: Threads = 1,
    json: Json = False,
) -> None:
    """Say whether there is a shortcut, whom it hurts, and what to do.

    Tables of accuracy and of slices of errors follow. Slices need no group labels. With a text tower, words
    name them. An audit changes no model.
    """
    set_threads(threads)
    check_fit_device(device)
    store, run = store_and_run(source)
    if run is not None and against is not None:
        raise EvenhandError(f"--against: {source} is a run itself; give one run")
    against = run or against
    if out is not None:
        keep_apart(out, [store])
        check_writable(out)
        check_replaceable(out, AUDIT_FILES, argument="out")

    from evenhand.audits.gate import failures, read_bounds
    from evenhand.data.estimated import attribute_names
    from evenhand.data.group_by import check_group_by
    from evenhand.runs.store_place import check_store

    bounds = read_bounds(fail_under or [])
    # A wrong folder is reported at once, before torch is imported.
    check_group_by(group_by, attribute_names(store))
    if against is not None:
        check_store(against, store)
    if plan is not None and not 0 < plan < 100:
        raise EvenhandError(
            f"--plan: {plan:g} is not a gap in accuracy; give points from 0 to 100, such as 10"
        )
    check_vocabulary(vocabulary)

    from evenhand.audits.pipeline import audit
    from evenhand.cli.audit_tables import show_audit
    from evenhand.cli.bar import progress_bar
    from evenhand.cli.show import as_json, clean, complain, console
    from evenhand.cli.suggest import suggest
    from evenhand.data.store import load_store

    with progress_bar() as progress:
        result = audit(
            load_store(store),
            group_by=group_by,
            seed=seed,
            run=against,
            vocabulary=vocabulary,
            slices=slices,
            plan=None if plan is None else plan / 100,
            device=fit_device(device),
            progress=progress,
            out=out,
        )
    found = result.model_dump(mode="json")
    if json:
        as_json(found)
    else:
        show_audit(found, metric, verbose=verbose)
        if out is not None:
            console().print(clean(f"written to {out}: {', '.join(AUDIT_FILES)}"), soft_wrap=True)
    missed = failures(result.rates(metric), bounds, metric)
    if missed:
        complain("below", "; ".join(missed))
        raise typer.Exit(BELOW)
    if not json:
        suggest(*(result.next_command if plan is None else _after_plan(store, against)))


def _after_plan(store: Path, run: Path | None) -> tuple[str | Path, ...]:
    """Return the command that follows a plan: until there are more images, that of what is there."""
    if run is None:
        return "fit", store, "--out", beside(store, ".run")
    return "report", run, "--out", beside(run, ".html")
