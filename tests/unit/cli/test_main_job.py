"""The way through the house with the commands: scenes, store, audit, fit, predict."""

import csv
import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fairlearn.metrics import MetricFrame
from PIL import Image
from sklearn.metrics import accuracy_score
from typer.testing import CliRunner

from evenhand.cli.app import app
from evenhand.datasets.scenes import write_scenes


def run(*arguments: object, code: int = 0) -> Any:
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert done.exit_code == code, (done.stdout, done.stderr, done.exception)
    return done


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_scenes(tmp_path_factory.mktemp("scenes") / "my photos", seed=0, train=160, test=40)


@pytest.fixture(scope="module")
def store(photos: Path) -> Path:
    out = photos.parent / "birds.store"
    run("embed", photos, "--model", "tiny", "--out", out, "--workers", 0, "--device", "cpu")
    return out


def test_embed_counts_and_is_repeatable(photos: Path, store: Path) -> None:
    arguments = ("embed", photos, "--model", "tiny", "--out", store, "--workers", 0, "--device", "cpu")
    found = json.loads(run(*arguments, "--json").stdout)
    assert found["rows"] == 200
    assert sum(sum(counts.values()) for counts in found["counts"].values()) == 200
    assert found["attributes"] == ["background"]
    assert found["skipped"] == {}
    shown = run(*arguments).stdout
    assert "200 rows" in shown
    assert re.search(r"class +train +test\n", shown)
    assert "columns that make groups: background" in shown


def test_audit_shows_groups(store: Path) -> None:
    found = json.loads(run("audit", store, "--json").stdout)
    assert {group["name"] for group in found["groups"]} == {
        f"{bird} / {ground}" for bird in ("landbird", "waterbird") for ground in ("land", "water")
    }
    assert "waterbird / land" in run("audit", store).stdout


def test_fit_then_predict_images_and_features(photos: Path, store: Path, tmp_path: Path) -> None:
    made, out = tmp_path / "birds.run", tmp_path / "predictions.csv"
    fitted = run("fit", store, "--method", "zero_shot", "--out", made, "--json")
    assert json.loads(fitted.stdout) == json.loads((made / "results.json").read_text())
    run("predict", made, photos / "test", "--out", out, "--device", "cpu")
    with out.open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 40
    assert list(rows[0]) == ["path", "predicted", "label", "right", "p_landbird", "p_waterbird", "background"]
    parts = np.concatenate([np.load(path) for path in sorted((store / "features").glob("*.npy"))])
    np.save(tmp_path / "X.npy", parts.astype(np.float32))
    found = json.loads(run("predict", made, "--features", tmp_path / "X.npy", "--out", out, "--json").stdout)
    assert sum(found["predicted"].values()) == 200


def test_predict_reads_images_as_it_is_told(photos: Path, store: Path, tmp_path: Path) -> None:
    made = tmp_path / "birds.run"
    run("fit", store, "--method", "zero_shot", "--out", made)

    def predicted(*options: object) -> str:
        run("predict", made, photos / "test", "--out", tmp_path / "p.csv", "--device", "cpu", *options)
        return (tmp_path / "p.csv").read_text()

    usual = predicted()
    assert predicted("--precision", "fp32", "--workers", 2) == usual
    assert predicted("--precision", "bf16") != usual
    (tmp_path / "new.csv").write_text("scan,copy\n00000.jpg,x.jpg\n00001.JPG,y.jpg\n")
    images = ("--path-column", "scan", "--root", photos / "test")
    done = run("predict", made, tmp_path / "new.csv", "--out", tmp_path / "p.csv", "--device", "cpu", *images)
    assert "note: 1 of 2 paths do not exist as they are written, and are read with another" in done.stderr
    two = [line.split(",") for line in usual.splitlines() if line.startswith(("00000", "00001"))]
    read = [line.split(",") for line in (tmp_path / "p.csv").read_text().splitlines()[1:]]
    assert [row[2:] for row in read] == [row[4:6] for row in two]


def test_predictions_on_labelled_images_are_scored_like_an_audit(
    photos: Path, store: Path, tmp_path: Path
) -> None:
    made, out = tmp_path / "birds.run", tmp_path / "p.csv"
    run("fit", store, "--method", "erm", "--param", "epochs=2", "--out", made)
    arguments = ("predict", made, photos / "test", "--out", out, "--device", "cpu", "--workers", 0)
    found = json.loads(run(*arguments, "--json").stdout)
    audited = json.loads(run("audit", store, "--against", made, "--vocabulary", "none", "--json").stdout)
    shared = (
        "method",
        "classes",
        "groups",
        "worst_class",
        "worst_group",
        "difference_to_erm",
        "cells",
    )
    for key in shared:
        assert found[key] == audited[key], key
    assert list(found["figures"]) == list(audited["figures"])
    for figure, one in found["figures"].items():
        worst = audited["figures"][figure]["worst_group"]
        assert one["worst_group"]["value"] == pytest.approx(worst["value"], abs=1e-3)
    assert found["averages"] == {**audited["averages"], "train_weighted": None}
    with out.open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert sum(row["right"] == "true" for row in rows) == round(found["averages"]["plain"] * 40)
    assert all((row["right"] == "true") == (row["label"] == row["predicted"]) for row in rows)
    frame = pd.read_csv(out)
    by_value = MetricFrame(
        metrics=accuracy_score,
        y_true=frame.label,
        y_pred=frame.predicted,
        sensitive_features=frame.background,
    ).by_group
    groups = {group["name"]: group for group in found["groups"]}
    for value, accuracy in by_value.items():
        own = [groups[f"{bird} / {value}"] for bird in ("landbird", "waterbird")]
        assert accuracy == pytest.approx(sum(g["n"] * g["value"] for g in own) / sum(g["n"] for g in own))
    shown = run(*arguments).stdout
    assert "Classes, 40 labeled images" in shown
    assert "waterbird / land" in shown
    shown = run(*arguments, "--metric", "precision").stdout
    assert "Precision, percent" in shown
    assert "Classes, 40 labeled images" in shown
    done = run(*arguments, "--group-by", "weather", code=1)
    assert done.stderr == (
        "error: --group-by: 'weather' is not an attribute of these images; they have: background\n"
    )


def test_predictions_are_scored_by_several_attributes(photos: Path, store: Path, tmp_path: Path) -> None:
    made, out, few = tmp_path / "birds.run", tmp_path / "p.csv", tmp_path / "few"
    run("fit", store, "--method", "zero_shot", "--out", made)
    shutil.copytree(photos / "test", few)
    rows = pd.read_csv(few / "metadata.csv")
    rows["time"] = np.where(np.arange(len(rows)) % 2, "day", "night")
    rows.to_csv(few / "metadata.csv", index=False)
    arguments = ("predict", made, few, "--out", out, "--device", "cpu", "--workers", 0)
    found = json.loads(run(*arguments, "--group-by", "background,time", "--json").stdout)
    frame = pd.read_csv(out)
    assert "background,time" not in frame
    frame["cell"] = frame.label + " / " + frame.background + " × " + frame.time
    small = frame.groupby("cell")["right"].transform("size") < 10
    frame.loc[small, "cell"] = frame.label + " / other"
    rates = frame.groupby("cell")["right"].agg(["size", "mean"])
    assert {g["name"]: (g["n"], g["value"]) for g in found["groups"]} == {
        name: (row["size"], pytest.approx(row["mean"])) for name, row in rates.iterrows()
    }
    assert [group["name"] for group in found["figures"]["recall"]["groups"]] == sorted(rates.index)
    assert found["notes"][-1].startswith("groups are those of 'background' and 'time' together")
    both = MetricFrame(
        metrics=accuracy_score,
        y_true=frame.label,
        y_pred=frame.predicted,
        sensitive_features=frame[["background", "time"]],
    )
    assert (
        both.by_group["land", "day"]
        == frame[(frame.background == "land") & (frame.time == "day")].right.mean()
    )
    done = run(*arguments, "--group-by", "background,weather", code=1)
    assert done.stderr == (
        "error: --group-by: 'weather' is not an attribute of these images; they have: background, time\n"
    )


def test_predictions_on_unlabelled_images_stay_as_they_are(photos: Path, store: Path, tmp_path: Path) -> None:
    made, out, flat = tmp_path / "birds.run", tmp_path / "p.csv", tmp_path / "flat"
    run("fit", store, "--method", "zero_shot", "--out", made)
    flat.mkdir()
    for picture in sorted((photos / "test").glob("*.jpg"))[:3]:
        (flat / picture.name).write_bytes(picture.read_bytes())
    arguments = ("predict", made, flat, "--out", out, "--device", "cpu", "--workers", 0)
    found = json.loads(run(*arguments, "--json").stdout)
    assert sorted(found) == ["out", "predicted", "rows", "skipped"]
    assert out.read_text().splitlines()[0] == "path,predicted,p_landbird,p_waterbird"
    done = run(*arguments, "--class-names", "0=landbird", code=1)
    assert done.stderr.startswith(f"error: {flat} has neither class folders nor a metadata table")


def test_each_command_ends_with_the_next_and_json_with_none(
    photos: Path, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    embed = ("embed", photos, "--model", "tiny", "--out", store, "--workers", 0, "--device", "cpu")
    fit = ("fit", store, "--method", "zero_shot", "--out", "my birds.run")
    for arguments, following in (
        (embed, f"audit {store}"),
        (
            ("audit", store, "--vocabulary", "none"),
            f"audit {store} --plan 10",
        ),
        (
            ("audit", store, "--vocabulary", "none", "--plan", 10),
            f"fit {store} --out {store.parent}/birds.run",
        ),
        (fit, "report 'my birds.run'"),
        (
            ("audit", store, "--against", "my birds.run"),
            f"audit {store} --against 'my birds.run' --plan 10",
        ),
        (
            ("audit", store, "--against", "my birds.run", "--plan", 10),
            "report 'my birds.run' --out 'my birds.html'",
        ),
        (
            ("report", "my birds.run", "--no-saliency", "--vocabulary", "none"),
            "predict 'my birds.run' NEW-IMAGES --out predictions.csv",
        ),
        (
            ("predict", "my birds.run", photos / "test", "--workers", 0),
            "export 'my birds.run' --to open_clip --out 'my birds-model'",
        ),
        (("doctor",), "demo"),
        (("bench", "--list"), "bench scenes"),
    ):
        assert run(*arguments).stderr.splitlines()[-1] == f"next: evenhand {following}"
        assert "next:" not in run(*arguments, "--json").stderr


def test_broken_images_are_counted_by_kind(tmp_path: Path) -> None:
    for k in range(6):
        folder = tmp_path / "photos" / ("cat" if k % 2 else "dog")
        folder.mkdir(parents=True, exist_ok=True)
        Image.effect_noise((40 + k, 40), 60).save(folder / f"{k}.png")
    for name, cut in (("a", 300), ("b", 400)):
        (folder / f"{name}.png").write_bytes((folder / "5.png").read_bytes()[:cut])
    (folder / "c.png").touch()
    out = tmp_path / "s.store"
    shown = run("embed", tmp_path / "photos", "--model", "tiny", "--out", out).stdout
    assert f"3 of 9 images skipped, listed in {out / 'skipped.parquet'}:" in shown
    assert "  2  truncated or damaged\n" in shown
    assert "  1  empty file\n" in shown
    done = run(
        "embed", tmp_path / "photos", "--model", "tiny", "--out", out, "--device", "cpu", "--strict", code=1
    )
    assert "lacks 3 images" in done.stderr


def test_a_long_path_is_not_folded(store: Path, photos: Path, tmp_path: Path) -> None:
    made, out = tmp_path / "birds.run", tmp_path / "a folder with a name" / "predictions of all.csv"
    run("fit", store, "--method", "zero_shot", "--out", made)
    picture = next((photos / "test").glob("*.jpg"))
    assert f"{out}: 1 row\n" in run("predict", made, picture, "--out", out, "--device", "cpu").stdout


def test_predict_on_nothing_readable_is_one_sentence(store: Path, tmp_path: Path) -> None:
    made, broken = tmp_path / "birds.run", tmp_path / "broken"
    run("fit", store, "--method", "zero_shot", "--out", made)
    broken.mkdir()
    (broken / "x.jpg").write_text("no picture")
    done = run("predict", made, broken, "--out", tmp_path / "new" / "p.csv", "--device", "cpu", code=1)
    assert done.stderr == f"error: the only image cannot be read: {broken}/x.jpg: not an image\n"
    assert not (tmp_path / "new").exists()


def test_a_parameter_of_another_kind_is_one_sentence(store: Path, tmp_path: Path) -> None:
    out = tmp_path / "x.run"
    done = run("fit", store, "--method", "erm", "--param", "epochs=many", "--out", out, code=2)
    assert done.stderr == "error: --param: epochs got 'many', but erm needs a whole number or null\n"
    assert not out.exists()


def test_import_then_fit(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    np.save(tmp_path / "X.npy", rng.normal(size=(60, 8)).astype(np.float32))
    lines = ["y,place", *(f"{'cat' if k % 2 else 'dog'},{'in' if k % 3 else 'out'}" for k in range(60))]
    (tmp_path / "rows.csv").write_text("\n".join(lines))
    store, made = tmp_path / "s.store", tmp_path / "s.run"
    features = ("--features", tmp_path / "X.npy", "--table", tmp_path / "rows.csv")
    columns = ("--label-column", "y", "--attribute-columns", "place")
    done = run("import", *features, *columns, "--out", store, "--json")
    (note,) = json.loads(done.stdout)["notes"]
    assert done.stderr == f"note: {note}\n"
    assert note.startswith("no splits are given")
    assert json.loads(done.stdout)["rows"] == 60
    assert "written to" in run("fit", store, "--method", "erm", "--out", made).stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("audit", "nowhere.store"),
        ("fit", "nowhere.store", "--out", "x.run"),
        ("predict", "nowhere.run", "photos"),
        ("embed", "nowhere", "--model", "tiny", "--out", "x.store"),
        ("import", "--features", "nowhere.npy", "--table", "nowhere.csv", "--out", "x.store"),
    ],
)
def test_what_is_not_there_is_one_sentence(
    arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run(*arguments, code=1)
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
