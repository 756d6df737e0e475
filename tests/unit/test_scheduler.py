"""Tests of one file run on one worker: what they share, as a cluster, is made once."""

from types import SimpleNamespace
from typing import Any

import pytest
from tests.conftest import SHARING

TESTS = [
    f"tests/{folder}/test_{name}.py::test_{number}"
    for folder in ("unit", "properties", *SHARING)
    for name in "ab"
    for number in range(3)
]


class Node:
    """A worker that notes what it is sent."""

    shutting_down = False

    def __init__(self, number: int) -> None:
        self.gateway = SimpleNamespace(id=f"gw{number}", spec=None)
        self.sent: list[int] = []

    def send_runtest_some(self, numbers: list[int]) -> None:
        self.sent += numbers

    def shutdown(self) -> None:
        self.shutting_down = True


def test_each_file_and_each_sharing_folder_goes_to_one_worker(request: pytest.FixtureRequest) -> None:
    """By pytest's own hook, so that a plug-in that takes the place of the scheduler shows."""
    option = SimpleNamespace(loadscopereorder=False)
    config = SimpleNamespace(getvalue=lambda _: ["2*popen"], option=option)
    scheduler: Any = request.config.hook.pytest_xdist_make_scheduler(config=config, log=None)
    nodes = [Node(0), Node(1)]
    for node in nodes:
        scheduler.add_node(node)
        scheduler.add_node_collection(node, TESTS)
    scheduler.schedule()
    ran: dict[str, set[str]] = {}
    while sent := [node for node in nodes if node.sent]:
        number = sent[0].sent.pop(0)
        folder, file = TESTS[number].split("::")[0].split("/")[1:]
        ran.setdefault(folder if folder in SHARING else file + folder, set()).add(sent[0].gateway.id)
        scheduler.mark_test_complete(sent[0], number)
        nodes.reverse()
    assert len(ran) == len(SHARING) + 4
    assert all(len(workers) == 1 for workers in ran.values())
    assert set.union(*ran.values()) == {"gw0", "gw1"}
