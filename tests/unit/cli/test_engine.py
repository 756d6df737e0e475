"""`--engine ray` and its options are refused in one sentence where they do not go together."""

from pathlib import Path
from typing import Any

import pytest
import torch

from evenhand import EvenhandError
from evenhand.cli import embed, predict
from evenhand.cli.engine import check_engine, choose_engine
from evenhand.extract.ray_engine import RayEngine
from evenhand.extract.trunk import on_this_machine

NOTHING: dict[str, Any] = {"address": None, "actors": None, "device": "cpu", "threads": None}

GIVEN: dict[str, Any] = {"precision": "fp32", "address": None, "actors": None, "device": "cpu"}


def test_this_machine_is_the_default_engine() -> None:
    assert choose_engine("local", **NOTHING) == (on_this_machine, "cpu")


def test_the_device_and_the_threads_are_the_actors() -> None:
    given = {"address": "auto", "actors": 3, "device": "cuda", "threads": 2}
    assert choose_engine("ray", **given) == (RayEngine("auto", 3, "cuda", 2), "cpu")  # type: ignore[arg-type]


@pytest.mark.parametrize(("option", "value"), [("address", "auto"), ("actors", 2)])
def test_options_of_a_cluster_want_one(option: str, value: Any) -> None:
    with pytest.raises(
        EvenhandError, match=f"--{option} needs --engine ray; add it, or leave --{option} out"
    ):
        check_engine("local", **{**GIVEN, option: value})


@pytest.mark.parametrize("device", ["cuda:1", "mps", "tpu"])
def test_an_actor_has_the_devices_of_its_own(device: str) -> None:
    with pytest.raises(
        EvenhandError, match=f"'{device}' with --engine ray; the allowed values are auto, cpu, cuda"
    ):
        check_engine("ray", **{**GIVEN, "device": device})


def test_automatic_precision_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EvenhandError, match="with --engine ray; the allowed values are fp32, bf16, fp16"):
        embed.command(tmp_path, tmp_path / "s", "tiny", engine="ray", precision="auto")
    with pytest.raises(EvenhandError, match="with --engine ray; the allowed values are fp32, bf16, fp16"):
        predict.command(tmp_path, tmp_path, engine="ray", precision="auto")


def test_a_model_moves_whole() -> None:
    from evenhand.backbones.tiny import load_tiny

    backbone = load_tiny()
    backbone.to("meta")
    tensors = [*backbone.model.parameters(), *backbone.model.buffers()]
    assert {tensor.device for tensor in tensors} == {torch.device("meta")}
    trunk = backbone.site.trunk
    assert {t.device for t in [*trunk.parameters(), *trunk.buffers()]} == {torch.device("meta")}
