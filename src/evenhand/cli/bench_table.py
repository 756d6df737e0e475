"""What `bench` shows: the list of benchmarks, what was loaded, and the paper's kind of table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evenhand._commands import beside
from evenhand.cli.show import as_json, clean, complain, console, percent, table
from evenhand.cli.suggest import suggest

if TYPE_CHECKING:
    from evenhand.bench.run import Bench
    from evenhand.data.manifest import Manifest
    from evenhand.datasets.base import Dataset

AVERAGES = {
    "plain": "over images",
    "train_weighted": "over groups, weighted by their share of training",
    "group_mean": "over groups",
    "class_mean": "over classes",
}


def show_benchmarks(*, json: bool) -> None:
    """Write the benchmarks: what their folder holds, and whether they can be downloaded."""
    from evenhand.datasets.addresses import DOWNLOADS
    from evenhand.datasets.registry import dataset_class, names

    found = [
        {"name": name, "title": cls.title, "files": cls.layout, "download": name in DOWNLOADS}
        for name, cls in ((name, dataset_class(name)) for name in names())
    ]
    if json:
        as_json(found)
        return
    drawn = table("", "name", "benchmark", "--data holds", "--download")
    for row in found:
        drawn.add_row(
            *(clean(row[key]) for key in ("name", "title", "files")), "yes" if row["download"] else "–"
        )
    console().print(drawn)
    suggest("bench", "scenes")


def show_loaded(dataset: Dataset, manifest: Manifest, *, json: bool) -> None:
    """Write how many images a benchmark's files hold; notes go to stderr."""
    sizes = dict(Counter(str(split) for split in manifest.split))
    for note in manifest.notes:
        complain("note", note)
    if json:
        as_json({"title": dataset.title, "sizes": sizes, "notes": list(manifest.notes)})
        return
    told = ", ".join(f"{size:,} {split}" for split, size in sizes.items())
    console().print(clean(f"{dataset.title}: {told}; add --model to run it"), soft_wrap=True)


def show_bench(made: Bench, out: Path, *, json: bool) -> None:
    """Write a benchmark's lines, ours first, then the published ones; notes go to stderr."""
    found = made.model_dump(mode="json", by_alias=True)
    for note in found["notes"]:
        complain("note", note)
    if json:
        as_json(found)
        return
    numbers = ("worst group", "average", "gap")
    columns = ("method", "model", *numbers, "seeds", "group labels", "from")
    drawn = table(made.title, *columns, right=(*numbers, "seeds"), optional=("seeds", "gap"))
    for line in found["lines"]:
        rates = [_spread(line[key]) for key in ("worst_group", "average", "gap")]
        last = (str(line["seeds"]), clean(line["group_labels_used"]), "this run")
        drawn.add_row(clean(line["method"]), clean(found["backbone"]), *rates, *last)
    for line in found["published"]:
        worst, mean = line["worst_group"], line["average"]
        rates = [percent(worst), percent(mean), percent(mean - worst)]
        last = ("–", "–", clean(f"read, not run: {line['source']}"))
        drawn.add_row(clean(line["method"]), clean(line["backbone"]), *rates, *last)
    screen = console()
    screen.print(drawn)
    meant = f"the average is {AVERAGES[found['average']]}"
    screen.print(f"\npercent, mean ± standard deviation over seeds; {meant}", soft_wrap=True)
    for line in found["lines"]:
        if line["reason"] is not None:
            screen.print(clean(f"{line['method']}, {line['reason']}"), soft_wrap=True)
    seconds = ", ".join(f"{stage} {value:.0f} s" for stage, value in found["seconds"].items())
    screen.print(clean(f"{seconds}; written to {out}"), soft_wrap=True)
    suggest("report", out, "--out", beside(out, ".html"))


def _spread(value: Mapping[str, Any] | None) -> str:
    if value is None:
        return "–"
    return percent(value["mean"]) + ("" if value["sd"] is None else f" ± {percent(value['sd'])}")
