"""`evenhand compare` in the terminal."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from typer.testing import CliRunner

from evenhand.cli.app import app
from evenhand.cli.compare_table import show_comparison
from evenhand.evaluation.accuracy import Averages, Rate
from evenhand.evaluation.results import (
    Difference,
    KeptMethod,
    OverRows,
    ResultRow,
    Results,
    RowInterval,
    no_result,
    results_schema,
    summarize,
)


def run(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["compare", *map(str, arguments)])


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("compare")
    generator = np.random.default_rng(0)
    y = np.arange(120) % 2
    np.save(folder / "X.npy", (generator.normal(size=(120, 4)) + 2 * y[:, None]).astype(np.float32))
    lines = ["y,place,split"]
    lines += [f"{'ab'[k % 2]},{'in' if k % 3 else 'out'},{'train' if k < 80 else 'test'}" for k in range(120)]
    (folder / "rows.csv").write_text("\n".join(lines))
    options = ("--features", folder / "X.npy", "--table", folder / "rows.csv", "--label-column", "y")
    made = ("import", *options, "--attribute-columns", "place", "--out", folder / "s.store")
    assert CliRunner().invoke(app, list(map(str, made))).exit_code == 0
    return folder / "s.store"


def test_json_is_the_results_file(store: Path, tmp_path: Path) -> None:
    options = ("--methods", "zero_shot, dfr", "--seeds", 2, "--seed", 3, "--jobs", 1, "--out", tmp_path / "o")
    done = run(store, *options, "--json")
    assert done.exit_code == 0, done.stderr
    found = json.loads(done.stdout)
    assert found == json.loads((tmp_path / "o" / "results.json").read_text(encoding="utf-8"))
    jsonschema.validate(found, results_schema())
    assert [(row["method"], row["seed"]) for row in found["rows"]] == [
        (method, seed) for method in ("erm", "zero_shot", "dfr") for seed in (3, 4)
    ]
    assert "written to" in run(store, *options).stdout


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--methods", "nope"), "error: --methods: 'nope' is unknown; the allowed values are "),
        (("--methods", ","), "error: --methods: it is empty; the allowed values are "),
        (("--selection", "worst_group"), "error: --selection: worst_group uses group labels"),
        (("--concepts", "nowhere.yaml"), "error: --concepts: nowhere.yaml does not exist; give a YAML file"),
    ],
)
def test_failures_are_one_sentence(store: Path, options: tuple[str, ...], told: str) -> None:
    done = run(store, "--jobs", 1, *options)
    assert done.exit_code == (2 if "the allowed values" in told else 1)
    assert done.stderr.startswith(told)
    assert done.stderr.count("\n") == 1


def row(method: str, seed: int, worst: float, **more: Any) -> ResultRow:
    rate = Rate(name="a / in", n=50, value=worst, low=0.1, high=0.9)
    return ResultRow(
        method=method,
        seed=seed,
        worst_group=rate,
        worst_class=rate,
        averages=Averages(plain=0.8, train_weighted=None, group_mean=None, class_mean=0.7),
        difference_to_erm=Difference(value=0.1, low=0.0, high=0.2),
        fit_seconds=2.0 + seed,
        **{"selection": "none", "grid": [{"params": {}}], **more},
    )


def test_long_tables_are_cut_with_a_count(capsys: pytest.CaptureFixture[str]) -> None:
    few = results()
    kept = [few.kept_method[0].model_copy(update={"seed": seed}) for seed in range(45)]
    rows = [row(f"method{k}", 0, 0.5) for k in range(50)]
    made = few.model_copy(update={"rows": rows, "summary": summarize(rows), "kept_method": kept})
    show_comparison(made, None, json=False)
    shown = capsys.readouterr().out
    assert "method39" in shown
    assert "method40" not in shown
    assert "… and 10 more methods; --json has all" in shown
    assert "seed 39: " in shown
    assert "seed 40: " not in shown
    assert "… and 5 more seeds; --json has all" in shown


def results() -> Results:
    rule = "shortcut_cell on held-out training rows; each fit: accuracy, validation from train"
    rows = [
        row("erm", 0, 0.5),
        row("erm", 1, 0.6),
        row("probe", 0, 0.7, selection=rule, grid=[{}, {}, {}], notes=["few [rows]"]),
        no_result("probe", 1, "failed", "the loss is not finite"),
        row("dfr", 0, 0.9, selection="worst_group, validation from train", group_labels_used="validation"),
        row("dfr", 1, 0.9, selection="worst_group, validation from train", group_labels_used="validation"),
        no_result("roboshot", 0, "skipped", "it needs concept words"),
        no_result("roboshot", 1, "skipped", "it needs concept words"),
    ]
    one = RowInterval(value=0.2, low=0.15, high=0.25)
    over = OverRows(worst_group=one, worst_class=one, plain=one, difference_to_erm=one)
    summary = [s.model_copy(update={"over_test_rows": over}) for s in summarize(rows)]
    kept = KeptMethod(
        seed=0,
        method="probe",
        against="erm",
        rule="shortcut_cell",
        group_labels_used="none",
        among=["probe"],
        gain=0.1,
        low=0.05,
        chance=0.0,
        trusted_gain=0.1,
        retention=1.0,
        testimony=None,
        rows=80,
        reason="gain 0.100",
    )
    return Results(
        schema=1,
        provenance={"seeds": [0, 1]},
        rows=rows,
        summary=summary,
        kept_method=[kept],
        kept_summary=summary[1].model_copy(update={"method": "kept by evenhand"}),
        notes=["no test row has the class b: its accuracy stays unknown"],
    )


def lines(out: str) -> dict[str, str]:
    """Return the table's lines by their first word."""
    return {line.split("  ")[0]: " ".join(line.split()) for line in out.splitlines() if line}


def test_the_table_tells_status_group_use_choice_and_figures(capsys: pytest.CaptureFixture[str]) -> None:
    show_comparison(results(), Path("x"), json=False)
    out = capsys.readouterr().out
    found = lines(out)
    assert found["method"] == (
        "method status group labels chosen by worst group plain average worst group − erm seconds"
    )
    assert found["erm"] == "erm ok none none 55.0 ± 63.5 20.0 [15.0, 25.0] 20.0 [15.0, 25.0] 2.5"
    assert found["probe"] == "probe 1 of 2 ok none shortcut_cell, 3 tried 70.0 80.0 20.0 [15.0, 25.0] 2.0"
    assert "validation worst_group, in fit 20.0 [15.0, 25.0] 20.0" in found["dfr"]
    assert found["roboshot"] == "roboshot skipped none – – – 20.0 [15.0, 25.0] –"
    assert found["kept by evenhand"] == "kept by evenhand none evidence 70.0 80.0 20.0 [15.0, 25.0]"
    for sentence in (
        "seed 0: evenhand would keep probe; gain 0.100",
        "probe: few [rows]",
        "probe: failed: the loss is not finite",
        "roboshot: skipped: it needs concept words",
        "note: no test row has the class b: its accuracy stays unknown",
        "the average is over test rows",
        "written to x",
    ):
        assert out.count(sentence) == 1


def test_without_groups_the_worst_class_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    made = results()
    for one in (*made.rows, *made.summary):
        one.worst_group = None
    show_comparison(made, None, json=False)
    out = capsys.readouterr().out
    assert "worst class − erm" in out
    assert "written to" not in out
    assert lines(out)["erm"] == "erm ok none none 55.0 ± 63.5 20.0 [15.0, 25.0] – 2.5"
