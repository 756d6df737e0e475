"""A comparison gives the same results in one process, in several, and after it was killed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evenhand import EvenhandError, FeatureTable, compare, import_embeddings, load_store
from evenhand.comparison import schedule as module
from evenhand.comparison.job_cache import JobCache
from evenhand.comparison.processes import Workers
from evenhand.data.cached import fingerprint, key_of
from evenhand.data.lock import FolderLock

METHODS = ["zero_shot", "erm", "cfr"]


@pytest.fixture
def store(table: FeatureTable, tmp_path: Path) -> Path:
    """The table as a store on disk."""
    np.save(tmp_path / "X.npy", np.concatenate(table.parts))
    columns = {"label": table.labels(np.arange(600)), "split": table.split, **table.attributes}
    lines = [",".join(columns), *(",".join(row) for row in zip(*columns.values(), strict=True))]
    (tmp_path / "rows.csv").write_text("\n".join(lines))
    out = tmp_path / "birds.store"
    import_embeddings(
        [tmp_path / "X.npy"],
        tmp_path / "rows.csv",
        label_column="label",
        attribute_columns=["place"],
        out=out,
    )
    return out


def timeless(value: Any) -> Any:
    """Drop what may differ between equal runs: seconds and the command."""
    if isinstance(value, dict):
        return {k: timeless(v) for k, v in value.items() if k not in ("fit_seconds", "command")}
    return [timeless(item) for item in value] if isinstance(value, list) else value


def read(folder: Path) -> Any:
    return timeless(json.loads((folder / "results.json").read_text(encoding="utf-8")))


def command(store: Path, out: Path, *more: object) -> list[str]:
    options = ("--methods", ",".join(METHODS), "--seeds", 4, "--out", out, *more)
    # A busy machine may take long to clean up.
    code = "from evenhand.cli import ending, main; ending.PATIENCE = 300; main()"
    return [sys.executable, "-c", code, "compare", str(store), *map(str, options)]


def children(pid: int) -> list[Path]:
    """Return the directories in /proc of a process's children."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()
    return [Path("/proc") / number for number in found]


def ended(process: Path) -> bool:
    try:
        return (process / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def wait_for(condition: Callable[[], bool], seconds: float = 300) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_an_interrupted_comparison_leaves_whole_units_and_no_process(
    store: Path, tmp_path: Path, how: signal.Signals
) -> None:
    out, units = tmp_path / "cut", tmp_path / "cut" / "units"
    # A shell starts what it runs in the background with SIGINT ignored; this process shall see it either way.
    process = subprocess.Popen(
        command(store, out, "--jobs", 2),
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    wait_for(lambda: len(list(units.glob("*.json"))) >= 2 or process.poll() is not None)
    workers = children(process.pid)
    os.kill(process.pid, how)
    _, said = process.communicate(timeout=300)
    assert len(workers) >= 2
    wait_for(lambda: all(map(ended, workers)))
    assert not (out / "results.json").exists()
    whole = {path: path.stat().st_mtime_ns for path in units.iterdir() if not path.name.startswith(".")}
    assert 4 + 2 <= len(whole) < 4 + 12
    if how == signal.SIGINT:
        assert (process.returncode, said) == (130, "error: interrupted\n")
        assert len(whole) == len(list(units.iterdir())), "a temporary file is left"
        return
    # What two processes had done, and what one does now, is what one process does alone.
    table = load_store(store)
    compare(table, methods=METHODS, seeds=range(4), out=out)
    assert all(path.stat().st_mtime_ns == then for path, then in whole.items())
    fresh = compare(table, methods=METHODS, seeds=range(4))
    assert read(out) == timeless(fresh.model_dump(mode="json", by_alias=True))


def test_processes_give_what_one_process_gives(table: FeatureTable) -> None:
    alone = compare(table, methods=["erm", "linear_probe"], seeds=[0, 1])
    together = compare(table, methods=["erm", "linear_probe"], seeds=[0, 1], jobs=2)
    assert timeless(together.model_dump(mode="json")) == timeless(alone.model_dump(mode="json"))


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """The units that are worked on, in order."""
    worked: list[tuple[str, int]] = []

    def run(table: FeatureTable, task: Any) -> Any:
        worked.append((task.method, task.seed))
        return run_job(table, task)

    run_job = module.run_job
    monkeypatch.setattr(module, "run_job", run)
    return worked


def test_units_of_another_store_or_setting_are_not_mixed_in(
    table: FeatureTable, tmp_path: Path, counted: list[tuple[str, int]]
) -> None:
    both = [("zero_shot", 0), ("erm", 0)]

    def again(of: FeatureTable = table, **more: Any) -> list[tuple[str, int]]:
        counted.clear()
        compare(of, methods=["zero_shot", "erm"], seeds=[0], out=tmp_path / "out", **more)
        return counted

    assert again() == both
    assert again() == []
    assert again(selection="worst_class") == both
    assert again(selection="worst_class") == []
    turned = replace(table, y=1 - table.y)
    assert again(turned) == both
    moved = replace(table, parts=[table.parts[0] + 1, table.parts[1]])
    assert again(moved) == both
    assert again(moved, group_by="place", oracles=True) == []


def test_more_seeds_and_methods_add_to_what_is_there(
    table: FeatureTable, tmp_path: Path, counted: list[tuple[str, int]]
) -> None:
    compare(table, methods=["erm"], seeds=[0], out=tmp_path / "out")
    counted.clear()
    compare(table, methods=["erm", "zero_shot"], seeds=[0, 1], out=tmp_path / "out")
    assert sorted(counted) == [("erm", 1), ("zero_shot", 1)]


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b'{"key": "', b"\xff", b"PK\x03\x04"])
def test_damaged_units_are_worked_on_again(
    table: FeatureTable, tmp_path: Path, counted: list[tuple[str, int]], content: bytes
) -> None:
    first = compare(table, methods=["erm"], seeds=[0], out=tmp_path / "out")
    for path in (tmp_path / "out" / "units").iterdir():
        path.write_bytes(content)
    counted.clear()
    second = compare(table, methods=["erm"], seeds=[0], out=tmp_path / "out")
    assert counted == [("zero_shot", 0), ("erm", 0)]
    assert timeless(first.model_dump(mode="json")) == timeless(second.model_dump(mode="json"))


def test_the_content_of_a_store_is_its_name(table: FeatureTable, store: Path) -> None:
    stored = load_store(store)
    changed = [
        replace(stored, split=np.where(stored.split == "test", "validation", stored.split)),
        replace(stored, attributes={"sea": stored.attributes["place"]}),
        replace(stored, head=replace(stored.head, weight=2 * stored.head.weight)),
        replace(stored, source=None),
        table,
    ]
    found = [fingerprint(one) for one in [stored, *changed]]
    assert len(set(found)) == len(found)
    assert fingerprint(load_store(store)) == found[0]
    assert key_of(a=1, b=(2,)) == key_of(b=(2,), a=1) != key_of(a=1, b=(3,))


def test_one_comparison_at_a_time_writes_a_folder(table: FeatureTable, tmp_path: Path) -> None:
    with JobCache(tmp_path), pytest.raises(EvenhandError, match="is being written by another process"):
        compare(table, methods=["erm"], out=tmp_path)
    FolderLock(tmp_path).release()


def test_a_worker_that_ends_early_is_told(table: FeatureTable) -> None:
    with Workers(table, 2) as workers:
        assert workers._pool is not None
        workers._pool.submit(os._exit, 1).exception()
        with pytest.raises(EvenhandError, match="a worker process ended before its work was done"):
            next(workers.run(module.run_job, [None]))  # type: ignore[list-item]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="blocked signals are read from /proc")
def test_a_closing_terminal_spares_the_tracker_of_what_is_shared(table: FeatureTable) -> None:
    """Python shields it from SIGINT alone, and warns on the screen when it is gone."""
    resource_tracker._resource_tracker._stop()  # type: ignore[attr-defined]  # an earlier test's
    with Workers(table, 2):
        status = Path(f"/proc/{resource_tracker._resource_tracker._pid}/status").read_text()  # type: ignore[attr-defined]
    blocked = next(line.split()[1] for line in status.splitlines() if line.startswith("SigBlk"))
    assert int(blocked, 16) >> (signal.SIGHUP - 1) & 1
