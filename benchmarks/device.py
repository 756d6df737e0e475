"""How long fits take on a device, against the bare matrix products in them on the same device.

    python benchmarks/device.py --device cuda --out out/bench/device.json
    python benchmarks/device.py --device cpu --rows 20000

The products are recorded in a fit by torch on the CPU, forward and backward, and repeated on the device.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from _features import Features, draw
from _fits import cfr
from _matmuls import operations, record, replay
from _timing import Row, Spread, report, side_by_side

from evenhand import Auto
from evenhand.methods._training.train_erm import ERM_SGD

BY_TORCH = "cpu:0"
"""The CPU, but with torch's products in place of NumPy's."""
EPOCHS = 10


def fits(train: Features) -> dict[str, Callable[[str], object]]:
    """Return the fits by name, as functions of the device."""
    few = replace(ERM_SGD, epochs=2)
    held = train.X[: len(train.X) // 5], train.y[: len(train.y) // 5]

    def by_sgd(device: str) -> object:
        method = cfr(train.head, EPOCHS).set_params(erm=few)
        return method.fit(train.X, train.y, validation=held, device=device)

    def by_default(device: str) -> object:
        return Auto(train.head, random_state=0).fit(train.X, train.y, device=device)

    return {f"CFR, {EPOCHS} epochs": by_sgd, "auto": by_default}


def measure(name: str, fit: Callable[[str], object], device: str, rounds: int) -> list[Row]:
    """Return the ratio of a fit to its products, and the seconds of either."""
    recorded = record(lambda: fit(BY_TORCH))
    sides = {"fit": lambda: fit(device), "products": replay(recorded, device)}
    sides["fit"]()  # a first fit pays for what the device sets up
    seconds = side_by_side(sides, rounds)
    ratio = seconds.ratio("fit", "products")
    details = {"device": device, "operations": operations(recorded), "products": len(recorded.calls)}
    return [
        Row(
            f"{name}: fit / its bare matrix products on {device}",
            ratio,
            "≤ 1.5",
            ratio.median <= 1.5,
            details,
        ),
        *(Row(f"{name}: seconds of the {side}", Spread.of(seconds.wall[side])) for side in sides),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--rows", type=int, default=4795)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    train = draw(given.rows, 1024, 768)
    rows = [
        row for name, fit in fits(train).items() for row in measure(name, fit, given.device, given.rounds)
    ]
    report(f"Fits of {given.rows:,} rows, 1,024 → 768", rows, given.out)


if __name__ == "__main__":
    main()
