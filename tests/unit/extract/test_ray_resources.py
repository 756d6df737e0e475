"""What an actor takes of a cluster's machines; without a cluster."""

import pytest

from evenhand import EvenhandError
from evenhand.extract.ray_resources import ActorResources, choose_resources

SMALL = {"CPU": 4.0, "GPU": 0.0}
LARGE = {"CPU": 16.0, "GPU": 4.0}


@pytest.mark.parametrize(
    ("machines", "device", "threads", "expected"),
    [
        ([SMALL], "auto", None, ActorResources("cpu", 1)),
        ([SMALL, LARGE], "auto", None, ActorResources("cuda", 4)),
        ([SMALL, LARGE], "cpu", 3, ActorResources("cpu", 3)),
        ([LARGE], "auto", 6, ActorResources("cuda", 6)),
        ([{"CPU": 96.0, "GPU": 1.0}], "auto", None, ActorResources("cuda", 8)),
    ],
    ids=str,
)
def test_actors_fit_the_machines(
    machines: list[dict[str, float]], device: str, threads: int | None, expected: ActorResources
) -> None:
    assert choose_resources(machines, device, threads) == expected


@pytest.mark.parametrize(
    ("actors", "count"),
    [(ActorResources("cpu", 1), 20), (ActorResources("cpu", 3), 6), (ActorResources("cuda", 6), 2)],
    ids=str,
)
def test_actors_are_counted_by_what_each_machine_has(actors: ActorResources, count: int) -> None:
    assert actors.places([SMALL, LARGE]) == count


def test_a_cluster_without_a_place_is_refused() -> None:
    sentence = "no machine of the cluster has 8 CPUs for an actor; use fewer `threads`, another `device`"
    with pytest.raises(EvenhandError, match=sentence):
        choose_resources([SMALL], "auto", 8)
    with pytest.raises(EvenhandError, match="no machine of the cluster has 1 CPU and a GPU for an actor"):
        choose_resources([SMALL], "cuda", None)
