"""A file that is no checkpoint is known by its start."""

import io
import tarfile
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from evenhand import EvenhandError
from evenhand.backbones.checkpoint_start import check_start


def test_what_torch_and_safetensors_write_begins_as_a_checkpoint(tmp_path: Path) -> None:
    weights = {"w": torch.ones(2)}
    save_file(weights, tmp_path / "a")
    torch.save(weights, tmp_path / "b")
    torch.save(weights, tmp_path / "c", _use_new_zipfile_serialization=False)
    with tarfile.open(tmp_path / "d", "w") as archive:  # as torch wrote them before 0.2
        archive.addfile(tarfile.TarInfo("storages"), io.BytesIO())
    for name in "abcd":
        check_start(tmp_path / name)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty; download it again"),
        (b"id,label\n", "is not a checkpoint, or is damaged; download it again, or save the state_dict with"),
        (b"<!doctype html>", "is not a checkpoint: it is a web page, not the weights"),
        (b'{"model": 1}', "is not a checkpoint: it is JSON text, not weights"),
        (b"\x1f\x8b\x08", "is not a checkpoint: it is compressed by gzip; unpack it first"),
        (b"PK\x03\x04cut", r"ends too early \(7 bytes\); download it again"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, content: bytes, sentence: str) -> None:
    (tmp_path / "x.pt").write_bytes(content)
    with pytest.raises(EvenhandError, match=sentence):
        check_start(tmp_path / "x.pt")


def test_what_cannot_be_opened_is_told() -> None:
    with pytest.raises(EvenhandError, match=r"^pretrained: / cannot be read"):
        check_start(Path("/"))


def test_a_whole_zip_is_left_to_torch(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("a", "b")
    check_start(tmp_path / "x.zip")
