import io
import os
import signal
import subprocess
import sys
from pathlib import Path
from threading import current_thread, main_thread
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from evenhand import EvenhandError
from evenhand.extract import loading
from evenhand.extract.loading import Batch, Consecutive, default_workers, load_batches, load_by_threads
from evenhand.extract.prepared_images import PreparedImages


def pixels_of(image: Image.Image) -> Tensor:
    return torch.from_numpy(np.asarray(image.resize((4, 4)), dtype=np.float32)).permute(2, 0, 1)


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    for k in range(7):
        Image.new("RGB", (130, 70), (30 * k, 0, 0)).save(tmp_path / f"{k}.png")
    (tmp_path / "3.png").write_bytes(b"broken")
    return [str(tmp_path / f"{k}.png") for k in range(7)]


def load(files: list[str], workers: int | None = None, *, thumbnails: bool = False) -> list[Batch]:
    images = PreparedImages(files, pixels_of, thumbnails)
    return list(load_batches(images, Consecutive(0, len(files), 3), workers))


def test_consecutive_runs_cover_the_range() -> None:
    assert [list(run) for run in Consecutive(2, 9, 3)] == [[2, 3, 4], [5, 6, 7], [8]]


def test_batches_come_in_order_with_what_could_not_be_read(files: list[str]) -> None:
    batches = load(files)
    assert [batch.read for batch in batches] == [[0, 1, 2], [4, 5], [6]]
    assert batches[1].unreadable == [(3, "not an image")]
    assert [batch.paths for batch in batches] == [files[:3], files[4:6], files[6:]]
    assert batches[2].pixels is not None
    assert batches[2].pixels[0, 0, 0, 0] == 180


def test_a_batch_of_broken_pictures_has_no_pixels(files: list[str]) -> None:
    (batch,) = load_batches(PreparedImages(files, pixels_of), [[3]])
    assert batch.pixels is None
    assert batch.read == []


def test_workers_change_nothing(files: list[str]) -> None:
    alone, shared = load(files, workers=0, thumbnails=True), load(files, workers=2, thumbnails=True)
    for one, other in zip(alone, shared, strict=True):
        assert one.pixels is not None
        assert other.pixels is not None
        assert torch.equal(one.pixels, other.pixels)
        assert one.thumbnails == other.thumbnails
        assert (one.read, one.unreadable) == (other.read, other.unreadable)


def test_thumbnails_are_jpegs_of_64_pixels(files: list[str]) -> None:
    (small,) = next(load_batches(PreparedImages(files, pixels_of, True), [[1]])).thumbnails
    image = Image.open(io.BytesIO(small))
    assert (image.format, image.size) == ("JPEG", (64, 34))


def test_no_thumbnails_unless_asked(files: list[str]) -> None:
    assert load(files)[0].thumbnails == []


def test_a_line_of_pixels_is_skipped(tmp_path: Path) -> None:
    Image.new("RGB", (1, 5000)).save(tmp_path / "line.png")
    (batch,) = load_batches(PreparedImages([str(tmp_path / "line.png")], pixels_of), [[0]])
    assert batch.unreadable == [(0, "too long and narrow (1 x 5000 pixels)")]


@pytest.mark.parametrize(("height", "read"), [(200, [0]), (201, [])])
def test_an_image_may_be_a_hundred_times_as_long_as_wide(
    tmp_path: Path, height: int, read: list[int]
) -> None:
    Image.new("RGB", (2, height)).save(tmp_path / "line.png")
    assert load([str(tmp_path / "line.png")])[0].read == read


def test_one_address_among_files_makes_images_remote(files: list[str]) -> None:
    assert not PreparedImages(files, pixels_of).remote
    assert PreparedImages([files[0], f"file://{files[1]}"], pixels_of).remote


def test_loading_leaves_the_global_generator_alone(files: list[str]) -> None:
    before = torch.get_rng_state()
    load(files)
    assert torch.equal(torch.get_rng_state(), before)


def test_few_pictures_need_no_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading.sys, "platform", "linux")
    monkeypatch.setattr(loading, "cores", lambda: 40)
    assert default_workers(10) == 0
    assert default_workers(100_000) == 8
    monkeypatch.setattr(loading.sys, "platform", "darwin")
    assert default_workers(100_000) == 0


@pytest.mark.parametrize("workers", [None, 0])
def test_threads_of_this_process_read_few_images_with_one_thread_of_torch_each(
    files: list[str], workers: int | None
) -> None:
    seen: set[tuple[bool, int]] = set()

    def look(image: Image.Image) -> Tensor:
        seen.add((current_thread() is main_thread(), torch.get_num_threads()))
        return pixels_of(image)

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        list(load_batches(PreparedImages(files, look), [[0, 1], [2]], workers))
        assert (seen, torch.get_num_threads()) == ({(False, 1)}, 2)
    finally:
        torch.set_num_threads(before)


def test_a_worker_that_dies_is_one_sentence(files: list[str]) -> None:
    here = os.getpid()

    def die(image: Image.Image) -> Tensor:
        if os.getpid() != here:  # which asks once how large its pixels are
            os.kill(os.getpid(), signal.SIGKILL)
        return pixels_of(image)

    with pytest.raises(EvenhandError, match=r"a process that reads images died .*run the same command again"):
        list(load_batches(PreparedImages(files, die), [[0]], 1))


def test_other_failures_of_a_transform_are_not_hidden(files: list[str]) -> None:
    def fail(image: Image.Image) -> Tensor:
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        list(load_batches(PreparedImages(files, fail), [[0]]))


@pytest.mark.parametrize("workers", [1, 4])
def test_threads_change_nothing(files: list[str], workers: int) -> None:
    runs = Consecutive(0, len(files), 2)
    images = PreparedImages(files, pixels_of, thumbnails=True)
    alone = load_batches(images, runs, workers=0)
    for one, other in zip(alone, load_by_threads(images, runs, workers), strict=True):
        assert one.pixels is not None
        assert other.pixels is not None
        assert torch.equal(one.pixels, other.pixels)
        assert one.thumbnails == other.thumbnails
        assert (one.read, one.unreadable) == (other.read, other.unreadable)


def test_addresses_are_read_without_forking(files: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "DataLoader", None)
    addresses = [f"file://{path}" for path in files]
    batches = list(load_batches(PreparedImages(addresses, pixels_of), Consecutive(0, 7, 3), workers=2))
    assert [batch.read for batch in batches] == [[0, 1, 2], [4, 5], [6]]
    assert batches[1].unreadable == [(3, "not an image")]


def test_threads_read_no_further_than_a_few_batches_ahead(files: list[str]) -> None:
    seen: list[int] = []

    def note(image: Image.Image) -> Tensor:
        seen.append(1)
        return pixels_of(image)

    stream = load_by_threads(PreparedImages(files[:3] * 20, note), Consecutive(0, 60, 2), workers=1)
    next(stream)
    stream.close()
    assert len(seen) <= 2 * (loading.AHEAD + 1)


def test_a_small_shared_memory_makes_threads_read(files: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """As the 64 MB of a container, which processes would fill, and then wait for ever."""
    monkeypatch.setattr(loading.shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    monkeypatch.setattr(loading, "DataLoader", None)
    assert [batch.read for batch in load(files, workers=2)] == [[0, 1, 2], [4, 5], [6]]


def test_a_process_that_cannot_hand_over_what_it_read_is_a_sentence(
    files: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python's queue drops what it cannot send, and the loader would wait for it for ever."""
    here = os.getpid()

    def full(batch: Batch) -> object:
        if os.getpid() != here:
            raise OSError(28, "No space left on device")
        raise AssertionError

    monkeypatch.setattr(Batch, "__reduce__", full)
    with pytest.raises(EvenhandError, match=r"a process that reads images died .* `workers`"):
        load(files, workers=2)


HANGS_UP = """
import os, time
from multiprocessing import current_process
from multiprocessing.connection import Client
from multiprocessing.reduction import DupFd
from evenhand.extract import loading

loading._begin(os.getppid(), True, 0)
Client(DupFd(1)._id[0], authkey=current_process().authkey).close()
time.sleep(0.2)
"""


def test_a_reading_process_is_silent_when_its_parent_hangs_up() -> None:
    """An interrupted parent closes the connection over which a batch is handed to it."""
    done = subprocess.run([sys.executable, "-c", HANGS_UP], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
