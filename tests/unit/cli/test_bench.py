"""`evenhand bench` as a user calls it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from evenhand.bench.published import published
from evenhand.bench.run import Bench, lines
from evenhand.cli.app import app
from evenhand.cli.bench_table import show_bench
from evenhand.datasets import fetch
from evenhand.datasets.addresses import DOWNLOADS
from evenhand.datasets.registry import DATASETS
from evenhand.datasets.scenes import write_scenes
from evenhand.evaluation.accuracy import Averages, Rate
from evenhand.evaluation.results import ResultRow, Results


def run(*arguments: object, code: int = 0) -> Any:
    done = CliRunner().invoke(app, ["bench", *map(str, arguments)])
    assert done.exit_code == code, (done.stdout, done.stderr, done.exception)
    return done


def test_the_list_names_every_benchmark() -> None:
    found = {row["name"]: row for row in json.loads(run("--list", "--json").stdout)}
    assert set(found) == set(DATASETS)
    assert {name for name, row in found.items() if row["download"]} == set(DOWNLOADS)
    drawn = run("--list").stdout
    assert all(name in drawn for name in DATASETS)


def test_scenes_run_without_data_and_model(tmp_path: Path) -> None:
    small = ("--param", "train=80", "--param", "test=40", "--workers", 0, "--jobs", 1, "--device", "cpu")
    arguments = ("scenes", *small, "--methods", "zero_shot", "--seeds", 1, "--out", tmp_path)
    found = json.loads(run(*arguments, "--json").stdout)
    assert [line["method"] for line in found["lines"]] == ["erm", "zero_shot", "kept by evenhand"]
    assert found == json.loads((tmp_path / "bench.json").read_text())
    assert "zero_shot" in run(*arguments).stdout
    refused = run(*arguments, "--model", "RN50", "--pretrained", "openai", code=1).stderr
    assert "scenes.store was made with --model 'tiny', but this run has 'RN50'" in refused.replace("\n", " ")


def test_words_let_the_methods_that_need_them_run(tmp_path: Path) -> None:
    words = tmp_path / "words.yaml"
    words.write_text("spurious:\n  background: [water, land]\n")
    small = ("--param", "train=80", "--param", "test=40", "--workers", 0, "--jobs", 1, "--device", "cpu")
    given = ("scenes", *small, "--methods", "orth_cal,roboshot", "--seeds", 1, "--json")
    rows = json.loads(run(*given, "--out", tmp_path / "a", "--concepts", words).stdout)["lines"]
    known = {line["method"]: line["seeds"] for line in rows}
    assert known == {"zero_shot": 1, "erm": 1, "orth_cal": 1, "roboshot": 1, "kept by evenhand": 1}
    without = json.loads(run(*given, "--out", tmp_path / "b").stdout)["lines"]
    assert [line["reason"] for line in without if line["method"] == "roboshot"] == [
        "skipped: it needs concept words; give `concepts`"
    ]


def test_published_figures_stand_beside_ours_and_are_marked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rate = Rate(name="landbird / water", n=100, value=0.5, low=0.4, high=0.6)
    means = Averages(plain=0.7, train_weighted=0.9, group_mean=0.8, class_mean=0.8)
    rows = [ResultRow(method="erm", seed=seed, worst_group=rate, averages=means) for seed in (0, 1)]
    rows += [ResultRow(method="dfr", seed=0, status="failed", reason="[no] groups", averages=means)]
    made = Bench(
        schema=1,
        dataset="waterbirds",
        title="Waterbirds",
        backbone="RN50",
        average="train_weighted",
        sizes={},
        lines=lines(rows, "train_weighted"),
        published=published("waterbirds"),
        seconds={"embed": 1.0},
        notes=["mind the species"],
        results=Results(schema=1, provenance={}, rows=rows, summary=[]),
    )
    show_bench(made, tmp_path, json=False)
    shown = capsys.readouterr()
    ours = next(line for line in shown.out.splitlines() if line.startswith("erm"))
    theirs = next(line for line in shown.out.splitlines() if "FairerCLIP" in line)
    assert all(
        text in ours for text in ("RN50", "50.0 ± 0.0", "90.0 ± 0.0", "40.0 ± 0.0", "none", "this run")
    )
    assert all(
        text in theirs for text in ("ViT-L/14", "86.0", "92.2", "6.2", "read, not run: GDE, CVPR 2025")
    )
    assert "\ndfr, failed: [no] groups\n" in shown.out
    assert "the average is over groups, weighted by their share of training" in shown.out
    assert shown.err.startswith("note: mind the species\nnext: evenhand report ")


def test_downloaded_files_are_loaded_and_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def bring(name: str, data: Path, **_: object) -> None:
        assert name == "folder"
        write_scenes(data, seed=0, train=12, test=4)

    monkeypatch.setattr(fetch, "fetch", bring)
    out = ("--out", tmp_path / "out")
    done = run("folder", "--download", "--data", tmp_path / "new", *out)
    assert done.stdout == "your own images: 4 test, 12 train; add --model to run it\n"
    found = json.loads(run("folder", "--download", "--data", tmp_path / "new", "--json", *out).stdout)
    assert found["sizes"] == {"test": 4, "train": 12}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "bench needs a benchmark's name; evenhand bench --list shows them"),
        (("birds",), "NAME: 'birds' is unknown; the allowed values are scenes, waterbirds"),
        (
            ("waterbirds", "--data", "x"),
            "bench waterbirds needs --model; the paper's are RN50 and ViT-L-14-336",
        ),
        (("waterbirds", "--download"), "--download needs --data, the folder to download into"),
        (("chexpert", "--download", "--data", "x"), "chexpert has no public download that evenhand knows"),
        (("scenes", "--param", "size=3"), "scenes takes no parameter 'size'; it takes seed, train, test"),
        (("waterbirds", "--model", "tiny"), "--data: Waterbirds needs its files; give the folder"),
    ],
)
def test_what_is_missing_is_told(
    arguments: tuple[str, ...], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run(*arguments, code=2 if "is unknown" in sentence else 1)
    assert done.stderr.startswith(f"error: {sentence}")
    assert done.stdout == ""
