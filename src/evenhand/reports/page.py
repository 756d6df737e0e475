"""`evenhand.report`: results, and the run behind them, as one HTML file that requests no other host.

Charts are HTML and SVG, and the map is a canvas with its own script. plotly's bundle alone, 4.8 MB, would be
half of a page with its images, and take most of the time to open it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evenhand._files import atomic, check_replaceable, sweep
from evenhand._outputs import AUDIT_FILES, check_page, keep_apart
from evenhand._progress import Progress, silent
from evenhand.audits.csv_files import write_audit_files
from evenhand.audits.error_analysis import ErrorAnalysis, analyze_run
from evenhand.evaluation.metric_view import by_metric
from evenhand.reports.sections import STEPS, page_values
from evenhand.reports.template import fill


def report(
    results: Any,
    out: Path,
    *,
    run: Path | None = None,
    store: Path | None = None,
    model: str | None = None,
    device: str | None = "cpu",
    vocabulary: Path | None = None,
    metric: str = "accuracy",
    progress: Progress = silent,
) -> Path:
    """Write results, and the run behind them, as one HTML page.

    For a run, slices.csv, errors.csv and suspects.csv go into the folder `files_of(out)`, as from
    `evenhand.audit(..., out=...)`.

    Parameters
    ----------
    results : Results or mapping
        As in `results.json`.
    out : Path
        The HTML file. An earlier report is replaced.
    run : Path, optional
        A run folder, for the map, the images, the curves and the settings.
    store : Path, optional
        Where the run's store is now, if it moved.
    model : str, optional
        Where the run's model is now, if it moved.
    device : str or None, default="cpu"
        Device for the saliency and for the words of slices. None leaves saliency out.
    vocabulary : Path, optional
        A file with one word per line to name slices by, or `none`. The default is the model's own words, or
        else common nouns.
    metric : str, default="accuracy"
        What the rates of the verdict and of the figures are: `accuracy`, `auroc`, `average_precision`,
        `precision`, `recall` or `f1`. Slices and images are of errors, whatever it is.
    progress : callable, optional
        Receives each step; by default nothing does.

    Returns
    -------
    Path
        `out`.

    Raises
    ------
    EvenhandError
        If the run, its store or the vocabulary cannot be read, the results do not hold the metric, or `out`
        is not a report or cannot be written.

    Examples
    --------
    >>> import json
    >>> from pathlib import Path
    >>> import evenhand
    >>> run = Path("birds.run")
    >>> results = json.loads((run / "results.json").read_text())  # doctest: +SKIP
    >>> evenhand.report(results, Path("report.html"), run=run)  # doctest: +SKIP
    """
    out = Path(out)
    keep_apart(out, [run, store, vocabulary])
    check_page(out)
    data = results if isinstance(results, Mapping) else results.model_dump(mode="json", by_alias=True)
    for row in data.get("rows", []):
        by_metric(row, metric)  # what is not there is said before anything is read
    analysis = None
    if run is not None:
        check_replaceable(files_of(out), AUDIT_FILES, argument="the folder of the report's files")
        progress("report", 0, STEPS)
        analysis = analyze_run(
            Path(run), store, model, vocabulary=vocabulary, device=device or "cpu", progress=progress
        )
    html = render(data, analysis, device=device, metric=metric, progress=progress)
    sweep(out)
    with atomic(out) as temporary:
        temporary.write_text(html, encoding="utf-8")
    if analysis is not None:
        write_audit_files(files_of(out), analysis)
    return out


def files_of(page: Path) -> Path:
    """Return the folder next to a page that lists the images behind it: report-files for report.html."""
    return page.with_name(f"{page.stem}-files")


def render(
    results: Mapping[str, Any],
    analysis: ErrorAnalysis | None = None,
    *,
    device: str | None = None,
    metric: str = "accuracy",
    progress: Progress = silent,
) -> str:
    """Return the page as text; every name in it is escaped."""
    return fill(page_values(results, analysis, device, progress, metric))
