"""OpenAI's own files are TorchScript: their tensors are taken and their program is not run."""

import pickle
import warnings
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from evenhand import EvenhandError
from evenhand.backbones.torchscript import is_torchscript, read_torchscript


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.visual = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
        self.logit_scale = nn.Parameter(torch.tensor(2.0))
        self.register_buffer("input_resolution", torch.tensor(224))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.visual(x) * self.logit_scale
        return found


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    model = Model().half().float()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.trace(model, torch.zeros(1, 3)).save(tmp_path / "m.pt")
    return tmp_path / "m.pt"


def rewritten(archive: Path, records: bytes | None = None, kind: int = zipfile.ZIP_STORED) -> Path:
    other = archive.with_name("other.pt")
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(other, "w", kind) as new:
        for name in old.namelist():
            data = old.read(name)
            new.writestr(name, records if records and name.endswith("/data.pkl") else data)
    return other


def pickle_of_twins(levels: int) -> bytes:
    """Return a pickle of modules that hold the next one twice: 2 to the power of the levels in all."""
    data = b"c__torch__\nM\n)\x81"
    for _ in range(levels):
        data = b"c__torch__\nM\n)\x81}(X\x01\x00\x00\x00a" + data + b"q\x00X\x01\x00\x00\x00bh\x00ub"
    return b"\x80\x02" + data + b"."


def pickle_of_a_chain(levels: int) -> bytes:
    """Return a pickle of a module in a module, so many levels deep."""
    data = b"c__torch__\nM\n)\x81"
    for _ in range(levels):
        data = b"c__torch__\nM\n)\x81}X\x01\x00\x00\x00a" + data + b"sb"
    return b"\x80\x02" + data + b"."


def test_the_tensors_are_those_of_torch(archive: Path) -> None:
    assert is_torchscript(archive)
    found = read_torchscript(archive)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = torch.jit.load(archive).state_dict()
    expected.pop("input_resolution", None)
    assert sorted(found) == sorted(expected)
    assert all(torch.equal(found[name], tensor) for name, tensor in expected.items())


def test_a_plain_checkpoint_is_none(tmp_path: Path) -> None:
    torch.save({"a": torch.ones(1)}, tmp_path / "m.pt")
    (tmp_path / "text").write_text("text")
    assert not is_torchscript(tmp_path / "m.pt")
    assert not is_torchscript(tmp_path / "text")


def test_what_a_pickle_names_is_not_called(archive: Path, tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (tmp_path / "ran",)

    for protocol in (2, 4):
        with pytest.raises(EvenhandError, match=r"cannot be read: it names .*, which evenhand does not load"):
            read_torchscript(rewritten(archive, pickle.dumps(Evil(), protocol)))
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("records", "sentence"),
    [
        (b"\x80\x02}r\xff\xff\xff\x7f.", "its records are damaged"),
        (b"\x80\x02]q\x00.", ""),
        (b"garbage", "save the model's state_dict"),
        (
            b"\x80\x02c__torch__\nM\n)\x81q\x00}q\x01X\x01\x00\x00\x00ah\x00sb.",
            "contain each other in a cycle",
        ),
        (pickle_of_twins(30), "contain each other in a cycle"),
        (pickle_of_a_chain(100), ""),
        (pickle_of_a_chain(101), "contain each other in a cycle"),
    ],
)
def test_hostile_records_end_in_a_sentence(archive: Path, records: bytes, sentence: str) -> None:
    other = rewritten(archive, records)
    if not sentence:
        assert read_torchscript(other) == {}
        return
    with pytest.raises(EvenhandError, match=sentence):
        read_torchscript(other)


def test_a_compressed_archive_is_refused(archive: Path) -> None:
    with pytest.raises(
        EvenhandError, match="its weights are compressed, but torch compresses only the program"
    ):
        read_torchscript(rewritten(archive, kind=zipfile.ZIP_DEFLATED))
