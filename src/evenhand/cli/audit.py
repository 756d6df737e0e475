"""`evenhand audit`: how accurate the model is now, before any training."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from evenhand.cli.options import GroupBy, Json, Seed, Threads, examples, set_threads

NAME = "audit"
EXAMPLES = examples("evenhand audit birds.store", "evenhand audit birds.store --group-by background --json")


def command(
    store: Annotated[Path, typer.Argument(help="Store that embed or import made.")],
    group_by: GroupBy = None,
    seed: Seed = 0,
    threads: Threads = 1,
    json: Json = False,
) -> None:
    """Show accuracy by class, and by group where attributes are known, without training anything."""
    set_threads(threads)

    from evenhand.cli.results import show_rows
    from evenhand.cli.show import as_json
    from evenhand.data.store import read_store
    from evenhand.experiments.audit import audit_table

    found = audit_table(read_store(store), group_by, seed=seed).model_dump(mode="json")
    if json:
        as_json(found)
        return
    show_rows([found])
