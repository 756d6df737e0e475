"""`evenhand audit` as a user meets it, on drawn scenes with the embedded model."""

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
    done = run(store, "--against", store.parent / "birds.run")
    assert "waterbird: errors look like" in done.stdout
    assert any(f"*{word}*" in done.stdout for word in ("land", "meadow", "grass"))
    assert "are gone from their paths" in done.stdout
    assert "Cost outside the task" in done.stdout
    (store.parent / "moved").rename(store.parent / "photos")


def test_json_is_the_whole_audit(store: Path) -> None:
    found = json.loads(run(store, "--against", store.parent / "birds.run", "--json").stdout)
    assert found["models"] == ["erm", "cfr"]
    assert found["words"] == "the 12 words that model tiny knows"
    assert all(cost["reason"] is None for cost in found["costs"])
    words = {one["label"]: one["words"][0]["word"] for one in reversed(found["slices"]) if one["words"]}
    assert words["waterbird"] in ("land", "meadow", "grass")


def test_a_rate_under_its_bound_ends_with_3(store: Path) -> None:
    done = run(store, "--fail-under", "worst-class=0.999", "--fail-under", "plain=0.1", code=3)
    assert done.stderr.splitlines()[-1].startswith("below: worst-class is 0.")
    assert done.stderr.count("below") == 1
    run(store, "--fail-under", "plain=0.1", "--vocabulary", "none")


def test_an_unknown_rate_is_one_sentence(store: Path) -> None:
    done = run(store, "--fail-under", "worst=0.9", code=1)
    assert done.stderr.startswith("error: --fail-under got 'worst=0.9'; give each rate once")
    assert done.stderr.count("\n") == 1


def test_a_vocabulary_of_ones_own(store: Path, tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("a lake\n\ngrass\ngrass\n")
    done = run(store, "--against", store.parent / "birds.run", "--vocabulary", tmp_path / "words.txt")
    assert "left out 1 empty lines and 1 words given twice" in done.stdout
    assert "*grass*" in done.stdout
    run(store, "--vocabulary", tmp_path / "absent.txt", code=1)


def test_no_words_on_request(store: Path) -> None:
    done = run(store, "--against", store.parent / "birds.run", "--vocabulary", "none")
    assert "no words: none were asked for" in done.stdout
    assert "errors look like" not in done.stdout
