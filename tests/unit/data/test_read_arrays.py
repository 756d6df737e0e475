import os
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evenhand._errors import EvenhandError
from evenhand.data.arrays.read import feature_files, in_part_order, read_arrays


def save(path: Path, values: object) -> Path:
    np.save(path, np.asarray(values))
    return path


def test_files_and_folders_in_order(tmp_path: Path) -> None:
    (tmp_path / "img_emb").mkdir()
    for number in (10, 9, 0):
        save(tmp_path / "img_emb" / f"img_emb_{number}.npy", [[1.0]])
    found = feature_files([tmp_path, tmp_path / "x.npy"], argument="features")
    assert [path.name for path in found] == ["img_emb_0.npy", "img_emb_9.npy", "img_emb_10.npy", "x.npy"]
    assert in_part_order([Path("b"), Path("a")]) == [Path("a"), Path("b")]


def test_nothing_to_read(tmp_path: Path) -> None:
    with pytest.raises(EvenhandError, match="features is empty"):
        feature_files([], argument="features")
    with pytest.raises(EvenhandError, match=r"has no img_emb/\*\.npy"):
        feature_files([tmp_path], argument="features")


@pytest.mark.parametrize("order", ["C", "F"])
def test_parts_are_read_as_asked_for_and_keep_their_type(tmp_path: Path, order: Any) -> None:
    kinds = ("float16", "float32", "float64", ">f4", "int8", ">u2")
    values = np.arange(12).reshape(4, 3)
    files = [save(tmp_path / f"{kind}.npy", values.astype(kind, order=order)) for kind in kinds]
    parts = read_arrays(files, argument="features")
    assert [part.dtype.str for part in parts] == ["<f2", "<f4", "<f8", ">f4", "|i1", ">u2"]
    for part in parts:
        np.testing.assert_array_equal(part[1:3], values[1:3])
        np.testing.assert_array_equal(part[:], values)


@pytest.mark.parametrize("order", ["C", "F"])
def test_bfloat16_as_numpy_saves_it(tmp_path: Path, order: Any) -> None:
    values = np.array([[1.0, -2.5], [0.15625, 3e38]], dtype=np.float32)
    upper = (values.view(np.uint32) >> 16).astype(np.uint16).view("V2")
    (part,) = read_arrays([save(tmp_path / "x.npy", np.asarray(upper, order=order))], argument="features")
    assert part.dtype == np.float32
    np.testing.assert_allclose(part[:], values, rtol=1e-2)


def test_a_file_that_is_cut_while_it_is_read(tmp_path: Path) -> None:
    path = save(tmp_path / "x.npy", np.ones((40_000, 8)))
    (part,) = read_arrays([path], argument="features")
    save(path, np.ones((5, 8)))
    with pytest.raises(EvenhandError, match=r"x\.npy became shorter while it was read"):
        part[20_000:]


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (np.ones(3), r"float64 \[3\]"),
        (np.ones((2, 2, 2)), r"float64 \[2, 2, 2\]"),
        (np.ones((2, 2), dtype=bool), "bool"),
        (np.ones((2, 2), dtype=complex), "complex128"),
        (np.ones((0, 2)), r"float64 \[0, 2\]"),
        (np.ones((2, 0)), r"float64 \[2, 0\]"),
    ],
)
def test_only_numbers_by_rows(tmp_path: Path, values: object, found: str) -> None:
    with pytest.raises(EvenhandError, match=rf"x\.npy holds {found}.*it must hold numbers \[rows, width\]"):
        read_arrays([save(tmp_path / "x.npy", values)], argument="features")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300])
def test_the_first_row_that_is_not_finite(tmp_path: Path, value: float) -> None:
    values = np.ones((20_000, 2))
    values[17_000, 1] = values[19_000, 0] = value
    with pytest.raises(EvenhandError, match="is not finite in row 17001 of 20000"):
        read_arrays([save(tmp_path / "x.npy", values)], argument="features")


def test_widths_must_agree(tmp_path: Path) -> None:
    files = [save(tmp_path / f"{width}.npy", np.ones((2, width))) for width in (3, 4)]
    with pytest.raises(EvenhandError, match=r"4\.npy has width 4 but .*3\.npy has 3"):
        read_arrays(files, argument="features")


def test_what_is_no_npy(tmp_path: Path) -> None:
    (tmp_path / "text.npy").write_text("0.1,0.2")
    (tmp_path / "empty.npy").touch()
    np.save(tmp_path / "pickle.npy", np.array([{}], dtype=object), allow_pickle=True)
    save(tmp_path / "cut.npy", np.ones((9, 9)))
    (tmp_path / "cut.npy").write_bytes((tmp_path / "cut.npy").read_bytes()[:-9])
    no_array = "it holds Python objects or no array"
    reasons = {"text": no_array, "empty": "No data", "pickle": no_array, "cut": "greater than file size"}
    for name, reason in reasons.items():
        with pytest.raises(
            EvenhandError, match=rf"features: .*{name}\.npy cannot be read as \.npy \(.*{reason}"
        ):
            read_arrays([tmp_path / f"{name}.npy"], argument="features")
    with pytest.raises(EvenhandError, match=r"features: .*nowhere\.npy does not exist; give \.npy files"):
        read_arrays([tmp_path / "nowhere.npy"], argument="features")


@pytest.mark.parametrize(
    "shape", ["(-1,128)", "(2**70,2)", "(99999999999,128)", "(" * 300, '"x"', "(3L,4L", "(1.5,2)", "\xff"]
)
def test_hostile_headers(tmp_path: Path, shape: str) -> None:
    header = f"{{'descr':'<f4','fortran_order':False,'shape':{shape}}}".encode("latin-1")
    header += b" " * (-(11 + len(header)) % 64) + b"\n"
    start = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header))
    (tmp_path / "x.npy").write_bytes(start + header + bytes(5000))
    with pytest.raises(EvenhandError, match=r"x\.npy cannot be read as \.npy"):
        read_arrays([tmp_path / "x.npy"], argument="features")


def test_a_pipe_is_refused(tmp_path: Path) -> None:
    for name in ("x.npy", "x.npz"):
        os.mkfifo(tmp_path / name)
        with pytest.raises(EvenhandError, match="not a regular file"):
            read_arrays([tmp_path / name], argument="features")
