"""What each actor takes of a Ray cluster's machines, and how many fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from evenhand._counts import number_of
from evenhand._errors import EvenhandError


@dataclass(frozen=True)
class ActorResources:
    """The device of the actors, and the CPUs of each; on `cuda`, each takes one GPU."""

    device: str
    cpus: int

    @property
    def gpus(self) -> int:
        """GPUs of each actor."""
        return 1 if self.device == "cuda" else 0

    def places(self, machines: Sequence[dict[str, float]]) -> int:
        """Return how many actors fit on machines with the given CPUs and GPUs."""
        places = [int(machine["CPU"] // self.cpus) for machine in machines]
        if self.device == "cuda":
            places = [min(of, int(machine["GPU"])) for of, machine in zip(places, machines, strict=True)]
        return sum(places)


def choose_resources(
    machines: Sequence[dict[str, float]], device: str, threads: int | None
) -> ActorResources:
    """Return the device and the CPUs of each actor for machines with the given CPUs and GPUs.

    Raises
    ------
    EvenhandError
        If no machine can hold one.
    """
    with_gpu = [machine for machine in machines if machine["GPU"] >= 1]
    if device == "auto":
        device = "cuda" if with_gpu else "cpu"
    shares = [int(machine["CPU"] // machine["GPU"]) for machine in with_gpu]
    cpus = max(1, min([8, *shares])) if shares and device == "cuda" else 1
    resources = ActorResources(device, threads or cpus)
    if not resources.places(machines):
        wanted = number_of(resources.cpus, "CPU", "CPUs") + (" and a GPU" if device == "cuda" else "")
        raise EvenhandError(
            f"no machine of the cluster has {wanted} for an actor; use fewer `threads`, another `device`, or "
            "add machines"
        )
    return resources


def machines_of(ray: Any) -> list[dict[str, float]]:
    """Return the resources of each machine of the cluster that is alive; CPUs and GPUs are 0 if not named."""
    return [{"CPU": 0.0, "GPU": 0.0, **machine["Resources"]} for machine in ray.nodes() if machine["Alive"]]
