"""`evenhand review` as a user meets it."""

import csv
import json
import shutil
import signal
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from tests.conftest import MakeRun
from typer.testing import CliRunner

from evenhand import load_store
from evenhand.cli.app import app

QUESTION = "Is it at sea?"


def run(*arguments: object, code: int = 0) -> Any:
    done = CliRunner().invoke(app, ["review", *map(str, arguments)])
    assert done.exit_code == code, (done.stdout, done.stderr, done.exception)
    return done


@pytest.fixture
def birds(small_run: Path, tmp_path: Path) -> Path:
    shutil.copytree(small_run.parent / "x.store", tmp_path / "x.store")
    return tmp_path / "x.store"


def fill(path: Path, store: Path) -> None:
    table = load_store(store)
    place = dict(zip(table.ids.tolist(), table.attributes["place"].tolist(), strict=True))
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0], delimiter=";")
        writer.writeheader()
        writer.writerows(row | {"answer": "1" if place[row["id"]] == "sea" else "2"} for row in rows)


def test_a_list_is_filled_in_and_settles_it_without_a_page(birds: Path, tmp_path: Path) -> None:
    out = tmp_path / "rows.csv"
    assert (
        "60 images; fill in yes, no or unclear"
        in run(birds, "--question", QUESTION, "--list", "--out", out, "--rows", 60).stdout
    )
    fill(out, birds)
    done = run(birds, "--answers", out)
    assert "worst group of zero_shot: " in done.stdout
    assert "group labels were used in evaluation, not in training" in done.stdout
    assert f"next: evenhand review {birds} --answers {out} --write rows" in done.stderr
    named = run(birds, "--answers", out, "--attribute", "the sea")
    assert f"--answers {out} --write the-sea" in named.stderr
    found = json.loads(run(birds, "--answers", out, "--json", "--write", "sea").stdout)
    assert found["question"] == QUESTION
    assert found["answers"] == {
        "yes": found["answers"]["yes"],
        "no": 60 - found["answers"]["yes"],
        "unclear": 0,
    }
    table = load_store(birds)
    assert ((table.attributes["sea"] == "yes") == (table.attributes["place"] == "sea")).mean() > 0.9
    audited = CliRunner().invoke(
        app, ["audit", str(birds), "--group-by", "sea", "--vocabulary", "none", "--json"]
    )
    assert json.loads(audited.stdout)["group_labels_from"]["used_for"] == "evaluation"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--list",), "--list: it writes the images to ask about to --out"),
        (
            ("--answers", "gone.csv"),
            "--answers: gone.csv does not exist; give a CSV with the columns id and answer",
        ),
        (("--question", " "), "--question: it is empty"),
    ],
)
def test_wrong_options_are_one_sentence(birds: Path, arguments: tuple[str, ...], sentence: str) -> None:
    done = run(birds, *arguments, code=1)
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1


def test_without_words_the_user_must_ask(birds: Path) -> None:
    told = run(birds, code=1).stderr
    assert told.startswith("no --question: the audit looks for a word to ask about\n")
    assert "--question: the audit names nothing to ask about" in told
    assert "such as --question 'Is there water in the background?'" in told


def test_a_run_brings_its_model_and_needs_its_store(make_run: MakeRun, tmp_path: Path) -> None:
    made = make_run("reviewed", n=400, method="erm")
    out = tmp_path / "rows.csv"
    listed = run(made, "--question", QUESTION, "--list", "--out", out)
    assert f"next: evenhand review {made} --answers {out}" in listed.stderr
    fill(out, made.parent / "x.store")
    assert "worst group of erm: " in run(made, "--answers", out).stdout
    (made.parent / "x.store").rename(made.parent / "moved.store")
    assert "is neither at" in run(made, "--answers", out, code=1).stderr


def started(birds: Path, out: Path) -> tuple[subprocess.Popen[str], str]:
    code = "import sys; from evenhand.cli import main; sys.exit(main())"
    words = ["review", birds, "--question", QUESTION, "--out", out, "--rows", "12", "--json"]
    process = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A process that ignores SIGINT hands that on; this one shall see it either way.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stderr is not None
    line = process.stderr.readline()
    assert line.startswith("open http://127.0.0.1:"), line
    return process, line.split()[1]


def ask(url: str, inside: str, body: Any = None) -> dict[str, Any]:
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc)
    sent = None if body is None else json.dumps(body)
    connection.request("GET" if body is None else "POST", parts.path + inside, sent)
    found: dict[str, Any] = json.loads(connection.getresponse().read())
    connection.close()
    return found


def test_a_killed_page_resumes_and_an_interrupted_one_reports(birds: Path, tmp_path: Path) -> None:
    out, sea = tmp_path / "a.csv", load_store(birds).attributes["place"] == "sea"
    process, url = started(birds, out)
    state = ask(url, "state")
    for _ in range(5):
        state = ask(url, "answer", {"row": state["row"], "answer": "yes" if sea[state["row"]] else "no"})
    process.kill()
    process.communicate()
    process, url = started(birds, out)
    state = ask(url, "state")
    assert (state["answered"], state["total"]) == (5, 12)
    while state["row"] is not None:
        state = ask(url, "answer", {"row": state["row"], "answer": "yes" if sea[state["row"]] else "no"})
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=120)
    assert process.returncode == 0, stderr
    assert sum(json.loads(stdout)["answers"].values()) == 12
    assert np.genfromtxt(out, delimiter=",", dtype=str, skip_header=1).shape[0] == 12
