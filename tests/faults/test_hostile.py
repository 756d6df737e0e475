"""Inputs of strangers: each ends in a result or in one sentence, and reaches nothing else."""

import csv
import io
import json
import random
import shutil
import tarfile
import unicodedata
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

import evenhand
from evenhand.data.tables.read import read_columns

ANSI, LINES = "\x1b[2Jred\x9b31m", "two\nlines\u202e[bold]{{ 7 * 7 }}</script>"
NAMES = (f"<img src=x onerror=alert(1)>{ANSI}", f'=cmd|"c calc"!A1 {LINES.partition("</")[0]}')
PLACES = (ANSI, LINES)


def obeyed(text: str) -> list[str]:
    """Return the characters that a terminal obeys, line ends aside."""
    return [c for c in text if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Cs")]


@pytest.fixture(scope="module")
def named(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The photos in one folder, with hostile names of classes, of a file, and of attribute values."""
    folder = tmp_path_factory.mktemp("hostile") / "photos"
    folder.mkdir()
    lines = []
    for split in ("train", "test"):
        with (photos / split / "metadata.csv").open(newline="") as stream:
            for row in csv.DictReader(stream):
                number = len(lines)
                name = f"@SUM({number}) <b>\x1b[31m\n{number}.jpg"
                shutil.copy(photos / split / row["file_name"], folder / name)
                label = NAMES[row["label"] == "waterbird"]
                lines.append([name, label, split, PLACES[row["background"] == "water"]])
    with (folder / "metadata.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([["file_name", "label", "split", "place"], *lines])
    return folder


class Tags(HTMLParser):
    """The tags of a page with their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_hostile_names_stay_names_in_every_output(
    warm: Any, named: Path, kit: SimpleNamespace, tmp_path: Path
) -> None:
    said = [
        warm.good(tmp_path, *command)
        for command in (
            ("embed", named, "--out", "s", *kit.embed),
            ("audit", "s"),
            ("audit", "s", "--json"),
            ("fit", "s", "--method", "erm", "--param", "epochs=2", "--out", "r"),
            ("fit", "s", "--method", "erm", "--param", "epochs=2", "--out", "r", "--json"),
            ("predict", "r", named, "--device", "cpu"),
            ("predict", "r", named, "--device", "cpu", "--json"),
            ("report", "r"),
            ("export", "r", "--to", "open_clip", "--out", "o"),
        )
    ]
    for done in said:
        assert obeyed(done.stdout + done.stderr) == []
    groups = {group["name"] for group in json.loads(said[2].stdout)["groups"]}
    assert groups <= {f"{name} / {place}" for name in NAMES for place in PLACES}
    # Programs read the CSV: what it says is what the folder says, to the letter.
    with (tmp_path / "predictions.csv").open(newline="") as stream:
        table = list(csv.DictReader(stream))
    assert {row["predicted"] for row in table} <= set(NAMES)
    assert {f"p_{name}" for name in NAMES} <= set(table[0])
    assert {row["path"] for row in table} == {path.name for path in named.glob("*.jpg")}
    page = Tags()
    page.feed((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert all(not name.startswith("on") for _, attributes in page.found for name in attributes)
    sources = [attributes["src"] or "" for _, attributes in page.found if "src" in attributes]
    assert all(source.startswith("data:") for source in sources)
    card = (tmp_path / "o" / "README.md").read_text(encoding="utf-8")
    assert "<img" not in card.replace(r"\<img", "")
    assert obeyed(card) == []
    prompts = json.loads((tmp_path / "s" / "card.json").read_text(encoding="utf-8"))["head"]["prompts"]
    assert prompts == {name: [f"a photo of a {name.replace('_', ' ')}."] for name in NAMES}


def test_hostile_names_of_class_folders_stay_names(
    warm: Any, named: Path, kit: SimpleNamespace, tmp_path: Path
) -> None:
    tree = tmp_path / "tree"
    with (named / "metadata.csv").open(newline="") as stream:
        for row in csv.DictReader(stream):
            (tree / row["split"] / row["label"]).mkdir(parents=True, exist_ok=True)
            shutil.copy(named / row["file_name"], tree / row["split"] / row["label"])
    said = [
        warm.good(tmp_path, *command)
        for command in (
            ("embed", tree, "--out", "s", *kit.embed),
            ("audit", "s"),
            ("compare", "s", "--methods", "zero_shot", "--seeds", "1", "--jobs", "1", "--out", "c"),
            ("fit", "s", "--method", "zero_shot", "--out", "r"),
            ("predict", "r", tree, "--device", "cpu"),
        )
    ]
    for done in said:
        assert obeyed(done.stdout + done.stderr) == []
    with (tmp_path / "predictions.csv").open(newline="") as stream:
        table = list(csv.DictReader(stream))
    assert {row["predicted"] for row in table} <= set(NAMES)
    found = {path.relative_to(tree).as_posix() for path in tree.rglob("*.jpg")}
    assert {row["path"] for row in table} == found


def member(kind: str, name: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    if kind == "device":
        info.type, info.devmajor, info.devminor = tarfile.CHRTYPE, 1, 5
    elif kind in ("link", "hard link"):
        info.type, info.linkname = tarfile.SYMTYPE if kind == "link" else tarfile.LNKTYPE, "/etc/passwd"
    return info


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("file", "../b/x.png"),
        ("file", "/tmp/b/x.png"),
        ("link", "b/x.png"),
        ("hard link", "b/x.png"),
        ("device", "b/x.png"),
    ],
)
def test_an_archive_reaches_nothing_outside(
    kind: str, name: str, warm: Any, photos: Path, kit: SimpleNamespace, tmp_path: Path
) -> None:
    picture = next((photos / "train").glob("*.jpg")).read_bytes()
    with tarfile.open(tmp_path / "x.tar", "w") as archive:
        for k in range(4):
            good = tarfile.TarInfo(f"{'ab'[k % 2]}/{k}.png")
            good.size = len(picture)
            archive.addfile(good, io.BytesIO(picture))
        info = member(kind, name)
        info.size = len(picture) if kind == "file" else 0
        archive.addfile(info, io.BytesIO(picture))
    if "link" in kind:
        done = warm.good(tmp_path, "embed", "x.tar", "--out", "s", *kit.embed)
        assert "1 link is skipped in x.tar: b/x.png; pack only plain files" in done.stderr
        assert evenhand.load_store(tmp_path / "s").ids.tolist() == [
            "a/0.png",
            "a/2.png",
            "b/1.png",
            "b/3.png",
        ]
        return
    assert "pack only plain files" in warm.refused(tmp_path, "embed", "x.tar", "--out", "s", *kit.embed)
    assert [path.name for path in tmp_path.iterdir()] == ["x.tar"]


def test_a_pixel_bomb_is_skipped_and_told(
    warm: Any, photos: Path, kit: SimpleNamespace, tmp_path: Path
) -> None:
    shutil.copytree(photos, tmp_path / "photos")
    bomb = tmp_path / "photos" / "test" / "bomb.png"
    Image.new("1", (12_000, 12_000)).save(bomb)
    assert bomb.stat().st_size < 100_000
    warm.good(tmp_path, "embed", photos, "--out", "s", *kit.embed)
    warm.good(tmp_path, "fit", "s", "--method", "zero_shot", "--out", "r")
    done = warm.good(tmp_path, "predict", "r", tmp_path / "photos", "--device", "cpu")
    assert "skipped: test/bomb.png: decompression bomb, more than 89478485 pixels" in done.stderr


def test_of_two_writers_of_one_store_one_wins_and_the_other_says_why(
    warm: Any, photos: Path, kit: SimpleNamespace, trials: int, tmp_path: Path
) -> None:
    command = ("embed", photos, "--out", "out", *kit.embed)
    usual = warm.good(tmp_path / "whole", *command)
    whole = kit.contents(tmp_path / "whole")
    for number in range(trials):
        # The folder and its lock come first; then the first writer holds the lock up to its last change.
        stop_at = random.Random(f"writers {number}").randint(4, usual.writes - 1)
        folder = tmp_path / str(number)
        winner, other = warm.meanwhile(folder, command, command, stop_at=stop_at)
        assert (winner.code, other.code) == (0, 1), (stop_at, winner, other)
        said = "error: out is being written by another process; wait for it to end\n"
        assert other.stderr == said, (stop_at, other)
        assert kit.contents(folder) == whole, stop_at


def test_two_fits_into_one_run_leave_one_of_them_whole(
    warm: Any, rows: Path, kit: SimpleNamespace, trials: int, tmp_path: Path
) -> None:
    fits = [("fit", rows, "--out", "out", "--param", "epochs=2", "--method", name) for name in ("cnc", "erm")]
    for number in range(trials):
        folder = tmp_path / str(number)
        assert [done.code for done in warm.together(folder, *fits)] == [0, 0]
        card = json.loads((folder / "out" / "card.json").read_text())
        warm.good(folder, "predict", "out", "--features", rows.parent / "X.npy")
        assert {*card["files"], "card.json"} == {path.name for path in (folder / "out").iterdir()}


def test_a_table_of_a_hundred_thousand_columns(tmp_path: Path) -> None:
    names = ["label", *(f"c{k}" for k in range(100_000))]
    (tmp_path / "wide.csv").write_text("\n".join([",".join(names), ",".join(["1"] * len(names))]))
    columns = read_columns(tmp_path / "wide.csv")
    assert len(columns.values) == 100_001
    with pytest.raises(
        ValueError, match=r"has no column 'y'; its columns are label, c0, .* 99991 more"
    ) as caught:
        columns.get("y", argument="label_column")
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("where", ["name", "value"])
def test_a_field_of_a_hundred_megabytes(where: str, warm: Any, rows: Path, tmp_path: Path) -> None:
    huge = "x" * 100_000_000
    text = f"{huge},label\n1,2\n" if where == "name" else f"label,note\na,{huge}\nb,c\n"
    (tmp_path / "huge.csv").write_text(text)
    features = ("--features", rows.parent / "X.npy", "--table", "huge.csv")
    sentence = warm.refused(tmp_path, "import", *features, "--out", "s")
    assert "cannot read the table huge.csv" in sentence
    assert len(sentence) < 500
    (tmp_path / "huge.csv").unlink()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("deep.jsonl", b'{"label": ' + b"[" * 100_000 + b"\n"),
        ("big.jsonl", b'{"label": 1' + b"0" * 100 + b"}\n"),
        ("half.jsonl", b'{"label": "\\ud800"}\n'),
        ("open.csv", b'label,x\n"' + b"a\n" * 2_000_000),
        ("nul.csv", b"label,x\n\0,\0\n"),
        ("none.parquet", b"PAR1" + b"\xff" * 64 + b"PAR1"),
    ],
    ids=["deep", "big", "half", "open", "nul", "parquet"],
)
def test_tables_that_are_none(name: str, content: bytes, warm: Any, rows: Path, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    features = ("--features", rows.parent / "X.npy", "--table", name)
    assert len(warm.refused(tmp_path, "import", *features, "--out", "s")) < 500


@pytest.mark.parametrize("shape", [f"({2**62}, 8)", f"({2**40}, {2**20})", "(-1, 8)", "(10**9, 8)"])
def test_a_header_of_features_that_promises_too_much(
    shape: str, warm: Any, rows: Path, tmp_path: Path
) -> None:
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".ljust(117).encode() + b"\n"
    content = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(64)
    (tmp_path / "X.npy").write_bytes(content)
    features = ("--features", "X.npy", "--table", rows.parent / "rows.csv")
    assert "cannot be read as .npy" in warm.refused(tmp_path, "import", *features, "--out", "s")


@pytest.mark.parametrize("kind", ["deep", "laughs", "date"])
def test_words_that_are_a_bomb(kind: str, warm: Any, embedded: Path, tmp_path: Path) -> None:
    laughs = ["a0: &a0 [ha, ha]", *(f"a{k}: &a{k} [{', '.join([f'*a{k - 1}'] * 9)}]" for k in range(1, 12))]
    text = {
        "deep": "spurious: " + "[" * 100_000,
        "laughs": "\n".join(laughs) + "\nspurious: {x: [*a11, *a11]}\n",
        "date": "spurious: {x: [0000-00-00, b]}",
    }[kind]
    (tmp_path / "words.yaml").write_text(text)
    fit = ("fit", embedded / "s.store", "--method", "roboshot", "--concepts", "words.yaml", "--out", "r")
    sentence = warm.refused(tmp_path, *fit)
    assert sentence.startswith("concept words: ")
    assert len(sentence) < 600


def test_features_that_are_no_numbers(warm: Any, rows: Path, tmp_path: Path) -> None:
    X = np.load(rows.parent / "X.npy")
    X[7, 3] = np.nan
    np.save(tmp_path / "X.npy", X)
    features = ("--features", "X.npy", "--table", rows.parent / "rows.csv")
    assert "is not finite in row 8 of 240" in warm.refused(tmp_path, "import", *features, "--out", "s")
