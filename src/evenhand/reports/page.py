"""The HTML page of results and, where there is one, of a run: one file, no request to another host.

Charts are HTML and SVG, the map is a canvas with a script of its own: plotly's bundle alone, 4.8 MB, would
take half of the room that a page with its pictures has, and most of the time to open it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evenhand._files import atomic, check_replaceable, sweep
from evenhand._outputs import check_page, keep_apart
from evenhand._progress import Progress, silent
from evenhand.audits.files import AUDIT_FILES, write_audit_files
from evenhand.audits.run_report import calibration_suspects
from evenhand.reports.context import kept_facts, numbers, provenance_facts
from evenhand.reports.figures import look_at
from evenhand.reports.slices import Slices
from evenhand.reports.source import RunView, view_run
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
    progress: Progress = silent,
) -> Path:
    """Write the page of `results` to `out` and return its path; of a run the images behind it, too.

    The images are listed in the folder `files_of(out)`, as `audit` lists them.

    Parameters
    ----------
    results : Results or mapping
        As in `results.json`.
    out : Path
        The HTML file, replaced as a whole.
    run : Path, optional
        A run folder, for the map, the pictures, the curves and the settings.
    store : Path, optional
        Where the run's store lies now, if not where it was.
    model : str, optional
        Where the run's model lies now, if it moved.
    device : str or None
        Where the model computes saliency and the words of slices; None leaves saliency out.
    vocabulary : Path, optional
        A file with a word a line to name slices by, or `none`; by default the model's own words, or the
        default ones.
    progress : Progress
        Told of each part of the page.

    Raises
    ------
    EvenhandError
        If the run, its store or the vocabulary cannot be read, or the file cannot be written.
    """
    keep_apart(Path(out), [path for path in (run, store, vocabulary) if path is not None])
    check_page(Path(out))
    data = results if isinstance(results, Mapping) else results.model_dump(mode="json", by_alias=True)
    view = None if run is None else view_run(run, store, model)
    if view is not None:
        check_replaceable(files_of(Path(out)), AUDIT_FILES, argument="the folder of the report's files")
    html, slices = _render(data, view, device=device, vocabulary=vocabulary, progress=progress)
    sweep(Path(out))
    with atomic(Path(out)) as temporary:
        temporary.write_text(html, encoding="utf-8")
    if view is not None and slices is not None and slices.found is not None:
        what, named = slices.found
        suspects = calibration_suspects(view.table, view.folder, what)
        write_audit_files(files_of(Path(out)), view.table, what, named, suspects)
    return Path(out)


def files_of(page: Path) -> Path:
    """Return the folder beside a page that lists the images behind it: report-files for report.html."""
    return page.with_name(f"{page.stem}-files")


def render(
    data: Mapping[str, Any],
    view: RunView | None = None,
    *,
    device: str | None = None,
    vocabulary: Path | None = None,
    progress: Progress = silent,
) -> str:
    """Return the page as text; every name in it is escaped."""
    return _render(data, view, device=device, vocabulary=vocabulary, progress=progress)[0]


def _render(
    data: Mapping[str, Any],
    view: RunView | None,
    *,
    device: str | None,
    vocabulary: Path | None,
    progress: Progress,
) -> tuple[str, Slices | None]:
    rows = _with_stages(data.get("rows", []), view)
    values: dict[str, Any] = {
        "run": view is not None,
        "title": "evenhand report",
        "of_seed": None,
        "curves": [],
    }
    if view is not None:
        values |= look_at(view, device, progress, vocabulary)
        if len({row["seed"] for row in rows}) > 1:
            values["of_seed"] = view.card["seed"]
        else:
            values["title"] = f"evenhand report: {view.folder.resolve().name}"
    found = numbers(rows, view, values.get("slices"), values["of_seed"])
    html = fill({**values, **found, **kept_facts(data), **provenance_facts(data, rows, view)})
    return html, values.get("slices")


def _with_stages(rows: list[Mapping[str, Any]], view: RunView | None) -> list[Mapping[str, Any]]:
    """Put what came before a run in front of its rows, unless it is among them."""
    if view is None:
        return rows
    known = {row["method"] for row in rows}
    before = [row for row in view.result_rows() if row["method"] not in known]
    return [*before, *rows]
