"""`--metric` on the command line: what is shown, bounded and reported."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from evenhand.cli.app import app


def run(*arguments: object, code: int = 0) -> Any:
    done = CliRunner().invoke(app, [str(one) for one in arguments])
    assert done.exit_code == code, (done.stdout, done.stderr, done.exception)
    return done


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of 240 rows whose rare class is hard to see by accuracy, and a run on it."""
    folder = tmp_path_factory.mktemp("metric")
    generator = np.random.default_rng(0)
    y = np.where(np.arange(240) % 4 == 0, "ill", "well")
    X = generator.normal(size=(240, 6)).astype(np.float32)
    X[:, 0] += y == "ill"
    np.save(folder / "X.npy", X)
    with (folder / "rows.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["y", "sex", "split"])
        for k, label in enumerate(y):
            writer.writerow([label, "fm"[k % 7 % 2], "test" if k % 3 == 0 else "train"])
    store = ["--features", folder / "X.npy", "--table", folder / "rows.csv", "--label-column", "y"]
    run("import", *store, "--attribute-columns", "sex", "--out", folder / "a.store")
    done = run(
        *("fit", folder / "a.store", "--method", "erm", "--param", "epochs=5"),
        *("--metric", "auroc", "--out", folder / "a.run"),
    )
    assert "erm, seed 0: AUROC on the test split, percent" in done.stdout
    assert "AUROC %" in done.stdout
    return folder


def figures(folder: Path) -> Any:
    return json.loads((folder / "a.run" / "results.json").read_text())["rows"][0]["figures"]


def test_the_default_method_chooses_by_auroc_where_that_is_shown(folder: Path) -> None:
    made = folder / "auto.run"
    fit = ("fit", folder / "a.store", "--out", made, "--param", "repeats=1", "--metric")
    for metric, more, kept in (
        ("auroc", (), "auroc"),
        ("auroc", ("--param", "metric=accuracy"), None),
        ("f1", (), None),
    ):
        shown = run(*fit, metric, *more).stdout
        (row,) = json.loads((made / "results.json").read_text())["rows"]
        assert row["kept"].get("metric") == kept
        assert json.loads((made / "card.json").read_text())["params"].get("metric") == (
            repr(metric) if kept else "'accuracy'" if more else None
        )
        assert ("chosen by worst accuracy" in shown) == (kept is None)
    assert "shown by F1, chosen by worst accuracy" in shown
    done = run(*fit[:-1], "--param", "metric=f1", code=2)
    assert "--param: metric: 'f1' is unknown; the allowed values are accuracy, auroc" in done.stderr


def test_an_audit_shows_and_bounds_the_metric(folder: Path) -> None:
    store = (folder / "a.store", "--against", folder / "a.run", "--vocabulary", "none")
    worst = figures(folder)["average_precision"]["worst_group"]["value"]
    above = np.nextafter(worst, 2)
    shown = run("audit", *store, "--metric", "average_precision", "--fail-under", f"worst-group={worst}")
    assert "Average precision, percent" in shown.stdout
    assert "average precision %" in shown.stdout
    gate = ("--metric", "average_precision", "--fail-under")
    told = run("audit", *store, *gate, f"worst-group={above}", code=3).stderr
    assert f"average_precision of worst-group is {worst:.4f}, under its bound" in told
    for rate in ("plain", "worst-slice"):
        told = run("audit", *store, *gate, f"{rate}=0.1", code=1).stderr
        assert f"has no rate average_precision of {rate}; it has worst-class" in told
    run("audit", *store, "--fail-under", "plain=0")


def test_a_report_is_by_the_metric(folder: Path) -> None:
    page = folder / "page.html"
    run("report", folder / "a.run", "--metric", "f1", "--vocabulary", "none", "--no-saliency", "--out", page)
    text = page.read_text()
    assert "F1 on the test rows, in percent" in text
    assert "The highest worst group by F1 is" in text
    assert "lowest F1 of a group" in text
    assert "plain average" not in text
    assert "of the rarer side" not in text
    value = figures(folder)["f1"]["worst_group"]["value"]
    assert f"{100 * value:.1f}" in text
    run("report", folder / "a.run", "--vocabulary", "none", "--no-saliency", "--out", page)
    assert "Accuracy on the test rows, in percent" in page.read_text()
    run(
        "report",
        folder / "a.run",
        "--metric",
        "auroc",
        "--vocabulary",
        "none",
        "--no-saliency",
        "--out",
        page,
    )
    assert "over test rows. Row counts are of the rarer side." in page.read_text()


def test_old_results_lack_the_metric_and_say_so_before_anything_is_read(folder: Path) -> None:
    results = json.loads((folder / "a.run" / "results.json").read_text())
    del results["rows"][0]["figures"]
    (folder / "old").mkdir()
    (folder / "old" / "results.json").write_text(json.dumps(results))
    told = run("report", folder / "old", "--metric", "recall", "--out", folder / "old.html", code=1).stderr
    assert told.startswith(
        "error: --metric: the results of erm have no recall: they are from an earlier version"
    )
    assert told.count("\n") == 1
    run("report", folder / "old", "--out", folder / "old.html")


def test_a_comparison_is_shown_by_the_metric(folder: Path) -> None:
    done = run(
        *("compare", folder / "a.store", "--methods", "zero_shot", "--seeds", 1, "--budget", 1, "--jobs", 1),
        *("--metric", "recall", "--out", folder / "a.compare"),
    )
    assert "Test recall, percent" in done.stdout
    results = json.loads((folder / "a.compare" / "results.json").read_text())
    assert all(set(row["figures"]) >= {"auroc", "f1"} for row in results["rows"])


def test_an_unknown_metric_is_a_wrong_use(folder: Path) -> None:
    assert "average_precision" in run("fit", folder / "a.store", "--metric", "auc", code=2).stderr
