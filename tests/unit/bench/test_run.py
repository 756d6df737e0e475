"""A benchmark from its files to its table, on the fewest scenes that have all groups."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from evenhand import EvenhandError, load_tiny
from evenhand.bench.run import Bench, lines, run_bench
from evenhand.datasets.scenes import Scenes
from evenhand.evaluation.accuracy import Averages, Rate
from evenhand.evaluation.results import ResultRow

SMALL = Scenes(train=80, test=40)


def row(method: str, seed: int, worst: float | None, average: float | None, **more: Any) -> ResultRow:
    rate = None if worst is None else Rate(name="a / b", n=10, value=worst, low=0, high=1)
    means = Averages(plain=None, train_weighted=average, group_mean=None, class_mean=None)
    return ResultRow(method=method, seed=seed, worst_group=rate, averages=means, **more)


def bench(tmp_path: Path, **more: Any) -> Bench:
    manifest = SMALL.load(None, tmp_path / "pictures")
    return run_bench("scenes", SMALL, manifest, load_tiny(), tmp_path, workers=0, **more)


def test_lines_are_means_and_deviations_over_the_seeds_that_went_well() -> None:
    rows = [
        row("erm", 0, 0.5, 0.8),
        row("erm", 1, 0.7, 0.9),
        row("erm", 2, None, None, status="failed", reason="no memory"),
        row("dfr", 0, 0.9, 0.95, group_labels_used="validation"),
    ]
    erm, dfr = lines(rows, "train_weighted")
    assert (erm.method, erm.seeds, erm.reason) == ("erm", 2, "failed: no memory")
    assert erm.worst_group is not None
    assert erm.worst_group.mean == pytest.approx(0.6)
    assert erm.worst_group.sd == pytest.approx(math.sqrt(0.02))
    assert erm.gap is not None
    assert erm.gap.mean == pytest.approx((0.3 + 0.2) / 2)
    assert (dfr.group_labels_used, dfr.reason) == ("validation", None)
    assert dfr.average is not None
    assert dfr.average.sd is None


def test_lines_without_groups_have_no_rates() -> None:
    (line,) = lines([row("erm", 0, None, 0.8)], "plain")
    assert (line.worst_group, line.average, line.gap) == (None, None, None)


def test_a_bench_writes_store_results_and_table(tmp_path: Path) -> None:
    made = bench(tmp_path, methods=["zero_shot", "erm"], seeds=[3, 4])
    assert [(r.method, r.seed) for r in made.results.rows].count(("erm", 4)) == 1
    assert [line.method for line in made.lines] == ["zero_shot", "erm", "kept by evenhand"]
    means = {line.method: line.worst_group and line.worst_group.mean for line in made.lines}
    chosen = [one.method for one in made.results.kept_method]
    worst = {(r.method, r.seed): r.worst_group.value for r in made.results.rows if r.worst_group}
    kept = [worst[method, seed] for method, seed in zip(chosen, (3, 4), strict=True)]
    assert means["kept by evenhand"] == pytest.approx(sum(kept) / 2)
    assert made.sizes["train"] == 80
    assert made.sizes["test"] == 40
    assert made.sizes["train, waterbird / water"] == 38
    assert set(made.seconds) == {"embed", "compare"}
    assert (made.backbone, made.average, made.published) == ("tiny", "plain", [])
    assert (tmp_path / "scenes.store/card.json").exists()
    assert json.loads((tmp_path / "bench.json").read_text()) == made.model_dump(mode="json", by_alias=True)
    assert json.loads((tmp_path / "results.json").read_text())["schema"] == 1


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"methods": ["ermm"]}, "'ermm' is unknown"),
        ({"group_by": "sky"}, "group_by: 'sky' is not an attribute of this manifest; it has:"),
    ],
)
def test_unknown_names_are_told_before_anything_is_embedded(tmp_path: Path, more: Any, sentence: str) -> None:
    with pytest.raises(EvenhandError, match=sentence):
        bench(tmp_path, **more)
    assert not (tmp_path / "scenes.store").exists()
