"""What a finished store holds, for `embed` and `import`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evenhand._counts import number_of
from evenhand.cli.show import MOST, as_json, clean, complain, console, left_out, table, worded
from evenhand.cli.suggest import suggest

SPLITS = ("train", "validation", "test")

if TYPE_CHECKING:
    from evenhand.data.table import FeatureTable


def describe(made: FeatureTable, out: Path, notes: Sequence[str]) -> dict[str, Any]:
    """Return the counts of a store: rows by split and class, skipped images by reason."""
    from evenhand.data.images.properties import PROPERTIES
    from evenhand.data.store import read_skipped

    # Details in brackets differ from file to file; the list on disk has them.
    reasons = Counter(str(row["reason"]).split(" (")[0] for row in read_skipped(out).to_pylist())
    counts: dict[str, dict[str, int]] = {}
    for split in (name for name in SPLITS if name in made.split):
        found = Counter(str(label) for label in made.labels(made.rows(split)))
        counts[split] = {name: found[name] for name in made.classes}
    return {
        "store": str(out),
        "rows": len(made),
        "width": made.width,
        "counts": counts,
        "attributes": sorted(made.attributes),
        "other_columns": sorted(set(made.properties) - set(PROPERTIES)),
        "skipped": dict(reasons),
        "notes": list(notes),
    }


def show_store(
    made: FeatureTable, out: Path, *, notes: Sequence[str] = (), json: bool, told: bool = False
) -> None:
    """Write what a store holds; notes go to stderr, unless they are `told` already."""
    from evenhand.data.settle_copies import COPIES

    found = describe(made, out, notes)
    for note in () if told else found["notes"]:
        complain("note", note)
    if json:
        as_json(found)
        return
    splits = list(found["counts"])
    screen = console()
    lost = sum(found["skipped"].values())
    screen.print(clean(f"{out}: {number_of(found['rows'], 'row')} of width {found['width']}"), soft_wrap=True)
    drawn = table("", "class", *splits, right=tuple(splits))
    sizes = Counter({name: sum(found["counts"][split][name] for split in splits) for name in made.classes})
    shown = made.classes if len(sizes) <= MOST else [name for name, _ in sizes.most_common(MOST)]
    for name in shown:
        drawn.add_row(clean(name), *(str(found["counts"][split][name]) for split in splits))
    screen.print(drawn)
    if more := left_out(len(made.classes), "classes, smaller than these"):
        screen.print(more)
    if found["attributes"]:
        screen.print(clean(f"columns that make groups: {', '.join(found['attributes'])}"), soft_wrap=True)
    if found["other_columns"]:
        screen.print(
            clean(f"other columns that audit looks at: {', '.join(found['other_columns'])}"), soft_wrap=True
        )
    if lost:
        listed = out / "skipped.parquet"
        screen.print(
            clean(f"{lost:,} of {number_of(lost + len(made), 'image')} skipped, listed in {listed}:"),
            soft_wrap=True,
        )
    reasons = Counter(found["skipped"]).most_common()
    for reason, count in reasons[:MOST]:
        screen.print(worded(f"  {count}  {reason}"), soft_wrap=True)
    if len(reasons) > MOST:
        screen.print(f"  and {len(reasons) - MOST} other reasons")
    if (listed := out / COPIES).is_file():
        screen.print(clean(f"every image that is a copy of another is listed in {listed}"), soft_wrap=True)
    suggest("audit", out)
