"""The option `--device`, and the torch device that it means on this machine."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Callable, Sequence
from typing import Annotated

import typer

from evenhand._errors import EvenhandError, NotAllowedError

DEVICES = ("auto", "cpu", "mps", "cuda", "cuda:N")
FIT_DEVICES = ("auto", "cpu", "cuda", "cuda:N")
Device = Annotated[
    str, typer.Option(help="Device: auto, cpu, mps, cuda or cuda:N.", rich_help_panel="Shared")
]
FitDevice = Annotated[
    str,
    typer.Option(
        help="Device for operations on all rows: auto, cpu, cuda or cuda:N; auto is cuda if there is one.",
        rich_help_panel="Shared",
    ),
]


def check_device(text: str, allowed: Sequence[str] = DEVICES) -> None:
    """Refuse a text that names no device, before torch is imported to find those of this machine.

    `allowed` is what the sentence offers.

    Raises
    ------
    EvenhandError
        If the text names none, or a GPU on a machine without its driver.
    """
    if not re.fullmatch(r"auto|cpu|mps|cuda(:\d+)?", text, re.ASCII):
        raise NotAllowedError.of("--device", text, allowed)
    if text.startswith("cuda") and not gpu_driver():
        raise EvenhandError(
            f"--device: {text} is not on this machine: it has no GPU driver; leave --device out to choose "
            "automatically"
        )


def choose_device(text: str) -> str:
    """Return the torch device that `text` means here.

    Raises
    ------
    EvenhandError
        If the text names no device, or one that this machine lacks.
    """
    check_device(text)
    import torch

    present: dict[str, Callable[[], bool]] = {
        "cuda": torch.cuda.is_available,
        "mps": torch.backends.mps.is_available,
        "cpu": lambda: True,
    }
    if text == "auto":
        return next(name for name, here in present.items() if here())
    kind, _, number = text.partition(":")
    if not present[kind]() or (number and int(number) >= torch.cuda.device_count()):
        here = ", ".join(name for name, found in present.items() if found())
        raise EvenhandError(
            f"--device: {text} is not on this machine, which has {here}; leave --device out "
            "to choose automatically"
        )
    return text


def check_fit_device(text: str) -> None:
    """Refuse a device that fits cannot use here, before torch is imported.

    Raises
    ------
    EvenhandError
        As `check_device`, or for mps, which lacks the precision that fits need.
    """
    check_device(text, FIT_DEVICES)
    if text == "mps":
        raise NotAllowedError(
            f"--device: mps has no float64, which fits need; the allowed values are {', '.join(FIT_DEVICES)}"
        )


def fit_device(text: str) -> str:
    """Return the torch device that `text` means for a fit here: `auto` is cuda if there is one, else cpu.

    Raises
    ------
    EvenhandError
        As `check_fit_device`, or if torch does not see the GPU.
    """
    check_fit_device(text)
    if text == "cpu" or not gpu_driver():
        return "cpu"
    found = choose_device(text)
    return found if found.startswith("cuda") else "cpu"


def gpu_driver() -> bool:
    """Tell whether the library of a GPU's driver is installed, of NVIDIA or of AMD."""
    for name in ("libcuda.so.1", "libamdhip64.so"):
        try:
            ctypes.CDLL(name)
        except OSError:
            continue
        return True
    return False
