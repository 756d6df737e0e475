"""Bundles of schema 1 stay readable, and are what docs/reference/bundle.md says, byte by byte."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest
import torch

from evenhand._typing import Floats
from evenhand.backbones.projection import projection_of
from evenhand.methods._training.model import Model
from evenhand.methods.bundle import read_bundle, write_bundle

HERE = Path(__file__).parent
CLASSES = ["landbird", "Möwe"]
LINEAR = {"weight": (3, 2), "bias": (2,)}
POOL = {
    "weight": (4, 2),
    "bias": (2,),
    "positional_embedding": (5, 2),
    "query_weight": (2, 2, 2),
    "query_bias": (2, 2),
    "key_weight": (2, 2, 2),
    "value_weight": (2, 2, 2),
    "value_bias": (2, 2),
}
ADAPTER = {
    "weight": (3, 2),
    "bias": (2,),
    "down_weight": (2, 3),
    "down_bias": (3,),
    "base.weight": (4, 2),
}
HEAD = {"prototypes": (2, 2), "intercept": (2,), "logit_scale": (1,)}
KINDS = {"linear": LINEAR, "attention-pool": POOL, "adapter": ADAPTER}


def values(shapes: dict[str, tuple[int, ...]]) -> dict[str, Floats]:
    """Return numbers that float32 holds exactly: n/8 in the order of the names' letters."""
    found, start = {}, 1
    for name in sorted(shapes):
        size = int(np.prod(shapes[name]))
        found[name] = (np.arange(start, start + size, dtype=np.float32) / 8).reshape(shapes[name])
        start += size
    return found


def golden_model(kind: str) -> Model:
    found = values({**KINDS[kind], **HEAD})
    prototypes, intercept, scale = (found.pop(name) for name in HEAD)
    projection = projection_of({name: torch.from_numpy(array) for name, array in found.items()})
    return Model(projection, prototypes, intercept, float(scale[0]))


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_model_gives_the_golden_bytes(kind: str, tmp_path: Path) -> None:
    write_bundle(tmp_path / "b", golden_model(kind), CLASSES)
    assert (tmp_path / "b").read_bytes() == (HERE / f"bundle-1-{kind}.safetensors").read_bytes()


@pytest.mark.parametrize("kind", KINDS)
def test_the_golden_file_gives_the_model(kind: str) -> None:
    model, classes = read_bundle(HERE / f"bundle-1-{kind}.safetensors")
    expected = golden_model(kind)
    assert classes == CLASSES
    assert model.logit_scale == expected.logit_scale
    assert np.array_equal(model.prototypes, expected.prototypes)
    assert np.array_equal(model.intercept, expected.intercept)
    wanted = expected.projection.tensors()
    assert all(torch.equal(tensor, wanted[name]) for name, tensor in model.projection.tensors().items())


@pytest.mark.parametrize("kind", KINDS)
def test_the_golden_file_is_as_documented(kind: str) -> None:
    content = (HERE / f"bundle-1-{kind}.safetensors").read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header, data = json.loads(content[8 : 8 + length]), content[8 + length :]
    assert length % 8 == 0
    metadata = json.loads(header.pop("__metadata__")["evenhand"])
    assert metadata == {"schema": 1, "classes": CLASSES}
    wanted = values({**KINDS[kind], **HEAD})
    assert set(header) == set(wanted)
    end = 0
    for name in sorted(header):
        entry, (start, stop) = header[name], header[name]["data_offsets"]
        assert (entry["dtype"], start) == ("F32", end)
        numbers = np.frombuffer(data[start:stop], dtype="<f4").reshape(entry["shape"])
        assert np.array_equal(numbers, wanted[name])
        end = stop
    assert end == len(data)
