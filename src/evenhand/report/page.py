"""The HTML page of a results object: one file, no script, no request to another host."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment

from evenhand._files import atomic
from evenhand.report.figures import bars
from evenhand.report.verdict import verdict


def render_report(results: Any, out: Path) -> Path:
    """Write the page of `results` to `out` and return its path.

    Parameters
    ----------
    results : Results or mapping
        As in `results.json`.
    out : Path
        The HTML file, replaced as a whole.

    Raises
    ------
    EvenhandError
        If the file cannot be written.
    """
    data = results if isinstance(results, Mapping) else results.model_dump(mode="json", by_alias=True)
    html = render(data)
    with atomic(Path(out)) as temporary:
        temporary.write_text(html, encoding="utf-8")
    return Path(out)


def render(data: Mapping[str, Any]) -> str:
    """Return the page as text; every name in it is escaped."""
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters["percent"] = _percent
    source = resources.files("evenhand.report").joinpath("report.html.j2").read_text(encoding="utf-8")
    rows = data.get("rows", [])
    fitted = [row for row in rows if row.get("status") == "ok"]
    return environment.from_string(source).render(
        verdict=verdict(fitted),
        chart=bars(fitted),
        rows=rows,
        details=_first_of_each_method(fitted),
        summary=data.get("summary", []),
        provenance=data.get("provenance", {}),
    )


def _first_of_each_method(rows: list[Any]) -> list[Any]:
    """Return the row with the lowest seed of each method, for the tables of classes and groups."""
    first: dict[str, Any] = {}
    for row in rows:
        if row["method"] not in first or row["seed"] < first[row["method"]]["seed"]:
            first[row["method"]] = row
    return list(first.values())


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f}"
