import os
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from evenhand import EvenhandError
from evenhand.backbones.checkpoint import read_checkpoint

WEIGHTS = {
    "logit_scale": torch.tensor(2.0),
    "visual.proj": torch.arange(6.0).reshape(2, 3),
    "text_projection": torch.ones(3, 3),
}


def prefixed(prefix: str) -> dict[str, torch.Tensor]:
    return {prefix + name: tensor for name, tensor in WEIGHTS.items()}


_FSDP = "visual._fsdp_wrapped_module."
SAVED: dict[str, Any] = {
    "plain": WEIGHTS,
    "training of open_clip": {
        "epoch": 3,
        "name": "a",
        "state_dict": prefixed("module."),
        "optimizer": {"lr": 1},
    },
    "Lightning": {"state_dict": {**prefixed("model."), "loss.logit_scale": torch.tensor(1.0)}, "epoch": 1},
    "compiled": prefixed("module._orig_mod."),
    "WiSE-FT": {**prefixed("image_encoder.model."), "classification_head.weight": torch.ones(2, 2)},
    "model": {"model": prefixed("clip."), "args": {"lr": 0.1}},
    "averaged": {"n_averaged": torch.tensor(2), **prefixed("module.")},
    "FSDP": {f"_fsdp_wrapped_module.{name.replace('visual.', _FSDP)}": of for name, of in WEIGHTS.items()},
    "compiled tower": {name.replace("visual.", "visual._orig_mod."): of for name, of in WEIGHTS.items()},
    "recomputed": {
        name.replace("visual.", "visual._checkpoint_wrapped_module."): w for name, w in WEIGHTS.items()
    },
    "parallel tower": {name.replace("visual.", "visual.module."): of for name, of in WEIGHTS.items()},
    "nested": {"state": {"model_state_dict": WEIGHTS}},
}


@pytest.mark.parametrize("kind", SAVED)
def test_weights_come_by_the_models_own_names(kind: str, tmp_path: Path) -> None:
    torch.save(SAVED[kind], tmp_path / "m.ckpt")
    found = read_checkpoint(tmp_path / "m.ckpt")
    assert list(found) == list(WEIGHTS)
    assert all(torch.equal(found[name], tensor) for name, tensor in WEIGHTS.items())


def test_safetensors_are_known_by_their_content(tmp_path: Path) -> None:
    save_file(prefixed("module."), tmp_path / "m.pt")
    assert sorted(read_checkpoint(tmp_path / "m.pt")) == sorted(WEIGHTS)


def test_weights_of_no_clip_stay_as_they_are(tmp_path: Path) -> None:
    torch.save({"state_dict": {"fc.weight": torch.ones(1)}}, tmp_path / "m.pt")
    assert list(read_checkpoint(tmp_path / "m.pt")) == ["fc.weight"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty; download it again"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
            "pointer of Git LFS.*git lfs pull",
        ),
        (b"<!DOCTYPE html><html>Sign in</html>", "it is a web page, not the weights"),
        (b'{"a": 1}', "it is JSON text"),
        (b"\x1f\x8b\x08\x00", "compressed by gzip"),
        (b"PK\x03\x04 the start of a file", r"ends too early \(24 bytes\); download it again"),
        (b"\x40\x00\x00\x00\x00\x00\x00\x00{" + b" " * 20, "not a whole safetensors file.*cut short"),
        (b"no weights at all", "is not a checkpoint, or is damaged"),
    ],
)
def test_what_is_no_checkpoint_says_why(content: bytes, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "m.pt").write_bytes(content)
    with pytest.raises(EvenhandError, match=sentence):
        read_checkpoint(tmp_path / "m.pt")


def test_two_models_in_one_file_are_refused(tmp_path: Path) -> None:
    torch.save({"model": WEIGHTS, "ema": WEIGHTS}, tmp_path / "m.pt")
    with pytest.raises(
        EvenhandError, match="several models, 'model/' and 'ema/'; save the state_dict of one"
    ):
        read_checkpoint(tmp_path / "m.pt")


def test_python_objects_are_named_and_not_made(tmp_path: Path) -> None:
    torch.save({"state_dict": WEIGHTS, "path": Path("x")}, tmp_path / "m.pt")
    with pytest.raises(EvenhandError, match=r"holds Python objects besides the weights \(pathlib.*\)"):
        read_checkpoint(tmp_path / "m.pt")


class Calls:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("false",)


def test_functions_are_named_and_not_called(tmp_path: Path) -> None:
    torch.save({"state_dict": WEIGHTS, "x": Calls()}, tmp_path / "m.pt")
    with pytest.raises(
        EvenhandError, match=r"holds Python objects besides the weights \((posix|nt).system\)"
    ):
        read_checkpoint(tmp_path / "m.pt")


def test_quantized_weights_are_refused_and_positions_are_not(tmp_path: Path) -> None:
    positions = {"text.position_ids": torch.arange(3)[None]}
    torch.save({**WEIGHTS, **positions}, tmp_path / "m.pt")
    assert "text.position_ids" in read_checkpoint(tmp_path / "m.pt")
    torch.save({**WEIGHTS, "visual.a.weight": torch.ones(2, 2, dtype=torch.int8)}, tmp_path / "m.pt")
    with pytest.raises(EvenhandError, match=r"whole numbers \(torch.int8 in visual.a.weight\): it is"):
        read_checkpoint(tmp_path / "m.pt")


def test_a_list_is_no_state_dict(tmp_path: Path) -> None:
    torch.save([torch.ones(1)], tmp_path / "m.pt")
    with pytest.raises(EvenhandError, match="holds a list, not named tensors"):
        read_checkpoint(tmp_path / "m.pt")


@pytest.mark.parametrize(
    "name", ["base_model.model.visual.proj.lora_A.default.weight", "visual.fc.base_layer.weight"]
)
def test_an_adapter_is_refused(name: str, tmp_path: Path) -> None:
    torch.save({**WEIGHTS, name: torch.ones(2)}, tmp_path / "m.pt")
    with pytest.raises(EvenhandError, match=r"m.pt holds an adapter \(LoRA\).*merge_and_unload\(\) of peft"):
        read_checkpoint(tmp_path / "m.pt")


def test_one_part_of_several_is_refused(tmp_path: Path) -> None:
    part = tmp_path / "model-00002-of-00003.safetensors"
    save_file(WEIGHTS, part)
    with pytest.raises(
        EvenhandError, match=r"model-00002-of-00003.safetensors is one of 3 parts of a model's"
    ):
        read_checkpoint(part)
    whole = part.rename(tmp_path / "model-00001-of-00001.safetensors")
    assert sorted(read_checkpoint(whole)) == sorted(WEIGHTS)
