"""The HTML page of a results object: one file, no script, no request to another host."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment

from evenhand._files import atomic
from evenhand.report.tables import compare
from evenhand.report.verdict import Row, means, unit_of, verdict, worst


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
        unit=unit_of(fitted),
        bars=_bars(fitted),
        seeds=len({row["seed"] for row in fitted}),
        rows=rows,
        reasons=_reasons(rows),
        provenance=data.get("provenance", {}),
        **{kind: compare(fitted, kind) for kind in ("groups", "classes", "cells")},
    )


def _bars(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return what the chart shows of each method: means over seeds, and the worst rate of each seed."""
    return [
        {
            "method": method,
            "low": low,
            "average": average,
            "seeds": [rate["value"] for row in rows if row["method"] == method and (rate := worst(row))],
            "group_labels_used": next(row["group_labels_used"] for row in rows if row["method"] == method),
        }
        for method, (low, average) in means(rows).items()
    ]


def _reasons(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return what the rows say in words: what was kept, notes, and why there is no result."""
    found = []
    for row in rows:
        said = [(row.get("kept") or {}).get("reason"), *(row.get("notes") or [])]
        if row["status"] != "ok":
            said = [f"{row['status']}: {row['reason']}"]
        found += [{"method": row["method"], "seed": row["seed"], "reason": text} for text in said if text]
    return found


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f}"
