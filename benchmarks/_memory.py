"""One fit or one prediction in a process of its own, and the anonymous memory that it took.

    python benchmarks/_memory.py fit STORE METHOD stream|hold
    python benchmarks/_memory.py predict RUN FOLDER

Prints JSON. Anonymous memory is what a process must keep; pages of mapped files the system takes back as it
needs them. Linux only: elsewhere no file tells the two apart.
"""

from __future__ import annotations

import json
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any


def anonymous() -> int:
    """Return the anonymous bytes of this process."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("RssAnon:"):
            return 1024 * int(line.split()[1])
    raise RuntimeError("/proc/self/status has no RssAnon; measure on Linux")


def watched(work: Callable[[], Any]) -> dict[str, float]:
    """Return anonymous bytes before, at the peak and after `work`, and its seconds."""
    before, peak, done = anonymous(), [0], threading.Event()

    def watch() -> None:
        while not done.wait(0.01):
            peak[0] = max(peak[0], anonymous())

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    start = time.perf_counter()
    work()
    seconds = time.perf_counter() - start
    after = anonymous()
    done.set()
    watcher.join()
    return {"before": before, "peak": max(peak[0], before, after), "after": after, "seconds": seconds}


def fit(store: str, method: str, how: str) -> dict[str, Any]:
    """Fit a method on a store; reading the table and the fit itself are measured apart.

    One epoch of each stage: their number changes the seconds, not the memory.
    """
    from evenhand import load_store
    from evenhand.methods import STABLE
    from evenhand.methods._training.train_erm import ERM_SGD
    from evenhand.runs.fit import FitOptions, fit_row

    once = replace(ERM_SGD, epochs=1)
    params: dict[str, dict[str, Any]] = {
        "erm": {"epochs": 1},
        "cfr": {"erm": once, "recipes": replace(STABLE, sgd=replace(STABLE.sgd, epochs=1)), "folds": 2},
    }
    tables: list[Any] = []
    read = watched(lambda: tables.append(load_store(store, verify=False)))
    options = FitOptions(params=params[method], stream=how == "stream")
    found = watched(lambda: fit_row(tables[0], method, 0, options))
    return {"read": read, "fit": found, "rows": len(tables[0])}


def predict(run: str, folder: str) -> dict[str, Any]:
    """Predict a folder of images; what is held is looked at between batches."""
    from evenhand.runs.predict import predict

    held = [0]

    def look(stage: str, done: int, total: int) -> None:  # noqa: ARG001
        held[0] = max(held[0], anonymous())

    with tempfile.TemporaryDirectory() as made:
        out = Path(made) / "p.csv"
        found = watched(lambda: predict(run, folder, out=out, progress=look))
    return {"predict": {**found, "held": held[0]}}


if __name__ == "__main__":
    import torch

    torch.set_num_threads(1)
    measures: dict[str, Callable[..., dict[str, Any]]] = {"fit": fit, "predict": predict}
    print(json.dumps(measures[sys.argv[1]](*sys.argv[2:])))
