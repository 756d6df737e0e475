"""Pictures held as bytes in Parquet files are what the files they came from would give."""

import io
import json
import multiprocessing
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from evenhand import EvenhandError, Manifest
from evenhand.data import parquet_cells
from evenhand.data.equal_copies import equal_copies
from evenhand.data.images.decode import UnreadableImage, read_image
from evenhand.data.parquet_cells import cell_size, split_cell
from evenhand.data.places import open_file, place_of
from evenhand.data.tables.schema import picture_column


def png(seed: int) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


PICTURES = [png(k) for k in range(10)]
LABELS = ["cat", "dog"] * 5


def write(path: Path, *, form: str = "record", **columns: Any) -> Path:
    """Write ten pictures as records, like the Hugging Face Hub's, or as bytes alone; three in a row group."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = [{"bytes": b, "path": "same.png"} for b in PICTURES] if form == "record" else PICTURES
    pq.write_table(pa.table({"image": image, "label": LABELS, **columns}), path, row_group_size=3)
    return path


@pytest.mark.parametrize("form", ["record", "bytes"])
def test_rows_are_pictures_with_labels(tmp_path: Path, form: str) -> None:
    path = write(
        tmp_path / "a.parquet", form=form, place=["sea", "wood"] * 5, split=["train"] * 6 + ["test"] * 4
    )
    manifest = Manifest.read(path)
    assert manifest.ids.tolist() == [f"a.parquet/{k}" for k in range(10)]
    assert [manifest.classes[code] for code in manifest.y] == LABELS
    assert manifest.split.tolist() == ["train"] * 6 + ["test"] * 4
    assert manifest.attributes["place"].tolist() == ["sea", "wood"] * 5
    for k in (9, 0, 4, 3):
        own = Image.open(io.BytesIO(PICTURES[k]))
        assert np.array_equal(np.asarray(read_image(Path(manifest.paths[k]))), np.asarray(own))


def test_labels_in_lists_are_named(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", label=[[0], [1]] * 5)
    with pytest.raises(
        EvenhandError, match=r"label_column: .* has lists or records in column 'label'; write one"
    ):
        Manifest.read(path)


def test_labels_in_bytes_are_named(tmp_path: Path) -> None:
    """As TensorFlow writes words."""
    (tmp_path / "a.png").write_bytes(PICTURES[0])
    pq.write_table(pa.table({"path": ["a.png"] * 2, "label": [b"cat", b"dog"]}), tmp_path / "t.parquet")
    with pytest.raises(
        EvenhandError, match=r"label_column: .* has bytes in column 'label'; write them as text"
    ):
        Manifest.read(tmp_path / "t.parquet")


def test_a_folder_of_files_has_splits_in_its_names(tmp_path: Path) -> None:
    write(tmp_path / "data" / "train-00000-of-00001.parquet")
    write(tmp_path / "data" / "test-00000-of-00001.parquet", extra=list(range(10)))
    (tmp_path / ".cache").write_bytes(b"")
    manifest = Manifest.read(tmp_path)
    assert manifest.split.tolist() == ["test"] * 10 + ["train"] * 10
    assert manifest.ids[10] == "data/train-00000-of-00001.parquet/0"
    assert open_file(Path(manifest.paths[13])).read() == PICTURES[3]


def test_class_names_beside_the_numbers_are_used(tmp_path: Path) -> None:
    about = {"info": {"features": {"label": {"names": ["owl", "tit"], "_type": "ClassLabel"}}}}
    table = pa.table({"image": PICTURES, "label": [0, 1] * 5})
    table = table.replace_schema_metadata({"huggingface": json.dumps(about)})
    pq.write_table(table, tmp_path / "a.parquet")
    assert Manifest.read(tmp_path / "a.parquet").classes == ("owl", "tit")


def test_unlabelled_pictures_are_read_for_prediction(tmp_path: Path) -> None:
    pq.write_table(pa.table({"image": PICTURES}), tmp_path / "a.parquet")
    assert len(Manifest.read(tmp_path / "a.parquet", labeled=False)) == 10


def test_bytes_beside_paths_are_not_taken_for_pictures(tmp_path: Path) -> None:
    paths = [f"{k}.png" for k in range(10)]
    (tmp_path / "0.png").touch()
    pq.write_table(pa.table({"path": paths, "label": LABELS, "hash": [b"x"] * 10}), tmp_path / "a.parquet")
    assert Manifest.read(tmp_path / "a.parquet").ids.tolist() == paths


def test_pictures_win_over_the_names_they_had(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", file_name=[f"{k}.png" for k in range(10)])
    assert Manifest.read(path).ids[2] == "a.parquet/2"


def test_the_picture_column_is_known_by_its_name_or_alone() -> None:
    assert picture_column(pa.schema([("mask", pa.binary()), ("Image", pa.large_binary())])) == ("Image", ())
    assert picture_column(pa.schema([("scan", pa.struct([("bytes", pa.binary())]))])) == ("scan", ("bytes",))
    assert picture_column(pa.schema([("a", pa.binary()), ("b", pa.binary())])) is None


def test_a_file_in_a_folder_called_parquet_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "x.parquet").mkdir()
    (tmp_path / "x.parquet" / "7").write_bytes(PICTURES[0])
    assert split_cell(tmp_path / "x.parquet" / "7") is None
    assert read_image(tmp_path / "x.parquet" / "7").size == (30, 20)


@pytest.mark.parametrize(
    ("row", "reason"),
    [(1, "no image in this row"), (2, "empty file"), (3, "not an image"), (99, "row 99 of 4")],
)
def test_what_is_no_picture_is_told(tmp_path: Path, row: int, reason: str) -> None:
    pq.write_table(pa.table({"image": [PICTURES[0], None, b"", b"x"]}), tmp_path / "a.parquet")
    with pytest.raises(UnreadableImage, match=reason):
        read_image(tmp_path / "a.parquet" / str(row))


def test_row_groups_that_fill_the_memory_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.parquet")
    monkeypatch.setattr(parquet_cells, "LARGEST", 1000)
    with pytest.raises(UnreadableImage, match=r"row group has 0 MiB of images, .* write the file again"):
        read_image(path / "0")


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(UnreadableImage, match="cannot be read from its Parquet file"):
        read_image(tmp_path / "a.parquet" / "0")
    with pytest.raises(EvenhandError, match="cannot read the table"):
        Manifest.read(tmp_path / "a.parquet")


def test_rows_share_the_bytes_of_their_groups(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet")
    sizes = [place_of(path / str(row)).size() for row in range(10)]
    assert [size > 0 for size in sizes] == [row % 3 == 0 for row in range(10)]
    assert sum(map(len, PICTURES)) <= sum(sizes) < path.stat().st_size
    with pytest.raises(OSError, match="row 10 of 10"):
        cell_size(path, 10)


def test_a_file_written_anew_is_read_anew(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet")
    assert open_file(path / "0").read() == PICTURES[0]
    pq.write_table(pa.table({"image": PICTURES[::-1]}), path)
    assert open_file(path / "0").read() == PICTURES[9]


def test_forked_processes_read_on(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet")
    assert open_file(path / "1").read() == PICTURES[1]
    # Another test may have left a handler of SIGTERM here, which a forked process must not run at its end.
    usual = (signal.SIGTERM, signal.SIG_DFL)
    with multiprocessing.get_context("fork").Pool(2, signal.signal, usual) as pool:
        assert pool.map(_content, [path / str(k) for k in range(10)]) == PICTURES


def _content(path: Path) -> bytes:
    return open_file(path).read()


def test_leakage_does_not_read_the_cells(tmp_path: Path) -> None:
    paths = np.asarray([str(write(tmp_path / "a.parquet") / "0")] * 2)
    assert equal_copies(paths) == []
