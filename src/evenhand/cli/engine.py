"""`--engine`: where images go through the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import typer

from evenhand._errors import EvenhandError, NotAllowedError
from evenhand._optional import require
from evenhand.cli.devices import check_device, choose_device
from evenhand.cli.options import one_of
from evenhand.extract.ray_address import check_address

if TYPE_CHECKING:
    from evenhand.extract.trunk import Engine

EngineName: TypeAlias = Literal["local", "ray"]
EngineOption = Annotated[
    EngineName,
    one_of(EngineName, "Where the model runs: this machine, or a Ray cluster.", rich_help_panel="Cluster"),
]
Address = Annotated[
    str | None,
    typer.Option(
        help="HOST:PORT of a Ray cluster that this machine belongs to, or auto; by default a new one on this "
        "machine.",
        rich_help_panel="Cluster",
    ),
]
Actors = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Number of copies of the model; by default one per GPU, or one per CPU if there is no GPU.",
        rich_help_panel="Cluster",
    ),
]


def check_engine(
    name: EngineName,
    *,
    precision: str | None,
    address: str | None,
    actors: int | None,
    device: str,
) -> None:
    """Refuse options that the engine does not support, before torch is imported.

    Raises
    ------
    EvenhandError
        If an option of the cluster comes without it, a device that it cannot choose, or a precision that goes
        by this machine where another computes; if Ray is not installed, or no cluster is at the address.
    """
    if name == "local":
        if address is not None or actors is not None:
            given = "--address" if address is not None else "--actors"
            raise EvenhandError(f"{given} needs --engine ray; add it, or leave {given} out")
        check_device(device)
        return
    if device not in ("auto", "cpu", "cuda"):
        raise NotAllowedError(
            f"--device: {device!r} with --engine ray; the allowed values are auto, cpu, cuda"
        )
    if precision == "auto":
        raise NotAllowedError("--precision: auto with --engine ray; the allowed values are fp32, bf16, fp16")
    require("ray", "ray")
    if address is not None:
        check_address(address)


def choose_engine(
    name: EngineName, *, address: str | None, actors: int | None, device: str, threads: int | None
) -> tuple[Engine, str]:
    """Return the engine, and the device of this process's own model.

    On a cluster the device and the threads are the actors', and this process only encodes the prompts.

    Raises
    ------
    EvenhandError
        If this machine lacks the device.
    """
    if name == "local":
        from evenhand.extract.trunk import on_this_machine

        return on_this_machine, choose_device(device)
    from evenhand.extract.ray_engine import RayEngine

    return RayEngine(address=address, actors=actors, device=device, threads=threads), "cpu"
