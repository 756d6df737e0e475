"""A bundle is read back as it was written, and nothing in a hostile one is believed."""

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from evenhand import EvenhandError
from evenhand.backbones.projection import LinearProjection
from evenhand.methods._training.model import Model
from evenhand.methods.bundle import read_bundle, write_bundle

pytestmark = pytest.mark.faults

CLASSES = ["gull", "jay"]
SHAPES = {"weight": (3, 2), "prototypes": (2, 2), "intercept": (2,), "logit_scale": (1,)}


def raw(
    path: Path,
    shapes: dict[str, tuple[int, ...]] = SHAPES,
    *,
    metadata: Any = None,
    dtype: str = "F32",
    change: dict[str, Any] | None = None,
    value: float = 1.0,
) -> Path:
    """Write a safetensors file by hand; `change` replaces entries of the header."""
    header: dict[str, Any] = {
        "__metadata__": {"evenhand": json.dumps(metadata or {"schema": 1, "classes": CLASSES})}
    }
    size, start = 4 if dtype == "F32" else 8, 0
    for name, shape in shapes.items():
        stop = start + size * int(np.prod(shape))
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [start, stop]}
        start = stop
    text = json.dumps({**header, **(change or {})}).encode()
    numbers = np.full(start // size, value, dtype="<f4" if dtype == "F32" else "<f8")
    path.write_bytes(struct.pack("<Q", len(text)) + text + numbers.tobytes())
    return path


def test_a_file_written_by_hand_is_a_bundle(tmp_path: Path) -> None:
    model, classes = read_bundle(raw(tmp_path / "b"))
    assert classes == CLASSES
    assert model.logit_scale == 1
    assert model.projection.width == 3


@pytest.mark.parametrize(
    "change",
    [
        {"weight": {"dtype": "F32", "shape": [2**40, 2**20], "data_offsets": [0, 24]}},
        {"weight": {"dtype": "F32", "shape": [2**62, 2**62], "data_offsets": [0, 24]}},
        {"weight": {"dtype": "F32", "shape": [3, 2], "data_offsets": [0, 2**60]}},
        {"weight": {"dtype": "F32", "shape": [3, 2], "data_offsets": [24, 0]}},
        {"weight": {"dtype": "F32", "shape": [3, 2], "data_offsets": [-8, 16]}},
        {"prototypes": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}},
        {"weight": {"dtype": "F1000", "shape": [3, 2], "data_offsets": [0, 24]}},
        {"weight": {"dtype": "F32", "shape": "3x2", "data_offsets": [0, 24]}},
        {"__metadata__": {"evenhand": "{"}},
        {"__metadata__": {"evenhand": "[" * 100_000}},
        {"__metadata__": "none"},
    ],
    ids=lambda change: json.dumps(change)[:60],
)
def test_a_hostile_header_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    with pytest.raises(EvenhandError, match=r"is not a readable bundle .* run fit again") as caught:
        read_bundle(raw(tmp_path / "b", change=change))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "again",
    [
        b'"__metadata__": {}',
        b'"weight": {"dtype": "F32", "shape": [3, 2], "data_offsets": [16, 40]}',
        b'"weight": {"dtype": "F32", "shape": [1, 2], "data_offsets": [0, 8]}',
    ],
)
def test_a_header_that_names_a_thing_twice_is_refused(tmp_path: Path, again: bytes) -> None:
    path = raw(tmp_path / "b")
    content = path.read_bytes()
    size = struct.unpack("<Q", content[:8])[0]
    header = content[8 : 7 + size] + b", " + again + b"}"
    path.write_bytes(struct.pack("<Q", len(header)) + header + content[8 + size :])
    with pytest.raises(EvenhandError, match="is not a readable bundle"):
        read_bundle(path)


@pytest.mark.parametrize(
    "content", [b"", b"\xff" * 8, struct.pack("<Q", 2**63) + b"{}", b"\x02" + bytes(7) + b"{}"]
)
def test_what_is_no_safetensors_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "b").write_bytes(content)
    with pytest.raises(EvenhandError, match=r"not a readable bundle|has schema None"):
        read_bundle(tmp_path / "b")


def test_a_cut_or_absent_file_is_refused(tmp_path: Path) -> None:
    path = raw(tmp_path / "b")
    path.write_bytes(path.read_bytes()[:-1])
    for wrong in (path, tmp_path / "none", tmp_path):
        with pytest.raises(EvenhandError, match="not a readable bundle"):
            read_bundle(wrong)


def test_numbers_of_another_kind_are_refused(tmp_path: Path) -> None:
    with pytest.raises(EvenhandError, match=r"tensor '.*' is F64, not F32"):
        read_bundle(raw(tmp_path / "b", dtype="F64"))


@pytest.mark.parametrize("metadata", [{"schema": 2, "classes": CLASSES}, {"classes": CLASSES}, [1]])
def test_an_unknown_version_is_refused(tmp_path: Path, metadata: Any) -> None:
    with pytest.raises(EvenhandError, match=r"has schema (2|None), this version reads 1; use the version"):
        read_bundle(raw(tmp_path / "b", metadata=metadata))


@pytest.mark.parametrize("classes", [None, "gulls", [1, 2], ["gull"], ["gull", "gull"], [["gull"], "jay"]])
def test_classes_that_are_no_names_are_refused(tmp_path: Path, classes: Any) -> None:
    with pytest.raises(EvenhandError, match="classes are not a list of two or more different names"):
        read_bundle(raw(tmp_path / "b", metadata={"schema": 1, "classes": classes}))


@pytest.mark.parametrize(
    ("shapes", "sentence"),
    [
        ({"prototypes": (3, 2)}, r"'prototypes' has shape \[3, 2\] but 2 classes .* need \[2, 2\]"),
        ({"prototypes": (2, 3)}, r"'prototypes' has shape \[2, 3\]"),
        ({"intercept": (3,)}, r"'intercept' has shape \[3\]"),
        ({"logit_scale": ()}, r"'logit_scale' has shape \[\]"),
        ({"weight": (6,)}, "give weight"),
        ({"bias": (3,)}, "bias"),
        ({"query_weight": (3, 2)}, "no projection has the tensors"),
        ({"../weight": (1,)}, "belongs to no known projection"),
    ],
)
def test_tensors_that_make_no_model_are_refused(
    tmp_path: Path, shapes: dict[str, tuple[int, ...]], sentence: str
) -> None:
    with pytest.raises(EvenhandError, match=f"holds a model that this version cannot read: .*{sentence}"):
        read_bundle(raw(tmp_path / "b", {**SHAPES, **shapes}))


POOL = ("positional_embedding", "query_weight", "query_bias", "key_weight", "value_weight", "value_bias")


@pytest.mark.parametrize("kind", ["pool", "adapter", "nested"])
def test_odd_projections_are_refused(tmp_path: Path, kind: str) -> None:
    shapes: dict[str, tuple[int, ...]] = dict(SHAPES)
    if kind == "pool":
        shapes |= {"bias": (2,), **dict.fromkeys(POOL, ())}
    elif kind == "adapter":
        shapes |= {"weight": (), "bias": (), "down_weight": (), "down_bias": (), "base.weight": ()}
    else:
        levels = ["base." * depth for depth in range(500)]
        shapes |= {f"{at}{name}": (1,) for at in levels for name in ("weight", "down_weight", "down_bias")}
    with pytest.raises(EvenhandError, match="holds a model that this version cannot read"):
        read_bundle(raw(tmp_path / "b", shapes))


@pytest.mark.parametrize("name", SHAPES)
def test_a_missing_tensor_is_named(tmp_path: Path, name: str) -> None:
    shapes = {other: shape for other, shape in SHAPES.items() if other != name}
    with pytest.raises(EvenhandError, match=f"the tensor '{name}' is missing"):
        read_bundle(raw(tmp_path / "b", shapes))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_refused(tmp_path: Path, value: float) -> None:
    with pytest.raises(EvenhandError, match=r"the tensor '.*' is not finite"):
        read_bundle(raw(tmp_path / "b", value=value))


def test_names_of_any_script_come_back(tmp_path: Path) -> None:
    model = Model(LinearProjection(torch.eye(2)), np.eye(2, dtype=np.float32), np.zeros(2, np.float32), 2.0)
    names = ["Möwe\n<b>", "=1+1\x1b[31m"]
    write_bundle(tmp_path / "b", model, names)
    assert read_bundle(tmp_path / "b")[1] == names
