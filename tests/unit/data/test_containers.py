"""Containers as other tools leave them: each picture with its own label, or one sentence."""

import io
import json
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from evenhand import EvenhandError, Manifest
from evenhand.data.images.decode import read_image
from evenhand.data.places import open_file
from evenhand.data.unlabelled import list_pictures


def png(seed: int) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def tar(path: Path, files: dict[str, bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as opened:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            opened.addfile(entry, io.BytesIO(content))
    return path


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as opened:
        for name, content in files.items():
            opened.writestr(name, content)
    return path


def table(path: Path, first: int, **columns: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    images = [{"bytes": png(first + k), "path": f"{k}.png"} for k in range(4)]
    columns = columns or {"label": ["cat", "dog"] * 2}
    pq.write_table(pa.table({"image": images, **columns}), path)
    return path


def labels(manifest: Manifest) -> dict[str, str]:
    return {str(name): manifest.classes[code] for name, code in zip(manifest.ids, manifest.y, strict=True)}


def told(manifest: Manifest, words: str) -> bool:
    return any(words in note for note in manifest.notes)


# WebDataset


@pytest.mark.parametrize("end", ["cls", "json", "txt", "cls.txt", "label", "CLS", "class.txt"])
@pytest.mark.parametrize("key", ["{k:04}", "batch.{k:03}", "2024.05.01/a.b.{k}", "v1.{k}.x"])
def test_each_picture_has_the_label_beside_it(tmp_path: Path, key: str, end: str) -> None:
    files, wanted = {}, {}
    for k in range(12):
        name, label = key.format(k=k), ["cat", "dog", "owl"][k // 4]
        files[f"{name}.png"] = png(k)
        files[f"{name}.{end}"] = (json.dumps({"label": label}) if end == "json" else f"{label}\n").encode()
        wanted[f"a.tar/{name}.png"] = label
    assert labels(Manifest.read(tar(tmp_path / "a.tar", files))) == wanted


def test_a_label_that_several_pictures_share_by_the_first_dot_is_refused(tmp_path: Path) -> None:
    files = {f"{key}.{k:03}.jpg": png(k) for key in "ab" for k in range(3)}
    path = tar(tmp_path / "a.tar", {**files, "a.cls": b"cat", "b.cls": b"dog"})
    with pytest.raises(EvenhandError, match=r"several images of the sample 'a', 000.jpg, .*first dot"):
        Manifest.read(path)


@pytest.mark.parametrize("key", ["{k}", "scan.{k}"])
@pytest.mark.parametrize("ends", [("jpg", "seg.png"), ("jpg", "png"), ("image.png", "mask.png")])
def test_a_second_picture_of_a_sample_is_no_row(tmp_path: Path, key: str, ends: tuple[str, str]) -> None:
    files = {}
    for k in range(6):
        name = key.format(k=k)
        files |= {f"{name}.{ends[1]}": png(9), f"{name}.cls": b"01"[k % 2 :][:1], f"{name}.{ends[0]}": png(k)}
    found = Manifest.read(tar(tmp_path / "a.tar", files))
    assert found.ids.tolist() == [f"a.tar/{key.format(k=k)}.{ends[0]}" for k in range(6)]
    assert told(found, f"6 images are left out: .{ends[1]}")


def test_captions_are_no_labels(tmp_path: Path) -> None:
    files = {}
    for k in range(6):
        files |= {f"{k}.jpg": png(k), f"{k}.txt": f"a caption {k}".encode()}
    path = tar(tmp_path / "a.tar", files)
    with pytest.raises(EvenhandError, match="has no column 'label'"):
        Manifest.read(path)
    with pytest.raises(EvenhandError, match="every class has a single image"):
        Manifest.read(path, label_column="txt")


def test_a_label_of_another_name_is_not_sought_in_text(tmp_path: Path) -> None:
    files = {}
    for k in range(6):
        files |= {f"{k}.jpg": png(k), f"{k}.json": f'{{"class": {k % 2}}}'.encode()}
    path = tar(tmp_path / "a.tar", files)
    with pytest.raises(EvenhandError, match="no column 'label'; its columns are class, file_name"):
        Manifest.read(path)
    assert Manifest.read(path, label_column="class").classes == ("0", "1")


def test_text_beside_pictures_in_class_folders_is_none_of_webdatasets(tmp_path: Path) -> None:
    files = {}
    for k in range(6):
        place = f"{'cat' if k % 2 else 'dog'}/{k}"
        files |= {f"{place}.jpg": png(k), f"{place}.txt": b"0 0.5 0.5 1 1"}
    assert Manifest.read(tar(tmp_path / "a.tar", files)).classes == ("cat", "dog")


def shard(path: Path, first: int) -> Path:
    names = [f"{first + k:06}" for k in range(4)]
    files = {f"{name}.png": png(first + k) for k, name in enumerate(names)}
    return tar(path, files | {f"{name}.cls": b"01"[k % 2 :][:1] for k, name in enumerate(names)})


@pytest.mark.parametrize("pattern", ["{train,test}-{000..001}.tar", "*-00?.tar"])
def test_a_pattern_stands_for_shards(tmp_path: Path, pattern: str) -> None:
    for k, name in enumerate(("test-000", "test-001", "train-000", "train-001")):
        shard(tmp_path / f"{name}.tar", 4 * k)
    found = Manifest.read(tmp_path / pattern)
    assert len(found) == 16
    assert {str(name)[:5]: str(split) for name, split in zip(found.ids, found.split, strict=True)} == {
        "test-": "test",
        "train": "train",
    }


@pytest.mark.parametrize(
    ("pattern", "sentence"),
    [
        ("{000..002}.tar", r"stands for 3 files, but .*001\.tar does not exist"),
        ("{0..99999999}.tar", "stands for more than 100000 files"),
        ("{0..999}{0..999}.tar", "stands for 1000000 files"),
        ("b*.tar", r"no file matches .*b\*\.tar"),
    ],
)
def test_a_pattern_without_its_files_is_refused(tmp_path: Path, pattern: str, sentence: str) -> None:
    shard(tmp_path / "000.tar", 0)
    with pytest.raises(EvenhandError, match=sentence):
        Manifest.read(tmp_path / pattern)


def test_what_img2dataset_leaves(tmp_path: Path) -> None:
    for k in range(2):
        shard(tmp_path / f"{k:05}.tar", 4 * k)
        pq.write_table(pa.table({"url": ["http://a/b.jpg"] * 4}), tmp_path / f"{k:05}.parquet")
        (tmp_path / f"{k:05}_stats.json").write_text("{}")
    found = Manifest.read(tmp_path)
    assert len(found) == 8
    assert told(found, "2 WebDataset shards, as 00000.tar; skipped: 00000.parquet, 00001.parquet,")


def test_image_files_of_img2dataset_have_the_labels_of_its_tables(tmp_path: Path) -> None:
    for k in range(2):
        keys = [f"{k:05}{n:04}" for n in range(4)]
        for n, key in enumerate(keys[:3]):  # the last one could not be downloaded
            (tmp_path / f"{k:05}").mkdir(exist_ok=True)
            (tmp_path / f"{k:05}/{key}.png").write_bytes(png(4 * k + n))
            (tmp_path / f"{k:05}/{key}.json").write_text("{}")
        columns = {"key": keys, "url": ["u"] * 4, "label": ["cat", "dog", "cat", "dog"]}
        pq.write_table(pa.table(columns), tmp_path / f"{k:05}.parquet")
        (tmp_path / f"{k:05}_stats.json").write_text("{}")
    assert labels(Manifest.read(tmp_path)) == {
        f"{k:05}/{k:05}{n:04}.png": name for k in range(2) for n, name in enumerate(("cat", "dog", "cat"))
    }
    (tmp_path / "cat").mkdir()
    (tmp_path / "cat/0.png").write_bytes(png(99))
    assert Manifest.read(tmp_path).classes == ("00000", "00001", "cat")


# Parquet and Arrow


def test_a_delta_table_is_not_read_by_its_files(tmp_path: Path) -> None:
    table(tmp_path / "part-00000.snappy.parquet", 0)
    (tmp_path / "_delta_log").mkdir()
    (tmp_path / "_delta_log/00000000000000000000.json").write_text("{}")
    with pytest.raises(EvenhandError, match="is a Delta table, whose files also hold rows that were deleted"):
        Manifest.read(tmp_path)


def test_a_clone_of_a_hub_repository(tmp_path: Path) -> None:
    table(tmp_path / "data" / "train-00000-of-00001.parquet", 0)
    table(tmp_path / "data" / "test-00000-of-00001.parquet", 4)
    for name in ("README.md", ".gitattributes", "dataset_infos.json", ".git/objects/ab/cd", "LICENSE"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    for name in ("banner.png", "assets/figure.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(png(99))
    found = Manifest.read(tmp_path)
    assert found.split.tolist() == ["test"] * 4 + ["train"] * 4
    assert told(found, "skipped: ")
    assert told(found, "banner.png")
    assert len(list_pictures(tmp_path, tmp_path)) == 8


def test_configurations_side_by_side_are_refused(tmp_path: Path) -> None:
    for name in ("full", "small"):
        table(tmp_path / name / "train-00000-of-00001.parquet", 0)
    with pytest.raises(EvenhandError, match="holds several data sets, in full, small; give one of these"):
        Manifest.read(tmp_path)


def test_tables_of_different_names_in_subfolders_are_one_set(tmp_path: Path) -> None:
    for k, name in enumerate(("morning", "noon")):
        table(tmp_path / name / f"{name}.parquet", 4 * k)
    assert len(Manifest.read(tmp_path)) == 8


def test_folders_of_splits_are_one_set(tmp_path: Path) -> None:
    for k, name in enumerate(("train", "test")):
        table(tmp_path / "default" / name / "0000.parquet", 4 * k)
    assert Manifest.read(tmp_path).split.tolist() == ["test"] * 4 + ["train"] * 4


def test_partitions_are_columns(tmp_path: Path) -> None:
    for k, name in enumerate(("cat", "sea%20dog")):
        table(tmp_path / f"label={name}" / "part-0.parquet", 4 * k, place=["sea", "wood"] * 2)
    (tmp_path / "_SUCCESS").touch()
    assert Manifest.read(tmp_path).classes == ("cat", "sea dog")


@pytest.mark.parametrize("form", ["stream", "file"])
def test_what_save_to_disk_leaves(tmp_path: Path, form: str) -> None:
    about = {"info": {"features": {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}}}
    for first, split in ((0, "train"), (6, "test")):
        images = [{"bytes": png(first + k), "path": None} for k in range(6)]
        rows = pa.table({"image": images, "label": [0, 1] * 3})
        rows = rows.replace_schema_metadata({"huggingface": json.dumps(about)})
        (tmp_path / split).mkdir()
        for name in ("data-00000-of-00001.arrow", "cache-f00.arrow"):
            new = pa.ipc.new_stream if form == "stream" else pa.ipc.new_file
            with new(str(tmp_path / split / name), rows.schema) as out:
                out.write_table(rows, max_chunksize=2)
        (tmp_path / split / "state.json").write_text("{}")
    (tmp_path / "dataset_dict.json").write_text("{}")
    found = Manifest.read(tmp_path)
    assert found.classes == ("cat", "dog")
    assert found.split.tolist() == ["test"] * 6 + ["train"] * 6
    assert open_file(Path(found.paths[9])).read() == png(3)


@pytest.mark.parametrize("content", [b"", b"\xff\xff\xff\xff", b"ARROW1\0\0" + bytes(90), b"x" * 99])
def test_a_damaged_arrow_file_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.arrow").write_bytes(content)
    with pytest.raises(EvenhandError, match=r"cannot read the table .*a\.arrow"):
        Manifest.read(tmp_path / "a.arrow")


# Archives


def test_an_archive_for_each_split(tmp_path: Path) -> None:
    for k, split in enumerate(("train", "test")):
        files = {f"{split}/{name}/{j}.png": png(9 * k + j) for j in range(3) for name in ("cat", "dog")}
        zipped(tmp_path / f"{split}.zip", files)
    (tmp_path / "README.txt").write_text("x")
    found = Manifest.read(tmp_path)
    assert len(found) == 12
    assert found.split.tolist() == ["test"] * 6 + ["train"] * 6
    assert found.ids[0] == "test.zip/test/cat/0.png"
    assert len(list_pictures(tmp_path, tmp_path)) == 12


@pytest.mark.parametrize("pack", [zipped, tar])
@pytest.mark.parametrize(
    ("inside", "name"), [("", "{}"), ("images/", "{}"), ("", "images/{}"), ("a/", "a/{}")]
)
def test_a_table_beside_an_archive(tmp_path: Path, pack: Any, inside: str, name: str) -> None:
    suffix = ".zip" if pack is zipped else ".tar"
    pack(tmp_path / f"images{suffix}", {f"{inside}{k}.png": png(k) for k in range(8)})
    rows = [{"file_name": name.format(f"{k}.png"), "label": "ab"[k % 2]} for k in range(8)]
    (tmp_path / "metadata.jsonl").write_text("\n".join(map(json.dumps, rows)))
    found = Manifest.read(tmp_path)
    assert labels(found)[f"images{suffix}/{inside}3.png"] == "b"
    assert open_file(Path(found.paths[3])).read() == png(3)


def test_a_table_beside_archives_that_names_none_or_several_is_refused(tmp_path: Path) -> None:
    for name in ("one", "two"):
        zipped(tmp_path / f"{name}.zip", {"a.png": png(0), f"{name}.png": png(1)})
    for name, sentence in (
        ("a.png", r"is in one\.zip/a\.png and two\.zip"),
        ("c.png", "is in none of the arch"),
    ):
        (tmp_path / "metadata.csv").write_text(f"file_name,label\none.png,x\n{name},y\n")
        with pytest.raises(EvenhandError, match=sentence):
            Manifest.read(tmp_path)


def test_a_folder_of_classes_beside_its_archive_is_the_folder(tmp_path: Path) -> None:
    for k in range(6):
        place = tmp_path / "cat" if k % 2 else tmp_path / "dog"
        place.mkdir(exist_ok=True)
        (place / f"{k}.png").write_bytes(png(k))
    zipped(tmp_path / "backup.zip", {"x/a.png": png(1)})
    found = Manifest.read(tmp_path)
    assert found.ids.tolist()[0] == "cat/1.png"
    assert read_image(Path(found.paths[0])).size == (8, 6)


@pytest.mark.parametrize("name", ["data/train-0.parquet", "images.zip", "a.tar", "data/a.arrow"])
def test_pointers_of_git_lfs_are_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n")
    (tmp_path / "README.md").write_text("x" * 2000)
    with pytest.raises(EvenhandError, match=r"pointer of Git LFS(: run|, not the data: run) git lfs pull"):
        Manifest.read(tmp_path)


def test_a_compressed_archive_in_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "images.tar.gz").write_bytes(b"x")
    with pytest.raises(EvenhandError, match=r"holds no images; unpack images\.tar\.gz, or make it a \.zip"):
        Manifest.read(tmp_path)


# Archives, and what is not read


def test_archives_without_folders_are_a_class_each(tmp_path: Path) -> None:
    for k, name in enumerate(("cat", "dog")):
        for part, n in (("train", 2), ("val", 1)):
            tar(tmp_path / part / f"{name}.tar", {f"{i}.png": png(10 * k + i + 3 * n) for i in range(n)})
    found = Manifest.read(tmp_path)
    assert labels(found) == {
        f"{part}/{name}.tar/{i}.png": name
        for part, n in (("train", 2), ("val", 1))
        for name in ("cat", "dog")
        for i in range(n)
    }
    assert dict(zip(found.ids.tolist(), found.split.tolist(), strict=True)) == {
        name: "train" if name.startswith("train") else "validation" for name in found.ids.tolist()
    }
    assert told(found, "the classes are the names of the 4 archives")
    for option in ({"label_column": "x"}, {"layout": "class"}):
        with pytest.raises(EvenhandError, match="cannot be read, the classes are the names of archives"):
            Manifest.read(tmp_path, **option)


def test_tables_in_and_beside_archives_are_named(tmp_path: Path) -> None:
    files = {f"images/{k}.png": png(k) for k in range(3)}
    zipped(tmp_path / "x.zip", {**files, "labels.csv": b"a,b\n"})
    with pytest.raises(EvenhandError, match=r"images; if the table labels.csv in it .* unpack the archive"):
        Manifest.read(tmp_path / "x.zip")
    with pytest.raises(EvenhandError, match=r"holds no images; if rows.csv in it lists them, unpack it and"):
        Manifest.read(zipped(tmp_path / "t.zip", {"rows.csv": b"a,b\n"}))
    zipped(tmp_path / "k/train.zip", {f"{k}.png": png(k) for k in range(3)})
    (tmp_path / "k/train.csv").write_text("id,label\n0,cat\n")
    with pytest.raises(EvenhandError, match=r"if train.csv lists the images, unpack them and give it"):
        Manifest.read(tmp_path / "k")
    (tmp_path / "s").mkdir()
    (tmp_path / "s/0.png").write_bytes(png(0))
    (tmp_path / "s/labels.xls").touch()
    with pytest.raises(EvenhandError, match=r"if labels.xls lists .*, save its sheet as CSV"):
        Manifest.read(tmp_path / "s")


def test_archives_in_an_archive_are_named(tmp_path: Path) -> None:
    inner = zipped(tmp_path / "in.zip", {"cat/0.png": png(0)}).read_bytes()
    with pytest.raises(EvenhandError, match=r"it holds archives, as data/in.zip, which are not read inside"):
        Manifest.read(zipped(tmp_path / "out.zip", {"data/in.zip": inner}))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("data.mdb", "LMDB"),
        ("a.tfrecord", "TFRecord"),
        ("a.tfrecord-00000-of-00002", "TFRecord"),
        ("a.h5", "HDF5"),
        ("a.npz", "NumPy"),
        ("a.beton", "FFCV"),
        ("a.rec", "RecordIO"),
        ("data_batch_1", "pickle"),
        ("a.mat", "MATLAB"),
        ("train-images-idx3-ubyte.gz", "MNIST's IDX"),
        ("a.orc", "ORC"),
        ("a.avro", "Avro"),
    ],
)
def test_formats_that_are_not_read_are_named(tmp_path: Path, name: str, kind: str) -> None:
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(
        EvenhandError, match=f"holds no images; {name} is {kind}, which is not read: write the"
    ):
        Manifest.read(tmp_path)
    if not name.endswith(".gz"):
        with pytest.raises(EvenhandError, match=f"it is {kind}: write the images to files, or with their"):
            Manifest.read(tmp_path / name)
