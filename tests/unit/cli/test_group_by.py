"""`--group-by a,b` on the command line: fit, audit, compare and report show the same combinations."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from evenhand.cli.app import app

NOTE = "groups are those of 'sex' and 'age' together; of 5 cells 1 has fewer than 10 images to evaluate"


def run(*arguments: object, code: int = 0) -> Any:
    done = CliRunner().invoke(app, [str(one) for one in arguments])
    assert done.exit_code == code, (done.stdout, done.stderr, done.exception)
    return done


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("groups")
    X = np.random.default_rng(0).normal(size=(240, 4)).astype(np.float32)
    np.save(folder / "X.npy", X)
    with (folder / "rows.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["y", "sex", "age", "split"])
        for k in range(240):
            age = "oldest" if k % 120 == 0 else "old"
            writer.writerow(["pq"[k % 2], "fm"[k // 2 % 2], age, "test" if k % 3 == 0 else "train"])
    given = ["--features", folder / "X.npy", "--table", folder / "rows.csv", "--label-column", "y"]
    run("import", *given, "--attribute-columns", "sex,age", "--out", folder / "a.store")
    return folder / "a.store"


def test_fit_audit_and_report_show_combinations(store: Path) -> None:
    made = store.with_name("a.run")
    run("fit", store, "--method", "erm", "--param", "epochs=2", "--group-by", "sex, age", "--out", made)
    (row,) = json.loads((made / "results.json").read_text())["rows"]
    names = ["p / f × old", "p / m × old", "p / other", "q / f × old", "q / m × old"]
    assert [group["name"] for group in row["groups"]] == names
    assert [group["n"] for group in row["groups"]] == [18, 20, 2, 20, 20]
    assert [group["name"] for group in row["figures"]["auroc"]["groups"]] == names
    assert row["averages"]["train_weighted"] is not None
    assert row["notes"][-1].startswith(NOTE)
    assert json.loads((made / "card.json").read_text())["group_by"] == "sex,age"
    shown = json.loads(run("audit", store, "--against", made, "--group-by", "sex,age", "--json").stdout)
    assert shown["groups"] == row["groups"]
    page = store.with_name("page.html")
    run("report", made, "--out", page)
    assert "m × old" in page.read_text()
    assert "pooled as" in page.read_text()


def test_a_comparison_shows_combinations(store: Path) -> None:
    how = (
        "--methods",
        "erm,dfr",
        "--seeds",
        1,
        "--budget",
        1,
        "--jobs",
        1,
        "--group-by",
        "sex,age",
        "--json",
    )
    found = json.loads(run("compare", store, *how).stdout)
    assert {row["method"]: len(row["groups"]) for row in found["rows"]}["dfr"] == 5
    assert found["rows"][0]["notes"][-1].startswith(NOTE)


def test_a_wrong_name_is_refused(store: Path) -> None:
    done = run("audit", store, "--group-by", "sex,size", code=1)
    assert done.stderr == "error: --group-by: 'size' is not an attribute of this store; it has: sex, age\n"
