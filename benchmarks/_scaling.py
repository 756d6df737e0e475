"""One CFR fit on N rows in a process of its own, whose peak memory is then its own: prints a line of JSON."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from _features import draw
from _fits import cfr


def main(n: int, d_in: int, epochs: int) -> None:
    validation = draw(2000, d_in, d_in, seed=1)
    # A first fit pays for what torch imports at its first step.
    cfr(validation.head, 1).fit(validation.X, validation.y, validation=(validation.X, validation.y))
    features = draw(n, d_in, d_in)
    before = _peak()
    start = time.perf_counter(), time.process_time()
    cfr(features.head, epochs).fit(features.X, features.y, validation=(validation.X, validation.y))
    found = {
        "rows": n,
        "wall": time.perf_counter() - start[0],
        "cpu": time.process_time() - start[1],
        "features_bytes": features.X.nbytes,
        "peak_before_bytes": before,
        "peak_bytes": _peak(),
    }
    print(json.dumps(found))


def _peak() -> int:
    """Return the largest resident bytes of this process; `getrusage` would start from its parent's. Linux."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return 1024 * int(next(line.split()[1] for line in lines if line.startswith("VmHWM:")))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
