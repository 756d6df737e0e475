"""The last section: evidence, candidates, training curves, settings, versions and the command."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from evenhand.evaluation.verdict_sentences import verdict_sentences
from evenhand.reports.loss_curves import HEIGHT, WIDTH, candidate_gains, loss_charts
from evenhand.reports.rates import Record
from evenhand.runs.contents import RunContents

FUNCTION = re.compile(r"<function (\S+) at 0x[0-9a-f]+>")
"""How Python writes a function; its name is enough."""


def provenance_values(
    results: Mapping[str, Any], rows: Sequence[Record], run: RunContents | None
) -> dict[str, Any]:
    """Return how the results were made."""
    known = results.get("provenance", {})
    chosen: Record = {}
    if run is not None:
        own = (run.card["method"], run.card["seed"])
        chosen = next((row for row in rows if (row["method"], row["seed"]) == own), {})
    kept = chosen.get("kept") or {}
    command = known.get("command")
    return {
        "reasons": _reasons(rows),
        "candidates": candidate_gains(chosen),
        "rule": kept.get("rule", ""),
        "kept": kept,
        "settings": _settings(known, run),
        "curves": loss_charts(run.history) if run is not None else [],
        "curve_size": (WIDTH, HEIGHT),
        "command": command if isinstance(command, str) else shlex.join(command or []),
    }


def _reasons(rows: Sequence[Record]) -> list[dict[str, Any]]:
    """Return each row's sentences: what was kept, notes, and why there is no result."""
    found = []
    for row in rows:
        texts = [*verdict_sentences(row.get("kept") or {}), *(row.get("notes") or [])]
        if row["status"] != "ok":
            texts = [f"{row['status']}: {row['reason']}"]
        found += [{"method": row["method"], "seed": row["seed"], "reason": text} for text in texts if text]
    return found


def _settings(known: Mapping[str, Any], run: RunContents | None) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the settings under their headings, as flat pairs of text."""
    made = {name: value for name, value in known.items() if name not in ("command", "versions")}
    found = [("Results", _flat(made)), ("Versions", _flat(known.get("versions", {})))]
    if run is not None:
        own = {
            name: value
            for name, value in run.card.items()
            if name not in ("settings", "params", "store_card", "schema", "kind", "classes")
        }
        found += [
            ("Run", _flat(own)),
            ("Parameters that were given", _flat(run.card.get("params", {}))),
            ("Every setting", _flat(run.card.get("settings", {}))),
            ("Store", _flat(run.card["store_card"])),
        ]
    return found


def _flat(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    texts = {
        name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for name, value in values.items()
    }
    return [(name, FUNCTION.sub(r"\1", text)) for name, text in texts.items()]
