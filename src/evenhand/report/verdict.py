"""One sentence on what the results show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

Row = Mapping[str, Any]


def worst(row: Row) -> Mapping[str, Any] | None:
    """Return the worst group of a row, the worst class where no groups are known."""
    rate = row.get("worst_group") or row.get("worst_class")
    return rate if rate and rate.get("value") is not None else None


def means(rows: Sequence[Row]) -> dict[str, tuple[float, float | None]]:
    """Return per method, over its seeds, the mean worst rate and the mean plain average (fractions)."""
    found: dict[str, tuple[float, float | None]] = {}
    for method in dict.fromkeys(row["method"] for row in rows):
        own = [row for row in rows if row["method"] == method]
        lows = [rate["value"] for rate in map(worst, own) if rate]
        averages = [row["averages"]["plain"] for row in own if row["averages"].get("plain") is not None]
        if lows:
            found[method] = (fmean(lows), fmean(averages) if averages else None)
    return found


def verdict(rows: Sequence[Row]) -> str:
    """Return the sentence at the top of the page.

    Parameters
    ----------
    rows : sequence of result rows with status `ok`
    """
    found = means(rows)
    if not found:
        return "No method gave a result."
    unit = "worst group" if any(row.get("worst_group") for row in rows) else "worst class"
    if not {"erm", "cfr"} <= set(found):
        best = max(found, key=lambda method: found[method][0])
        return f"The highest {unit} is {100 * found[best][0]:.1f} %, by {best}."
    before, after = found["erm"][0], found["cfr"][0]
    average = found["erm"][1]
    start = f"Trained plainly (erm), the {unit} is {100 * before:.1f} %"
    start += "" if average is None else f" under an average of {100 * average:.1f} %"
    if abs(after - before) < 0.0005:
        return f"{start}; cfr leaves it where it is."
    moved = "raises" if after > before else "lowers"
    return f"{start}; calibration (cfr) {moved} it to {100 * after:.1f} %, without group labels."
