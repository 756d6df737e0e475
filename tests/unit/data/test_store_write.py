import errno
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from evenhand._errors import EvenhandError
from evenhand.data.store import load_store


@pytest.mark.parametrize("stop", [0, 1, 2])
def test_a_resumed_run_writes_the_same_bytes(
    tmp_path: Path, store: Path, kit: SimpleNamespace, stop: int
) -> None:
    other = tmp_path / "resumed.store"
    with pytest.raises(InterruptedError):
        kit.make(other, stop=stop)
    assert other.exists() == (stop > 0)
    with kit.writer(other) as out:
        assert out.parts_done == stop
        assert not out.finished
    kit.make(other)
    assert kit.contents(other) == kit.contents(store)


def test_finished_is_recognised_and_left_alone(store: Path, kit: SimpleNamespace) -> None:
    before = {file: file.stat().st_mtime_ns for file in store.rglob("*")}
    with kit.writer(store) as out:
        assert out.finished
    assert {file: file.stat().st_mtime_ns for file in store.rglob("*")} == before


def test_a_failure_after_the_end_does_not_cost_the_store(tmp_path: Path, kit: SimpleNamespace) -> None:
    with pytest.raises(KeyboardInterrupt), kit.writer(kit.make(tmp_path / "s")):
        raise KeyboardInterrupt
    assert len(load_store(tmp_path / "s").y) > 0


def test_a_killed_run_resumes_to_the_same_bytes(tmp_path: Path, store: Path, kit: SimpleNamespace) -> None:
    other = tmp_path / "killed.store"
    code = (
        "import sys, time, importlib.util as u\nfrom pathlib import Path\n"
        f"spec = u.spec_from_file_location('kit', {str(Path(__file__).with_name('conftest.py'))!r})\n"
        "kit = u.module_from_spec(spec)\nspec.loader.exec_module(kit)\n"
        "with kit.writer(Path(sys.argv[1])) as out:\n"
        "    out.write_part(*kit.part(0))\n"
        "    (out.path / 'features' / '.part-00001.npy.0123456789abcdef.tmp').write_bytes(b'half')\n"
        "    print('one part', flush=True)\n"
        "    time.sleep(60)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", code, str(other)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "one part\n"
    with pytest.raises(EvenhandError, match="is being written by another process"):
        kit.make(other)
    child.send_signal(signal.SIGKILL)
    child.communicate()
    with kit.writer(other) as out:
        assert out.parts_done == 1
    kit.make(other)
    assert kit.contents(other) == kit.contents(store)


def test_killed_while_finishing(store: Path, tmp_path: Path, kit: SimpleNamespace) -> None:
    before = kit.contents(store)
    (store / "progress").mkdir()
    (store / "progress" / "part-00000.json").write_text("{}")
    (store / "plan.json").write_text("{}")
    (store / ".card.json.0123456789abcdef.tmp").write_text("half")
    assert len(load_store(store)) == 9
    kit.make(store)
    assert kit.contents(store) == before


@pytest.mark.parametrize("name", ["features/part-00001.npy", "progress/part-00001.json"])
def test_a_damaged_part_is_made_again(tmp_path: Path, store: Path, kit: SimpleNamespace, name: str) -> None:
    other = tmp_path / "damaged.store"
    with pytest.raises(InterruptedError):
        kit.make(other, stop=2)
    (other / name).write_bytes((other / name).read_bytes()[:-9])
    with kit.writer(other) as out:
        assert out.parts_done == 1
    kit.make(other)
    assert kit.contents(other) == kit.contents(store)


@pytest.mark.parametrize("finished", [True, False])
def test_another_identity_names_the_difference(tmp_path: Path, kit: SimpleNamespace, finished: bool) -> None:
    path = tmp_path / "s"
    if finished:
        kit.make(path)
    else:
        with pytest.raises(InterruptedError):
            kit.make(path, stop=1)
    before = kit.contents(path)
    with (
        pytest.raises(EvenhandError, match="was made with `model` 'm', but this run has 'n'; name another"),
        kit.writer(path, {"model": "n", "seed": 0}),
    ):
        pass
    with pytest.raises(EvenhandError, match="`dtype` 'float16', but this run has 'float32'"):
        kit.writer(path, dtype="float32").__enter__()
    assert kit.contents(path) == before


def test_a_tuple_is_its_list(tmp_path: Path, kit: SimpleNamespace) -> None:
    for done in (0, 1):
        with kit.writer(tmp_path / "s", {"classes": ("a", "b")}) as out:
            assert out.parts_done == done
            if not done:
                out.write_part(*kit.part(0))


@pytest.mark.parametrize("name", ["notes.txt", ".git", "plan.json", "card.json"])
def test_a_folder_with_other_things_is_left_alone(tmp_path: Path, kit: SimpleNamespace, name: str) -> None:
    (tmp_path / name).write_text("{}")
    with pytest.raises(EvenhandError, match="is not a store"):
        kit.make(tmp_path)
    assert kit.contents(tmp_path) == {name: b"{}"}


def test_out_is_a_file_or_below_one(tmp_path: Path, kit: SimpleNamespace) -> None:
    (tmp_path / "file").write_text("mine")
    for path in (tmp_path / "file", tmp_path / "file" / "s"):
        with pytest.raises(EvenhandError, match="cannot be used as a folder"):
            kit.make(path)


def test_parts_without_a_row_leave_nothing(tmp_path: Path, kit: SimpleNamespace) -> None:
    def fill() -> None:
        with kit.writer(tmp_path / "s") as out:
            for _ in range(2):
                out.write_part(np.zeros((0, 4)), kit.rows(0, 0), kit.part(0)[2], [])
            out.finish()

    with pytest.raises(EvenhandError, match="none of the 2 images can be read; the first is /photos/broken"):
        fill()
    assert not (tmp_path / "s").exists()


def test_no_part_then_nothing_is_left(tmp_path: Path, kit: SimpleNamespace) -> None:
    with (
        pytest.raises(EvenhandError, match="no part was written"),
        kit.writer(tmp_path / "s") as out,
    ):
        out.finish()
    assert not (tmp_path / "s").exists()


def test_a_plan_that_is_gone_bad(tmp_path: Path, kit: SimpleNamespace) -> None:
    with pytest.raises(InterruptedError):
        kit.make(tmp_path / "s", stop=1)
    (tmp_path / "s" / "plan.json").write_text("[]")
    with pytest.raises(EvenhandError, match=r"holds a plan\.json that is not a store's"):
        kit.make(tmp_path / "s")


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e5])
def test_features_must_be_finite_in_the_type_of_the_store(
    tmp_path: Path, kit: SimpleNamespace, value: float
) -> None:
    features, *others = kit.part(0)
    features[1, 2] = value
    with (
        pytest.raises(EvenhandError, match=r"features of bild 1\.jpg are not finite in float16; use float32"),
        kit.writer(tmp_path / "s") as out,
    ):
        out.write_part(features, *others)
    assert not (tmp_path / "s").exists()


def test_lengths_must_fit(tmp_path: Path, kit: SimpleNamespace) -> None:
    features, rows, skipped, thumbnails = kit.part(0)
    wrong: list[tuple[Any, ...]] = [
        (features[:2], rows),
        (features[:, :3], rows),
        (features, {**rows, "id": rows["id"][:2]}),
        (features, rows, skipped, thumbnails[:2]),
    ]
    for arguments in wrong:
        with pytest.raises(EvenhandError, match="as many rows"), kit.writer(tmp_path / "s") as out:
            out.write_part(*arguments)


FULL = OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("stage", ["features", "rows", "head", "card"])
def test_a_full_disk_is_a_sentence_and_resumes(
    tmp_path: Path, store: Path, kit: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    def refuse(*arguments: Any, **options: Any) -> None:
        raise FULL

    other = tmp_path / "full.store"
    with pytest.raises(InterruptedError):
        kit.make(other, stop=2)
    before = kit.contents(other)
    with monkeypatch.context() as patch:
        if stage == "features":
            patch.setattr("numpy.lib.format.write_array_header_1_0", refuse)
        elif stage == "rows":
            patch.setattr("pyarrow.parquet.write_table", refuse)
        elif stage == "head":
            patch.setattr("evenhand.data.store_write.save", refuse)
        else:
            replace = Path.replace
            patch.setattr(
                Path, "replace", lambda old, new: refuse() if new.name == "card.json" else replace(old, new)
            )
        with pytest.raises(EvenhandError, match=r"cannot write .*: No space left on device"):
            kit.make(other)
    assert not list(other.rglob("*.tmp"))
    assert before.items() <= kit.contents(other).items()
    kit.make(other)
    assert kit.contents(other) == kit.contents(store)


def test_a_disk_that_is_really_full(tmp_path: Path, kit: SimpleNamespace) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(disk)]
    try:
        mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        mounted = False
    if not mounted:
        pytest.skip("no tmpfs can be mounted here")
    try:
        with (
            pytest.raises(EvenhandError, match=r"cannot write .*part-00000\.npy: No space left on device"),
            kit.writer(disk / "s", width=20_000) as out,
        ):
            out.write_part(np.ones((3, 20_000)), kit.rows(0, 3))
        assert list(disk.iterdir()) == []
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_no_permission(tmp_path: Path, kit: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: Any, **options: Any) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(EvenhandError, match=r"cannot make the folder .*: Permission denied"):
        kit.make(tmp_path / "s")
    assert list(tmp_path.iterdir()) == []


def test_a_failure_behind_the_first_part_tells_that_the_same_command_resumes(
    tmp_path: Path, kit: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Path.replace

    def full(path: Path, target: Path) -> Path:
        if Path(target).name == "part-00001.npy":
            raise OSError(28, "No space left on device")
        return real(path, target)

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(EvenhandError, match="No space left on device; finished parts stay, and the"):
        kit.make(tmp_path / "s")
    monkeypatch.undo()
    assert kit.contents(kit.make(tmp_path / "s")) == kit.contents(kit.make(tmp_path / "whole"))
