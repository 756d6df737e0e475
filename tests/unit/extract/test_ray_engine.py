"""What is sent to a cluster, and what a worker makes of it; without a cluster."""

import socket
import sys
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from types import SimpleNamespace

import numpy as np
import pytest

from evenhand import EvenhandError
from evenhand._version import __version__
from evenhand.data.manifest import Manifest
from evenhand.extract.loading import Consecutive
from evenhand.extract.ray_address import check_address
from evenhand.extract.ray_engine import (
    LOOPBACK,
    LazyBlocks,
    check_seen,
    connected,
)
from evenhand.extract.ray_worker import ActorSettings, Trunk
from evenhand.extract.trunk import Embedded, ImageReading, on_this_machine

from .conftest import ColourBackbone

TASK = {"device": "cpu", "threads": 1, "reading": ImageReading("float32", thumbnails=True, workers=2)}


@pytest.mark.parametrize("size", [1, 2, 8])
def test_blocks_come_back_as_the_batches_of_one_machine(
    manifest: Manifest, backbone: ColourBackbone, size: int
) -> None:
    Path(manifest.paths[7]).write_bytes(b"broken")
    # As a resumed run asks: from the second part on.
    batches = [batch for part in ((5, 12), (12, 19), (19, 20)) for batch in Consecutive(*part, 3)]
    expected = list(
        on_this_machine(
            manifest.paths, backbone, batches, ImageReading("float32", thumbnails=True, workers=0)
        )
    )
    trunk = Trunk(backbone, ActorSettings(version="1", **TASK))  # type: ignore[arg-type]
    blocks = LazyBlocks(manifest.paths, batches, size)
    made = [batch for number in range(len(blocks)) for batch in trunk.take(blocks[number])]
    assert [batch.read for batch in made] == [batch.read for batch in expected]
    assert [batch.thumbnails for batch in made] == [batch.thumbnails for batch in expected]
    assert [batch.unreadable for batch in made] == [batch.unreadable for batch in expected]
    assert np.array_equal(
        np.concatenate([batch.features for batch in made]),
        np.concatenate([batch.features for batch in expected]),
    )


def test_a_worker_of_another_version_is_refused(backbone: ColourBackbone) -> None:
    trunk = Trunk(backbone, ActorSettings(version="9.9", **TASK))  # type: ignore[arg-type]
    with pytest.raises(EvenhandError, match=r"a worker of the cluster has evenhand .*, but this is 9\.9"):
        trunk.ready()


def test_a_backbone_that_cannot_move_is_refused(backbone: ColourBackbone) -> None:
    trunk = Trunk(backbone, ActorSettings(version=__version__, **{**TASK, "device": "cuda"}))  # type: ignore[arg-type]
    with pytest.raises(
        EvenhandError, match="the model colour cannot move to a GPU, since it has no method to"
    ):
        trunk.ready()


def test_a_file_that_a_worker_alone_misses_is_no_broken_image(tmp_path: Path) -> None:
    (tmp_path / "here.png").write_bytes(b"")
    paths = [str(tmp_path / "here.png"), str(tmp_path / "nowhere.png")]
    missed = [Embedded(np.zeros((0, 1)), [], [], [(row, "file not found")]) for row in (0, 1)]
    check_seen(missed[1], paths)
    with pytest.raises(EvenhandError, match=r"a worker of the cluster cannot find .*here\.png, which this"):
        check_seen(missed[0], paths)
    with tarfile.open(tmp_path / "here.tar", "w") as archive:
        archive.add(tmp_path / "here.png", "a.png")
    with pytest.raises(EvenhandError, match=r"a worker of the cluster cannot find .*here\.tar/a\.png, which"):
        check_seen(missed[0], [str(tmp_path / "here.tar" / "a.png")])


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("127.0.0.1:1", ".*refused"),
        ("127.0.0.1:99999999", ".+"),
        ("127.0.0.1", "no HOST:PORT"),
        (":6379", "no HOST:PORT"),
        ("ray://127.0.0.1:x", "no HOST:PORT"),
    ],
)
def test_an_address_without_a_cluster_is_refused(address: str, reason: str) -> None:
    sentence = (
        rf"^address: {address}: there is no Ray cluster \({reason}\); give the HOST:PORT of one that this"
    )
    with pytest.raises(EvenhandError, match=sentence):
        check_address(address)


def test_a_ray_that_does_not_start_is_told_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    ray = pytest.importorskip("ray")

    def fail(*_: object, **__: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(ray, "init", fail)
    sentence = r"^Ray does not start on this machine \(no space left on device\); leave out `engine='ray'`"
    with pytest.raises(EvenhandError, match=sentence), connected(None):
        pass


@contextmanager
def answering(answer: bytes) -> Iterator[str]:
    """Yield the address of a server that answers one connection and closes it."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(100)
                connection.sendall(answer)

        thread = Thread(target=serve)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        thread.join()


def test_an_address_that_answers_is_taken() -> None:
    with answering(b"\0\0\0\4\0\0\0\0\0") as address:  # empty settings of HTTP/2
        check_address(address)
    check_address("auto")


@pytest.mark.parametrize("answer", [b"HTTP/1.0 400 Bad Request\r\n", b"\0\0\0", b""])
def test_what_is_no_cluster_is_refused(answer: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        answering(answer) as address,
        pytest.raises(EvenhandError, match=rf"^address: {address}: .*\(something else listens there\)"),
    ):
        check_address(address)
    monkeypatch.setenv("RAY_USE_TLS", "1")
    with answering(b"") as address:
        check_address(address)


def test_auto_is_the_address_that_ray_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    services = SimpleNamespace(canonicalize_bootstrap_address=lambda _: "127.0.0.1:1")
    monkeypatch.setitem(sys.modules, "ray", SimpleNamespace(is_initialized=lambda: False))
    monkeypatch.setitem(sys.modules, "ray._private.services", services)
    with pytest.raises(EvenhandError, match=r"^address: 127\.0\.0\.1:1: "), connected("auto"):
        pass


def test_a_cluster_may_follow_one_of_this_machine_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Ray reads the variable once, so what it read is set anew for every connection."""
    constants = SimpleNamespace(ENABLE_RAY_CLUSTER=False)
    started = {"init": lambda *_, **__: None, "shutdown": lambda: None, "is_initialized": lambda: False}
    monkeypatch.delenv(LOOPBACK, raising=False)
    monkeypatch.setitem(sys.modules, "ray", SimpleNamespace(**started))
    monkeypatch.setitem(sys.modules, "ray._private.ray_constants", constants)
    services = SimpleNamespace(canonicalize_bootstrap_address=lambda _: None)
    monkeypatch.setitem(sys.modules, "ray._private.services", services)
    for address, everywhere in ((None, False), ("auto", True), (None, False)):
        with connected(address):
            assert constants.ENABLE_RAY_CLUSTER is everywhere
    monkeypatch.setenv(LOOPBACK, "0")
    with connected("auto"):
        assert constants.ENABLE_RAY_CLUSTER is False, "what the user set stays"
