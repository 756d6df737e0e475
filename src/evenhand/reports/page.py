"""`evenhand.report`: results, and what an audit found in the run behind them, as one HTML file.

The file requests no other host. Charts are HTML and SVG, and the map is a canvas with its own script.
plotly's bundle alone, 4.8 MB, would be half of a page with its images, and take most of the time to open it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evenhand._errors import EvenhandError
from evenhand._files import atomic, sweep
from evenhand._outputs import check_page, keep_apart, page_files
from evenhand._progress import Progress, silent
from evenhand._typing import PathLike
from evenhand.audits.csv_files import write_audit_files
from evenhand.audits.error_analysis import ErrorAnalysis
from evenhand.evaluation.metric_view import by_metric
from evenhand.evaluation.results import Results
from evenhand.reports.sections import page_values
from evenhand.reports.source import read_results
from evenhand.reports.template import fill


def report(
    results: Results | Mapping[str, Any] | PathLike,
    out: PathLike,
    *,
    analysis: ErrorAnalysis | None = None,
    saliency: bool = True,
    metric: str = "accuracy",
    progress: Progress = silent,
) -> Path:
    """Write results, and what an audit found in the run behind them, as one HTML page.

    With an analysis, slices.csv, errors.csv and suspects.csv go into a folder beside the page, named
    report-files for report.html. They are those of `evenhand.audit(..., out=...)`.

    Parameters
    ----------
    results : Results, mapping, str or Path
        Results, the content of a `results.json`, or the folder that holds it, such as a run.
    out : str or Path
        The HTML file. An earlier report is replaced.
    analysis : ErrorAnalysis, optional
        The run, as `evenhand.analyze_run` returns it, for the slices, the map, the images, the curves and the
        settings.
    saliency : bool, default=True
        Whether to show where the models look in an image. It loads the store's model.
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
        If the results cannot be read or do not hold the metric, the analysis is something else or of a run
        that is not among the results, or `out` is in an input, is not a report or cannot be written.

    Examples
    --------
    >>> import evenhand
    >>> found = evenhand.analyze_run("birds.run")  # doctest: +SKIP
    >>> evenhand.report("birds.run", "report.html", analysis=found)  # doctest: +SKIP
    """
    if not isinstance(analysis, ErrorAnalysis | None):
        raise EvenhandError(
            f"analysis: {type(analysis).__name__} is no analysis; give what `analyze_run` returns for the run"
        )
    out = Path(out)
    if isinstance(results, (str, os.PathLike)):
        keep_apart(out, [results])
    check_page(out, of_run=analysis is not None)
    data = read_results(results)
    for row in data["rows"]:
        by_metric(row, metric)  # what is not there is said before anything is drawn
    if analysis is not None:
        keep_apart(out, analysis.folders)
        check_is_of(analysis, data)
    html = render(data, analysis, saliency=saliency, metric=metric, progress=progress)
    sweep(out)
    with atomic(out) as temporary:
        temporary.write_text(html, encoding="utf-8")
    if analysis is not None:
        write_audit_files(page_files(out), analysis)
    return out


def check_is_of(analysis: ErrorAnalysis, results: Mapping[str, Any]) -> None:
    """Refuse the analysis of a run that results do not hold.

    Raises
    ------
    EvenhandError
        If no row of the results is that of the run.
    """
    run = analysis.models.run
    names = ("method", "seed", "fit_seconds")
    rows = [[row.get(name) for name in names] for row in results["rows"]]
    if run is None or [run.result[name] for name in names] not in rows:
        place = "no run" if run is None else run.folder
        raise EvenhandError(
            f"analysis: it is of {place}, which the results do not hold; give both of the same run"
        )


def render(
    results: Mapping[str, Any],
    analysis: ErrorAnalysis | None = None,
    *,
    saliency: bool = True,
    metric: str = "accuracy",
    progress: Progress = silent,
) -> str:
    """Return the page as text; every name in it is escaped."""
    return fill(page_values(results, analysis, saliency, metric, progress))
