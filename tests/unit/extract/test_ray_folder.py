"""Wherever temporary files go, Ray's sockets find a place, and nothing is left there."""

import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from evenhand import EvenhandError
from evenhand.extract import ray_folder
from evenhand.extract.ray_folder import LONGEST, SOCKET, short_folder


def bind_longest_socket(folder: str) -> None:
    """Bind a socket as deep as Ray does."""
    path = Path(folder + "/" + SOCKET.split("/", 2)[2])
    path.parent.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(path))


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a folder of a short name, which is where temporary files go."""
    with tempfile.TemporaryDirectory(prefix="r", dir="/tmp") as folder:
        monkeypatch.delenv("RAY_TMPDIR", raising=False)
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)


@pytest.mark.parametrize("variable", [True, False])
def test_a_short_folder_is_used_and_left_empty(
    short: Path, variable: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if variable:
        monkeypatch.setenv("RAY_TMPDIR", str(short))
        monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    with short_folder() as folder:
        assert Path(folder).parent == short
        bind_longest_socket(folder)
    assert not list(short.iterdir())


def test_a_folder_of_a_long_name_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = tmp_path / ("x" * LONGEST)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    monkeypatch.setenv("RAY_TMPDIR", str(long))
    with short_folder() as folder:
        assert Path(folder).parent in (Path("/tmp"), Path("/var/tmp"))
        bind_longest_socket(folder)
    assert not Path(folder).exists()
    assert not list(long.iterdir())


def test_where_no_folder_will_do_the_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_folder, "_fits", lambda parent: False)
    sentence = r"^/.* cannot be Ray's temporary folder, which must be .*; set RAY_TMPDIR to such a folder$"
    with pytest.raises(EvenhandError, match=sentence), short_folder():
        pass
