"""`evenhand demo`: the main job on drawn scenes, with the embedded model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from evenhand._outputs import check_demo, check_page, check_results
from evenhand.cli.options import Json, Seed, Threads, examples, set_threads

NAME = "demo"
MODEL = ("--model", "ViT-L-14-336", "--pretrained", "openai")
"""The model that is suggested for the user's own photographs."""
EXAMPLES = examples("evenhand demo", "evenhand demo --out out/demo --seeds 5")


def command(
    out: Annotated[Path, typer.Option(help="Folder to write.")] = Path("out/demo"),
    seeds: Annotated[int, typer.Option(min=1, help="Number of runs, each on its own scenes.")] = 3,
    seed: Seed = 0,
    threads: Threads = 1,
    json: Json = False,
) -> None:
    """Audit, fit and compare on drawn scenes with a shortcut.

    The command writes results.json and an HTML report into --out.
    """
    set_threads(threads)
    check_results(out / "results.json")
    check_page(out / "report.html", of_run=True)
    check_demo(out)

    from evenhand.audits.error_analysis import analyze_run
    from evenhand.cli.bar import progress_bar
    from evenhand.cli.results import show_results
    from evenhand.cli.show import clean, console
    from evenhand.cli.suggest import suggest
    from evenhand.reports.page import report
    from evenhand.runs.demo import run_demo, run_folder

    page = out / "report.html"
    with progress_bar() as progress:
        results = run_demo(out, seeds=range(seed, seed + seeds), progress=progress)
        analysis = analyze_run(run_folder(out, seed), progress=progress)
        report(results, page, analysis=analysis, progress=progress)
    show_results(results, out, json=json)
    if not json:
        console().print(clean(f"open {page.resolve()} in a browser"), soft_wrap=True)
        suggest("embed", "PHOTOS", *MODEL, "--out", "my.store")
