"""A results object in the terminal, for `fit` and `demo`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evenhand.cli import tables
from evenhand.cli.show import as_json, clean, console, percent


def show_results(results: Any, out: Path, *, json: bool) -> None:
    """Write a results object: as JSON, or its methods and, of one method alone, its classes and groups."""
    found = results.model_dump(mode="json", by_alias=True)
    if json:
        as_json(found)
        return
    show_rows(found["rows"])
    console().print(clean(f"written to {out}"), soft_wrap=True)


def show_rows(rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows as tables, with what was kept and why."""
    screen = console()
    screen.print(tables.methods(rows))
    if len(rows) == 1 and rows[0]["status"] == "ok":
        for kind in ("classes", "cells", "groups"):
            if rows[0][kind]:
                screen.print()
                screen.print(tables.rates(f"{kind.capitalize()}, {rows[0]['split']} split", rows[0][kind]))
    screen.print()
    for row in rows:
        start = f"{row['method']}, seed {row['seed']}: " if len(rows) > 1 else ""
        reason = (row.get("kept") or {}).get("reason")
        said = [*([reason] if reason else []), *row.get("notes", []), *confidence(row)]
        for sentence in said:
            screen.print(clean(f"{start}{sentence}"), soft_wrap=True)


def confidence(row: Mapping[str, Any]) -> list[str]:
    """Return what the temperature of a row did, if it has one."""
    found = row.get("confidence")
    if not found:
        return []
    return [
        f"confidence: temperature {found['temperature']:.3g} from {found['n']} {found['found_on']}, "
        f"{found['errors'] or 'none'} of them wrong; "
        f"expected calibration error {percent(found['ece_before'])} % before, "
        f"{percent(found['ece_after'])} % after"
    ]
