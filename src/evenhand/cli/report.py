"""`evenhand report`: results, and the run behind them, as one HTML page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from evenhand._outputs import AUDIT_FILES, check_page, keep_apart, page_files
from evenhand.cli.devices import Device, check_device, choose_device
from evenhand.cli.early import check_moved, check_vocabulary
from evenhand.cli.options import Json, Metric, MovedModel, Threads, VocabularyFile, examples, set_threads

NAME = "report"
EXAMPLES = examples(
    "evenhand report birds.run --out report.html",
    "evenhand report out/compare --out compare.html",
    "evenhand report scans.run --metric auroc --out scans.html",
)


def command(
    source: Annotated[Path, typer.Argument(help="Folder that fit or compare wrote.")],
    out: Annotated[Path, typer.Option(help="HTML file to write.")] = Path("report.html"),
    store: Annotated[Path | None, typer.Option(help="New location of the run's store, if it moved.")] = None,
    model: MovedModel = None,
    vocabulary: VocabularyFile = None,
    metric: Metric = "accuracy",
    saliency: Annotated[
        bool, typer.Option(help="Show saliency maps: where the model looks in an image.")
    ] = True,
    device: Device = "auto",
    threads: Threads = None,
    json: Json = False,
) -> None:
    """Write an HTML report: verdict, figures, map, slices and settings.

    The report is one file that loads nothing from other hosts. It shows images and saliency maps, too.

    For a run, slices.csv, errors.csv and suspects.csv go into the folder NAME-files next to the report.
    """
    set_threads(threads)
    check_device(device)
    check_page(out, of_run=False)
    check_moved(model)
    check_vocabulary(vocabulary)

    from evenhand.runs.card import check_results

    # A wrong folder is reported at once, before NumPy and torch are imported.
    check_results(source)

    from evenhand.data.store_card import read_card
    from evenhand.reports.source import read_source
    from evenhand.runs.store_place import check_store

    if store is not None:
        read_card(store)
    results, run = read_source(source)
    if run is not None:
        check_page(out, of_run=True)
        keep_apart(out, [run, check_store(run, store), vocabulary])

    on = choose_device(device)

    from evenhand.audits.error_analysis import analyze_run
    from evenhand.cli.bar import progress_bar
    from evenhand.cli.show import as_json, clean, console
    from evenhand.cli.suggest import suggest
    from evenhand.reports.page import report

    with progress_bar() as progress:
        analysis = None
        if run is not None:
            analysis = analyze_run(run, store, model, vocabulary=vocabulary, device=on, progress=progress)
        report(results, out, analysis=analysis, saliency=saliency, metric=metric, progress=progress)
    if json:
        as_json({"out": str(out), "bytes": out.stat().st_size})
    else:
        files = f", and {page_files(out)}: {', '.join(AUDIT_FILES)}" if run is not None else ""
        console().print(clean(f"written to {out}{files}"), soft_wrap=True)
        if run is not None:
            suggest("predict", run, "NEW-IMAGES", "--out", "predictions.csv")
