"""A results object in the terminal, for `fit` and `demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from evenhand.cli import tables
from evenhand.cli.show import as_json, clean, console


def show_results(results: Any, out: Path, *, json: bool) -> None:
    """Write a results object: as JSON, or its methods and, of one method alone, its classes and groups."""
    found = results.model_dump(mode="json")
    if json:
        as_json(found)
        return
    screen = console()
    rows = found["rows"]
    screen.print(tables.methods(rows))
    if len(rows) == 1 and rows[0]["status"] == "ok":
        screen.print()
        screen.print(tables.rates(f"Classes, {rows[0]['split']} split", rows[0]["classes"]))
        if rows[0]["groups"]:
            screen.print()
            screen.print(tables.rates(f"Groups, {rows[0]['split']} split", rows[0]["groups"]))
    for reason in dict.fromkeys((row.get("kept") or {}).get("reason") for row in rows):
        if reason:
            screen.print(clean(reason), soft_wrap=True)
    screen.print(clean(f"written to {out}"), soft_wrap=True)
