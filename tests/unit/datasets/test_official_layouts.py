"""`embed` and `bench` on the layouts in which the benchmarks' authors publish them, with tiny pictures."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from evenhand import FeatureTable, Manifest, load_store
from evenhand.cli.app import app

from .conftest import table

N = 24
SPLITS = (0, 0, 0, 0, 1, 2)


def picture(path: Path) -> None:
    """Write a picture that is no copy of another one: copies would be kept in one split."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.frombytes("RGB", (8, 8), sha256(str(path).encode()).digest() * 6).save(path)


def write_waterbirds(root: Path) -> list[tuple[object, ...]]:
    """WILDS: `waterbirds_v1.0/metadata.csv` and folders of species; the authors' archive is the same."""
    rows: list[tuple[object, ...]] = []
    for k in range(N):
        species, y = (("009.Jay", 0), ("001.Albatross", 1))[k % 2]
        name = f"{species}/{species[4:]}_{k}.jpg"
        picture(root / name)
        rows.append((k + 1, name, y, SPLITS[k // 4], k // 2 % 2, "/o/ocean/1.jpg"))
    table(root / "metadata.csv", "img_id,img_filename,y,split,place,place_filename", rows)
    return rows


def subpopbench_waterbirds(root: Path) -> None:
    rows = write_waterbirds(root / "waterbird_complete95_forest2water2")
    shown = [(number, name, split, y, place) for number, name, y, split, place, _ in rows]
    table(root / "metadata_waterbirds.csv", "id,filename,split,y,a", shown)


def celeba_states(k: int) -> tuple[int, int]:
    return (-1, 1)[k % 2], (-1, 1)[k // 2 % 2]


def write_celeba_txt(anno: Path, evaluation: Path, images: Path) -> None:
    """The authors' text files: a line of the count, a line of names, then columns of blanks."""
    lines = [f"{k + 1:06d}.jpg  {'  '.join(f'{state:2d}' for state in celeba_states(k))}" for k in range(N)]
    for folder in (anno, evaluation):
        folder.mkdir(parents=True, exist_ok=True)
    (anno / "list_attr_celeba.txt").write_text("\n".join([str(N), "Blond_Hair Male ", *lines]) + "\n")
    parts = [f"{k + 1:06d}.jpg {SPLITS[k // 4]}" for k in range(N)]
    (evaluation / "list_eval_partition.txt").write_text("\n".join(parts) + "\n")
    for k in range(N):
        picture(images / f"{k + 1:06d}.jpg")


def celeba_txt(root: Path) -> None:
    write_celeba_txt(root / "Anno", root / "Eval", root / "Img/img_align_celeba")


def celeba_csv(root: Path) -> None:
    rows = [(f"{k + 1:06d}.jpg", *celeba_states(k)) for k in range(N)]
    table(root / "list_attr_celeba.csv", "image_id,Blond_Hair,Male", rows)
    parts = [(f"{k + 1:06d}.jpg", SPLITS[k // 4]) for k in range(N)]
    table(root / "list_eval_partition.csv", "image_id,partition", parts)
    for k in range(N):
        picture(root / f"img_align_celeba/img_align_celeba/{k + 1:06d}.jpg")


def subpopbench_celeba(root: Path) -> None:
    write_celeba_txt(root, root, root / "img_align_celeba")
    states = [tuple(int(state > 0) for state in celeba_states(k)) for k in range(N)]
    rows = [(k + 1, f"{k + 1:06d}.jpg", SPLITS[k // 4], *states[k]) for k in range(N)]
    table(root / "metadata_celeba.csv", "id,filename,split,y,a", rows)


CHEXPERT = "Path,Sex,Age,Frontal/Lateral,AP/PA,No Finding,Pneumonia,Support Devices"


def chexpert(root: Path) -> list[tuple[object, ...]]:
    """The small version: in train.csv an observation is 1.0, 0.0, -1.0 or blank."""
    rows: list[tuple[object, ...]] = []
    for p in range(N):
        for view in ("frontal", "lateral"):
            name = f"train/patient{p:05d}/study1/view1_{view}.jpg"
            picture(root / name)
            states = ("1.0" if p % 2 else "", ("1.0", "0.0", "-1.0", "")[p % 4], "")
            sex = ("Male", "Female")[p // 2 % 2]
            rows.append((f"CheXpert-v1.0-small/{name}", sex, 50 + p, view, "AP", *states))
    table(root / "train.csv", CHEXPERT, rows)
    valid = [
        (f"CheXpert-v1.0-small/valid/patient{p}/study1/view1_frontal.jpg", "Male", 40, "frontal", "AP")
        for p in (90, 91)
    ]
    for row in valid:
        picture(root / row[0].partition("/")[2])
    table(root / "valid.csv", CHEXPERT, [(*row, f"{k}.0", "0.0", "1.0") for k, row in enumerate(valid)])
    return rows


def subpopbench_chexpert(root: Path) -> None:
    rows: list[tuple[object, ...]] = []
    for k, row in enumerate(chexpert(root)):
        name = f"/data/chexpert/{str(row[0]).partition('/')[2]}"
        rows.append((*row, name, k // 2, k // 4 % 2, int(row[5] == "1.0"), SPLITS[k // 8]))
    head = f"{CHEXPERT},filename,subject_id,a,y,split"
    table(root / "subpop_bench_meta/metadata_no_finding.csv", head, rows)


def metashift(root: Path) -> list[tuple[object, ...]]:
    """The unmixed folders, and SubpopBench's table of them with the paths of its author's machine."""
    folders = (
        ("train/cat/cat(indoor)", 1, 1),
        ("train/dog/dog(outdoor)", 0, 0),
        ("test/cat/cat(outdoor)", 1, 0),
        ("test/dog/dog(indoor)", 0, 1),
    )
    rows: list[tuple[object, ...]] = []
    for k in range(N):
        folder, y, a = folders[k % 4]
        name = f"MetaShift-Cat-Dog-indoor-outdoor/{folder}/{2300000 + k}.jpg"
        picture(root / name)
        rows.append((f"/home/author/metashift/{name}", y, a, SPLITS[k // 4]))
    table(root / "metadata_metashift.csv", "filename,y,a,split", rows)
    return rows


BLOND = ("--class-names", "-1=not blond,1=blond", "--label-column", "Blond_Hair")
GIVEN = {"train": 16, "validation": 4, "test": 4}


EMBED: dict[str, tuple[Callable[[Path], object], str, tuple[str, ...], dict[str, int]]] = {
    "wilds waterbirds": (
        write_waterbirds,
        "metadata.csv",
        ("--label-column", "y", "--class-names", "landbird,waterbird", "--attribute-columns", "place"),
        GIVEN,
    ),
    "subpopbench waterbirds": (
        subpopbench_waterbirds,
        "metadata_waterbirds.csv",
        (
            *("--label-column", "y", "--class-names", "landbird,waterbird", "--attribute-columns", "a"),
            *("--root", "waterbird_complete95_forest2water2"),
        ),
        GIVEN,
    ),
    "celeba txt": (
        celeba_txt,
        "Anno/list_attr_celeba.txt",
        (
            *("--root", "Img/img_align_celeba", "--split-file", "Eval/list_eval_partition.txt"),
            *("--attribute-columns", "Male", *BLOND),
        ),
        GIVEN,
    ),
    "celeba csv": (
        celeba_csv,
        "list_attr_celeba.csv",
        (
            *("--path-column", "image_id", "--split-file", "list_eval_partition.csv"),
            *("--attribute-columns", "Male", *BLOND),
        ),
        GIVEN,
    ),
    "subpopbench celeba": (
        subpopbench_celeba,
        "metadata_celeba.csv",
        ("--label-column", "y", "--class-names", "not blond,blond", "--attribute-columns", "a"),
        GIVEN,
    ),
    "chexpert": (
        chexpert,
        "train.csv",
        (
            *("--label-column", "No Finding", "--class-names", "=a finding,1=no finding"),
            *("--attribute-columns", "Sex", "--layout", "*/patient/*", "--split-by", "patient"),
        ),
        {"train": 32, "validation": 8, "test": 8},
    ),
    "subpopbench chexpert": (
        subpopbench_chexpert,
        "subpop_bench_meta/metadata_no_finding.csv",
        (
            *("--label-column", "y", "--class-names", "a finding,no finding", "--attribute-columns", "a"),
            *("--path-column", "filename", "--root", ".", "--split-by", "subject_id"),
        ),
        {"train": 32, "validation": 8, "test": 8},
    ),
    "metashift": (
        metashift,
        "MetaShift-Cat-Dog-indoor-outdoor",
        ("--layout", "*/class/context"),
        {"train": 16, "validation": 4, "test": 4},
    ),
    "subpopbench metashift": (
        metashift,
        "metadata_metashift.csv",
        ("--label-column", "y", "--class-names", "dog,cat", "--attribute-columns", "a"),
        GIVEN,
    ),
}
"""What writes a layout, the table or folder in it to embed, the options, and the rows of each split."""


def command(*arguments: object) -> str:
    done = CliRunner().invoke(app, [*map(str, arguments)])
    assert done.exit_code == 0, (done.stdout, done.stderr, done.exception)
    return done.stdout


def embedded(name: str, data: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> FeatureTable:
    write, source, options, _ = EMBED[name]
    write(data)
    monkeypatch.chdir(data)
    command("embed", source, *options, "--model", "tiny", "--workers", 0, "--device", "cpu", "--out", out)
    return load_store(out)


@pytest.mark.parametrize("name", EMBED)
def test_embed_reads_the_layout(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = embedded(name, tmp_path / "data", tmp_path / "out.store", monkeypatch)
    splits = EMBED[name][3]
    assert len(found) == sum(splits.values())  # no picture is missing
    assert Counter(found.split.tolist()) == splits
    groups = found.groups(next(iter(found.attributes)), np.arange(len(found)))
    pairs = Counter(zip(found.y.tolist(), groups.tolist(), strict=True))
    assert len(pairs) >= 4
    assert set(Counter(found.y.tolist()).values()) == {len(found) // 2}


def test_blank_labels_are_a_class_and_patients_stay_together(tmp_path: Path) -> None:
    rows = chexpert(tmp_path)
    found = Manifest.read(
        tmp_path / "train.csv",
        label_column="No Finding",
        class_names={"": "a finding", "1": "no finding"},
        attribute_columns=["Sex"],
        layout="*/patient/*",
        split_by="patient",
    )
    blank = [row[5] == "" for row in rows]
    assert [found.classes[y] == "a finding" for y in found.y] == blank
    assert found.units is not None
    assert found.units.tolist() == [f"patient{k // 2:05d}" for k in range(2 * N)]
    assert list(found.attributes) == ["Sex"]
    for patient in np.unique(found.units):
        assert len(set(found.split[found.units == patient])) == 1


BENCH: dict[str, tuple[Callable[[Path], object], str]] = {
    "wilds waterbirds": (lambda root: write_waterbirds(root / "waterbirds_v1.0"), "waterbirds"),
    "celeba txt": (celeba_txt, "celeba"),
    "celeba csv": (celeba_csv, "celeba"),
    "chexpert": (lambda root: chexpert(root / "CheXpert-v1.0-small"), "chexpert"),
    "metashift": (metashift, "metashift"),
}


@pytest.mark.parametrize("name", BENCH)
def test_bench_reads_the_layout(name: str, tmp_path: Path) -> None:
    write, benchmark = BENCH[name]
    write(tmp_path / "data")
    data = ("--data", tmp_path / "data", "--param", "expected=null", "--out", tmp_path / "out")
    run = ("--model", "tiny", "--methods", "zero_shot", "--seeds", 1, "--workers", 0, "--device", "cpu")
    found = json.loads(command("bench", benchmark, *data, *run, "--jobs", 1, "--json"))
    assert found["lines"][1]["worst_group"] is not None
    assert sum(count for split, count in found["sizes"].items() if "," not in split) in (N, 2 * N + 2)


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("subpopbench chexpert", {"root": ".", "path_column": "filename", "split_by": "subject_id"}),
        ("subpopbench metashift", {}),
    ],
)
def test_bench_takes_the_splits_of_subpopbench_from_its_table(
    name: str, params: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, source, _, splits = EMBED[name]
    write(tmp_path / "data")
    monkeypatch.chdir(tmp_path / "data")
    names = json.dumps({"0": "first kind", "1": "second kind"})
    params = {"label_column": "y", "attribute_columns": "a", "class_names": names, **params}
    given = [part for pair in params.items() for part in ("--param", "=".join(pair))]
    run = ("--model", "tiny", "--methods", "zero_shot", "--seeds", 1, "--workers", 0, "--device", "cpu")
    out = ("--out", tmp_path / "out", "--jobs", 1, "--json")
    found = json.loads(command("bench", "folder", "--data", source, *given, *run, *out))
    assert {split: found["sizes"][split] for split in splits} == splits
    assert found["lines"][1]["worst_group"] is not None
