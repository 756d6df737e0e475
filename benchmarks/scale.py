"""What an image, a row and a batch cost here, and what 10⁸ and 10⁹ images would take by those costs.

    python benchmarks/scale.py --out out/bench/scale.json
    python benchmarks/scale.py --only images driver --gpu-rate 2500 --network 25

Costs are measured on this machine, processor time of one core. What it has not, GPUs, a network and an object
store, comes from options, and the table says "assumed" of it.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from _features import draw
from _fits import cfr
from _models import random_backbone
from _photos import photo
from _timing import Row, Spread, report
from PIL import Image

from evenhand import Head, load_tiny
from evenhand.data import Manifest
from evenhand.data.images.decode import read_image
from evenhand.data.images.thumbnail import thumbnail_of
from evenhand.data.store_write import StoreWriter
from evenhand.extract.loading import REMOTE_READERS, Consecutive
from evenhand.extract.ray_engine import LazyBlocks, connected
from evenhand.extract.ray_pool import Pool
from evenhand.extract.trunk import Embedded

ROUNDS = 3
LONG_ENOUGH = 0.3
"""Seconds of a round, at least."""
PHOTO = (640, 480)
WIDTH = 1024
"""D_in of the rows that the driver writes: ViT-L/14."""
BATCH = 64
DECODING = ("decode", "resize", "thumbnail")
"""What the workers' cores do to every image."""


@dataclass(frozen=True)
class Assumed:
    """What this machine cannot measure.

    Attributes
    ----------
    gpu_rate : float
        Images/s of one GPU.
    gpus, cores : int
        GPUs of a machine, and cores of each.
    network : float
        Gbit/s of a machine.
    image_bytes : float
        Of a JPEG in the object store.
    request : float
        Seconds that a request to it waits.
    """

    gpu_rate: float = 1000
    gpus: int = 8
    cores: int = 8
    network: float = 10
    image_bytes: float = 100e3
    request: float = 0.03


def images() -> dict[str, Row]:
    """Milliseconds of a core for each step of a photograph."""
    content = photo(PHOTO)
    vit, tiny = random_backbone("ViT-B-32"), load_tiny()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "photo.jpg"
        path.write_bytes(content)
        image = read_image(path)
        large, small = (torch.stack([b.preprocess(image)] * 16) for b in (vit, tiny))
        steps: dict[str, tuple[Callable[[], object], int]] = {
            "decode": (lambda: read_image(path), 1),
            "resize": (lambda: vit.preprocess(image), 1),
            "thumbnail": (lambda: thumbnail_of(image), 1),
            "trunk, ViT-B/32": (lambda: vit.trunk(large), 16),
            "trunk, embedded model": (lambda: tiny.trunk(small), 16),
        }
        details = {"pixels": PHOTO, "bytes": len(content)}
        return {
            name: Row(f"{name}: ms an image", _cost(work, 1e3 / images), details=details)
            for name, (work, images) in steps.items()
        }


def driver() -> dict[str, Row]:
    """What a row costs the driver: to list, to write, to hash, to keep."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((4096, WIDTH), dtype=np.float32).astype(np.float16)
    # As many bytes as a thumbnail has, and as little to compress.
    length = len(thumbnail_of(Image.open(io.BytesIO(photo(PHOTO)))))
    small = [rng.bytes(length) for _ in range(len(X))]
    head = Head(np.eye(WIDTH, 2, dtype=np.float32), None, ("a", "b"), np.eye(2, dtype=np.float32))
    names = np.asarray([f"photographs/2026/shard-{k % 100:05d}/image-{k:09d}.jpg" for k in range(len(X))])
    columns = {"id": names, "path": names, "label": np.full(len(X), "a"), "split": np.full(len(X), "train")}
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "s.store"
        identity: dict[str, Any] = {"family": "import"}
        with StoreWriter(store, identity=identity, head=head, width=WIDTH, dtype="float16") as writer:
            written = _cost(lambda: writer.write_part(X, columns, thumbnails=small), 1e6 / len(X))
            parts = writer.parts_done
            writer.finish()
        size = sum(file.stat().st_size for file in store.rglob("*") if file.is_file())
        table = Path(folder) / "rows.csv"
        lines = (f"s3://bucket/{name},{'ab'[k % 2]},train" for k, name in enumerate(names))
        table.write_text("\n".join(["file_name,label,split", *lines]) + "\n", encoding="utf-8")
        listed = _cost(lambda: Manifest.read(table), 1e6 / len(names))
        tracemalloc.start()
        manifest = Manifest.read(table)
        kept, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    block = bytes(1 << 24)
    return {
        "write": Row(f"write and hash a row of {WIDTH} float16 and a thumbnail: µs", written),
        "hash": Row("SHA-256: ms a MiB", _cost(lambda: hashlib.sha256(block), 1e3 / 16)),
        "store": Row("that row in the store: bytes", _one(size / (parts * len(X)))),
        "list": Row(f"list a row of CSV with addresses of {len(names[0]) + 12} characters: µs", listed),
        "kept": Row("that row in memory: bytes", _one(kept / len(manifest))),
        "peak": Row("that row in memory at the peak: bytes", _one(peak / len(manifest))),
    }


class Nothing:
    """An actor that computes nothing: what is left is what Ray and the pool cost."""

    def ready(self) -> None:
        """Be there."""

    def take(self, block: Any) -> list[Embedded]:
        """Return batches as large as those of ViT-L/14 with thumbnails."""
        return [
            Embedded(np.zeros((len(rows), WIDTH), np.float16), list(rows), [bytes(1700)] * len(rows), [])
            for rows in block.batches
        ]


def cluster() -> dict[str, Row]:
    """Milliseconds that a batch takes on its way to an actor of this machine and back."""
    batches = 300
    blocks = LazyBlocks(
        ["photographs/image.jpg"] * (BATCH * batches), Consecutive(0, BATCH * batches, BATCH), 1
    )
    with connected(None) as ray:
        results = Pool(blocks, lambda: ray.remote(Nothing).remote(), lambda: 1).results()
        next(results)  # the actor starts
        begun = time.perf_counter()
        for _ in results:
            pass
        each = (time.perf_counter() - begun) / (batches - 1)
    return {"ray": Row(f"Ray: ms a batch of {BATCH}, by the wall", _one(1e3 * each))}


def fit() -> dict[str, Row]:
    """Milliseconds of a core that CFR takes for a row and an epoch."""
    found = {}
    for n, width, epochs in ((4795, WIDTH, 10), (20_000, 256, 1)):
        data = draw(n, width, 768 if width == WIDTH else width)
        held = draw(500, width, 768 if width == WIDTH else width, seed=1)
        fitted = cfr(data.head, epochs)
        fitting = partial(fitted.fit, data.X, data.y, validation=(held.X, held.y))
        cost = _cost(fitting, 1e3 / (n * epochs))
        found[f"fit {width}"] = Row(f"CFR, {n:,} rows of {width}: ms a row and an epoch", cost)
    return found


def takes(n: int, machines: int, measured: Mapping[str, Row], assumed: Assumed) -> list[Row]:
    """Return what n images take on so many machines, by the costs of one.

    Hours but for the store, terabytes, and the list, gigabytes.
    """
    cost = {name: row.value.median for name, row in measured.items()}
    gpus, cores = machines * assumed.gpus, machines * assumed.gpus * assumed.cores
    readers = REMOTE_READERS * gpus
    bits = 8e-9 * assumed.image_bytes
    seconds = {
        f"trunk, {gpus} GPUs at {assumed.gpu_rate:g}/s (assumed)": 1 / (gpus * assumed.gpu_rate),
        f"decoding, {cores} cores": 1e-3 * sum(cost[step] for step in DECODING) / cores,
        f"fetching at {assumed.network:g} Gbit/s a machine (assumed)": bits / (assumed.network * machines),
        f"requests, {readers} readers that wait {assumed.request:g} s (assumed)": assumed.request / readers,
        "driver": 1e-6 * cost["write"],
        "listing": 1e-6 * cost["list"],
        "an epoch of the fit, one core": 1e-3 * cost[f"fit {WIDTH}"],
    }
    title = f"{n:.0e} images".replace("e+0", "e")
    return [
        *(Row(f"{title}: {name}: hours", _one(n * each / 3600)) for name, each in seconds.items()),
        Row(f"{title}: the store: TB", _one(n * cost["store"] / 1e12)),
        Row(f"{title}: the list in memory at the peak: GB", _one(n * cost["peak"] / 1e9)),
    ]


def _cost(work: Callable[[], object], factor: float) -> Spread:
    """Return processor seconds of `work` over rounds, times `factor`; short work is done again and again."""
    found = []
    for _ in range(ROUNDS):
        begun, times = time.process_time(), 0
        while not times or time.process_time() - begun < LONG_ENOUGH:
            work()
            times += 1
        found.append(factor * (time.process_time() - begun) / times)
    return Spread.of(found)


def _one(value: float) -> Spread:
    return Spread.of([value])


PARTS: dict[str, Callable[[], dict[str, Row]]] = {
    part.__name__: part for part in (images, driver, cluster, fit)
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    for name, usual in vars(Assumed()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(usual), default=usual)
    parser.add_argument("--out", type=Path)
    given = vars(parser.parse_args())
    torch.set_num_threads(1)
    only, out = given.pop("only"), given.pop("out")
    assumed = Assumed(**given)
    measured = {name: row for part in only for name, row in PARTS[part]().items()}
    rows = list(measured.values())
    if {"images", "driver", "fit"} <= set(only):
        for n, machines in ((10**8, 1), (10**9, 1), (10**9, 8)):
            rows += takes(n, machines, measured, assumed)
    report("Scale", rows, out)


if __name__ == "__main__":
    main()
