"""`evenhand audit` as a user meets it, on drawn scenes with the embedded model."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from evenhand import fit, load_store
from evenhand.cli.app import app
from evenhand.datasets.scenes import write_scenes


def run(*arguments: object, code: int = 0) -> Any:
    done = CliRunner().invoke(app, ["audit", *map(str, arguments)])
    assert done.exit_code == code, (done.stdout, done.stderr, done.exception)
    return done


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("audit")
    write_scenes(folder / "photos", seed=0, train=400, test=240, correlation=1.0)
    out = folder / "birds.store"
    arguments = [
        "embed",
        folder / "photos",
        "--model",
        "tiny",
        "--out",
        out,
        "--workers",
        0,
        "--device",
        "cpu",
    ]
    assert CliRunner().invoke(app, [str(a) for a in arguments]).exit_code == 0
    fit(load_store(out), method="cfr", out=folder / "birds.run")
    return out


def test_the_errors_are_named_by_the_background_and_the_images_may_be_gone(store: Path) -> None:
    (store.parent / "photos").rename(store.parent / "moved")
    done = run(store, "--against", store.parent / "birds.run", "--verbose")
    assert "waterbird: errors look like" in done.stdout
    assert any(f"*{word}*" in done.stdout for word in ("land", "meadow", "grass"))
    assert "are no longer at their paths" in done.stdout
    assert "Cost of the projection outside the task" in done.stdout
    (store.parent / "moved").rename(store.parent / "photos")


def test_it_opens_with_six_lines_and_ends_with_the_next_command(store: Path) -> None:
    done = run(store, "--against", store.parent / "birds.run")
    lines = done.stdout.split("\n\n")[0].splitlines()
    starts = ["Shortcut: ", "Goes with the label: ", "Hurt: ", "Repair: ", "Best here: ", "Next: "]
    assert [line.startswith(start) for line, start in zip(lines, starts, strict=True)] == [True] * 6
    command = lines[-1].rpartition("evenhand ")[2]
    assert done.stderr.rstrip().endswith(f"evenhand {command}")
    for hidden in (
        "Cost of the projection outside the task",
        "Attributes: how well",
        "with the known groups",
    ):
        assert hidden not in done.stdout


def test_a_run_stands_for_its_store_and_itself(store: Path) -> None:
    birds = store.parent / "birds.run"
    assert run(birds, "--json").stdout == run(store, "--against", birds, "--json").stdout
    refused = run(birds, "--against", birds, code=1)
    assert refused.stderr == f"error: --against: {birds} is a run itself; give one run\n"


def test_a_plan_says_how_many_images_would_show_a_gap(store: Path) -> None:
    done = run(store, "--plan", 10)
    assert "the planned gap needs" in done.stdout
    found = json.loads(run(store, "--plan", 10, "--json").stdout)["gaps"]
    assert [one["name"] for one in found] == [
        f"{a} / {b}" for a in ("landbird", "waterbird") for b in ("land", "water")
    ]
    assert all(one["needed"] > 30 for one in found)
    for bad in (0, 100):
        done = run(store, "--plan", bad, code=1)
        assert done.stderr == (
            f"error: --plan: {bad} is not a gap in accuracy; give points from 0 to 100, such as 10\n"
        )


def test_json_is_the_whole_audit(store: Path) -> None:
    found = json.loads(run(store, "--against", store.parent / "birds.run", "--json").stdout)
    assert found["models"] == ["erm", "cfr"]
    assert found["words"] == "the 12 words that model tiny knows"
    assert all(cost["reason"] is None for cost in found["costs"])
    words = {one["label"]: one["words"][0]["word"] for one in reversed(found["slices"]) if one["words"]}
    assert words["waterbird"] in ("land", "meadow", "grass")


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_the_images_behind_an_audit_are_listed(store: Path, tmp_path: Path) -> None:
    out, made = tmp_path / "an audit", store.parent / "birds.run"
    done = run(store, "--against", made, "--out", out)
    assert f"written to {out}: slices.csv, errors.csv, suspects.csv\n" in done.stdout
    found = json.loads(run(store, "--against", made, "--out", out, "--json").stdout)
    errors, slices, suspects = (rows_of(out / f"{name}.csv") for name in ("errors", "slices", "suspects"))
    assert errors
    assert slices
    for path in out.iterdir():
        assert path.read_text().startswith("id,path,label,predicted,slice,model")
    for model, evaluation in (("erm", found["before"]), ("cfr", found)):
        wrong = sum(rate["n"] - round(rate["value"] * rate["n"]) for rate in evaluation["classes"])
        assert sum(row["model"] == model for row in errors) == wrong
    assert all(row["label"] != row["predicted"] for row in errors)
    sure = [one for one in found["slices"] if one["beyond_chance"] and one["same_as"] is None]
    for one in sure:
        own = [row for row in slices if (row["model"], row["slice"]) == (one["model"], one["name"])]
        table = load_store(store)
        assert [row["id"] for row in own][: len(one["rows"])] == [table.ids[row] for row in one["rows"]]
        assert {row["label"] for row in own} == {one["label"]}
        assert all((row["right"] == "true") == (row["label"] == row["predicted"]) for row in own)
    assert {row["slice"] for row in errors} <= {"", *(one["name"] for one in sure)}
    assert [row["id"] for row in suspects] == [one["id"] for one in found["suspects"]]


def test_files_of_others_are_not_replaced(store: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    done = run(store, "--out", tmp_path, code=1)
    assert done.stderr == f"error: --out: {tmp_path} exists and holds notes.txt; name a new folder\n"
    done = run(store, "--out", tmp_path / "notes.txt", code=1)
    assert done.stderr == f"error: --out: {tmp_path / 'notes.txt'} is a file; name a folder\n"
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_without_a_run_there_is_no_suspect(store: Path, tmp_path: Path) -> None:
    run(store, "--out", tmp_path / "new")
    assert rows_of(tmp_path / "new" / "suspects.csv") == []
    assert {row["model"] for row in rows_of(tmp_path / "new" / "errors.csv")} == {"zero_shot"}


def test_a_rate_under_its_bound_ends_with_3(store: Path) -> None:
    done = run(store, "--fail-under", "worst-class=0.999", "--fail-under", "plain=0.1", code=3)
    assert done.stderr.splitlines()[-1].startswith("below: worst-class is 0.")
    assert done.stderr.count("below") == 1
    run(store, "--fail-under", "plain=0.1", "--vocabulary", "none")


def test_an_unknown_rate_is_one_sentence(store: Path) -> None:
    done = run(store, "--fail-under", "worst=0.9", code=2)
    assert "'worst' is unknown" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_vocabulary_of_ones_own(store: Path, tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("a lake\n\ngrass\ngrass\n")
    done = run(store, "--against", store.parent / "birds.run", "--vocabulary", tmp_path / "words.txt")
    assert "left out 1 empty lines and 1 repeated words" in done.stdout
    assert "*grass*" in done.stdout
    run(store, "--vocabulary", tmp_path / "absent.txt", code=1)


def test_no_words_on_request(store: Path) -> None:
    done = run(store, "--against", store.parent / "birds.run", "--vocabulary", "none")
    assert "no words: they are turned off" in done.stdout
    assert "errors look like" not in done.stdout
