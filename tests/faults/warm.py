"""A warm process: it imports everything once, then forks a child for every command that it is told.

Orders come as lines of JSON on stdin, what became of each goes to stdout. A forked child starts at once where
a new interpreter would import for seconds; torch has one thread and has computed nothing before the fork.
"""

import ctypes
import json
import os
import pkgutil
import re
import resource
import signal
import sys
import time
import traceback
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

LONGEST = 120
"""Seconds after which a child is ended in any case."""
_WRITES = {"os.rename", "os.mkdir", "os.remove", "os.rmdir"}
_CAPABILITIES = 0x20080522
"""Version 3 of the kernel's structure."""


def prepare() -> None:
    """Import what commands import when they run, and stop the clocks that results tell."""
    import torch

    import evenhand

    torch.set_num_threads(1)
    for module in pkgutil.walk_packages(evenhand.__path__, "evenhand."):
        import_module(module.name)
    for name in ("runs.fit", "comparison.job"):
        import_module(f"evenhand.{name}").time = SimpleNamespace(perf_counter=float)  # type: ignore[attr-defined]
    # A busy machine may take long to clean up; what is tested is that it does.
    import_module("evenhand.cli.ending").PATIENCE = LONGEST  # type: ignore[attr-defined]
    # Small parts, so that a kill finds some done.
    import_module("evenhand.extract.embed_images").embed.__kwdefaults__["part_rows"] = 8


def serve(order: dict[str, Any]) -> list[dict[str, Any]]:
    """Fork a child for each command of an order; return exit codes, negative for a signal, and seconds."""
    start = time.monotonic()
    if order["stop_at"] is not None:
        return stop_and_go(order, start, start + LONGEST)
    processes = [begin(order, number) for number in range(len(order["commands"]))]
    if order["signal"] != signal.SIGKILL:
        start = listens(processes[0], start + LONGEST)
    end = start + (LONGEST if order["kill_after"] is None else order["kill_after"])
    return [wait(process, start, end, order["signal"]) for process in processes]


def listens(process: int, end: float) -> float:
    """Wait until a child catches SIGTERM, or is over; return when. Before that the system ends it."""
    while os.waitid(os.P_PID, process, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None:
        caught = re.search(r"^SigCgt:\s*(\w+)", Path(f"/proc/{process}/status").read_text(), re.MULTILINE)
        if time.monotonic() > end or (caught and int(caught[1], 16) >> (signal.SIGTERM - 1) & 1):
            break
        time.sleep(0.001)
    return time.monotonic()


def stop_and_go(order: dict[str, Any], start: float, end: float) -> list[dict[str, Any]]:
    """Run the second of two commands, start to end, while the first stands still."""
    first = begin(order, 0)
    os.waitid(os.P_PID, first, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
    second = wait(begin(order, 1), start, end)
    os.kill(first, signal.SIGCONT)
    return [wait(first, start, end), second]


def begin(order: dict[str, Any], number: int) -> int:
    """Fork a child for one command and return its number."""
    process = os.fork()
    if process == 0:
        obey(order, order["commands"][number], Path(order["said"]) / str(number))
    return process


def wait(process: int, start: float, end: float, number: int = signal.SIGKILL) -> dict[str, Any]:
    """Wait for a child, and send it a signal when its time is over."""
    while os.waitid(os.P_PID, process, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None:
        if time.monotonic() > end:
            end_by(process, number)
            break
        time.sleep(0.001)
    _, status = os.waitpid(process, 0)
    code = os.waitstatus_to_exitcode(status)
    return {"code": code, "seconds": time.monotonic() - start, "process": process}


def end_by(process: int, number: int) -> None:
    """Send a child the signal; what a terminal sends goes to its own children, too."""
    if number in (signal.SIGINT, signal.SIGHUP):
        os.killpg(process, number)
    else:
        os.kill(process, number)


def obey(order: dict[str, Any], arguments: list[str], said: Path) -> None:
    """Run one command of evenhand in this process, which ends with it."""
    code = 70
    try:
        os.setsid()  # what it leaves behind can be told by its session
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it
        said.mkdir(exist_ok=True)
        for number, name in ((1, "stdout"), (2, "stderr")):
            os.dup2(os.open(said / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        os.chdir(order["folder"])
        stop_at = order["stop_at"] if said.name == "0" else None
        count = watch(Path(order["folder"]).resolve(), order["kill_at"], stop_at)
        if order["file_size"] is not None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (order["file_size"], resource.RLIM_INFINITY))
        if order["powerless"]:
            drop_capabilities()
        sys.argv = ["evenhand", *arguments]
        from evenhand.cli import run

        code = run()
        (said / "writes").write_text(str(count[0]))
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def watch(folder: Path, kill_at: int | None, stop_at: int | None) -> list[int]:
    """Count changes of this process to files below a folder; before these it is killed or stands still."""
    count = [0]

    def seen(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            if not flags & (os.O_WRONLY | os.O_RDWR):
                return
        elif event in _WRITES:
            path = arguments[0]
        else:
            return
        if isinstance(path, int) or folder not in (folder / os.fsdecode(path)).parents:
            return
        count[0] += 1
        if count[0] in (kill_at, stop_at):
            os.kill(os.getpid(), signal.SIGKILL if count[0] == kill_at else signal.SIGSTOP)

    sys.addaudithook(seen)
    return count


def drop_capabilities() -> None:
    """Give up what lets root write where permissions forbid it."""
    header, none = (ctypes.c_uint32 * 2)(_CAPABILITIES, 0), (ctypes.c_uint32 * 6)()
    if ctypes.CDLL(None, use_errno=True).capset(header, none):
        raise OSError(ctypes.get_errno(), "capset")


if __name__ == "__main__":
    prepare()
    sys.stdout.write("warm\n")
    sys.stdout.flush()
    for line in sys.stdin:
        sys.stdout.write(json.dumps(serve(json.loads(line))) + "\n")
        sys.stdout.flush()
