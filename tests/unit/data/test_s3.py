"""Images in a real S3 server, read as a user reads them: signed, anonymous, missing, throttled.

Clients run in processes of their own: Amazon's library keeps threads, which a test that forks must not have.
"""

import io
import os
import re
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.small_s3 import SmallS3, small_s3

from evenhand import load_store
from evenhand.data.store import read_skipped

NAMES = [f"{'train' if k < 6 else 'test'}/{'ab'[k % 2]}/{k}.png" for k in range(8)]
FOREVER = 1e9


def png(seed: int) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (20, 30, 3), dtype=np.uint8)).save(
        stream, "PNG"
    )
    return stream.getvalue()


PHOTOS = {name: png(k) for k, name in enumerate(NAMES)}


def shard(split: str) -> bytes:
    """Return the images of a split as a tar of WebDataset's."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as packed:
        for name, content in PHOTOS.items():
            of, label, file = name.split("/")
            for end, data in (("png", content), ("cls", label.encode())) if of == split else ():
                member = tarfile.TarInfo(f"{Path(file).stem}.{end}")
                member.size = len(data)
                packed.addfile(member, io.BytesIO(data))
    return stream.getvalue()


@pytest.fixture(scope="module")
def s3() -> Iterator[SmallS3]:
    with small_s3() as server:
        server.put("photos", {f"set/{name}": content for name, content in PHOTOS.items()})
        server.put("shards", {f"{split}-0.tar": shard(split) for split in ("train", "test")}, public=False)
        server.put("private", {"rows.csv": b"file_name,label\n"}, public=False)
        server.put("late", {f"{'ab'[k % 2]}/{k}.png": png(k) for k in range(8)})
        # The first requests are told to wait, those for the last two without an end.
        server.busy = {"/photos/set": 2, "/shards/test": 2, "/closed": FOREVER, "/late/b/7": FOREVER}
        yield server


EMBED = """
import sys
from evenhand import cli
for line in sys.stdin.read().splitlines():
    sys.argv = ["evenhand", "embed", "--model", "tiny", *line.split()]
    cli.run()
    print("--", file=sys.stderr)
"""
READ = """
import sys
from pathlib import Path
from evenhand import EvenhandError, Manifest
from evenhand.data.images.decode import read_image
for line in sys.stdin.read().splitlines():
    try:
        for path in Manifest.read(line.split()[0]).paths:
            read_image(Path(path))
    except EvenhandError as error:
        print("error:", error, file=sys.stderr)
    print("--", file=sys.stderr)
"""


def start(s3: SmallS3, script: str, lines: list[str], keys: dict[str, str]) -> subprocess.Popen[str]:
    """Start a client; of the credentials that this machine may have it sees none."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    none = dict.fromkeys(("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"), os.devnull)
    started = subprocess.Popen(
        [sys.executable, "-c", script],
        env={**clean, **none, "AWS_EC2_METADATA_DISABLED": "true", "AWS_ENDPOINT_URL": s3.url, **keys},
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert started.stdin is not None
    started.stdin.write("\n".join(lines))
    started.stdin.close()
    started.stdin = None
    return started


WAITS = "run the same command again when it answers"
DENIED = ".*ACCESS_DENIED.*; check the permissions"
SIGNED = {
    "here": ("HERE/set", ""),
    "folder": ("s3://photos/set", ""),
    "table": ("HERE/rows.csv", ""),
    "shards": ("s3://shards", ""),
    "missing key": ("s3://photos/gone", "error: s3://photos/gone does not exist; give a folder of images"),
    "missing bucket": ("s3://nowhere", "error: s3://nowhere does not exist; give a folder of images"),
    "busy": ("s3://photos/closed", rf"error: cannot list s3://photos/closed: .*503.*[^.]; {WAITS}"),
}
WRONG = {"wrong key": ("s3://photos/set", rf"error: cannot list s3://photos/set: {DENIED}")}
UNSIGNED = {
    "private": ("s3://private/rows.csv", rf"error: cannot list s3://private/rows\.csv: {DENIED}"),
    "public": ("s3://photos/set", ""),
    "busy later": (
        "s3://late",
        r"error: cannot read s3://late/b/7\.png: .*; run the same command again to resume",
    ),
}


@dataclass(frozen=True)
class Ended:
    """The folder of the stores, what each command told as an error, and how the requests were signed."""

    folder: Path
    said: dict[str, str]
    asked: list[tuple[str, bool]]


@pytest.fixture(scope="module")
def ended(s3: SmallS3, tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """All commands at once, since a client waits some seconds for a busy server."""
    folder = tmp_path_factory.mktemp("s3")
    rows = "".join(f"s3://photos/set/{name},{name.split('/')[1]},{name.split('/')[0]}\n" for name in NAMES)
    (folder / "rows.csv").write_text(f"file_name,label,split\n{rows}s3://photos/set/gone.png,a,train\n")
    for name, content in PHOTOS.items():
        (folder / "set" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "set" / name).write_bytes(content)
    s3.asked.clear()
    wrong = {**s3.keys, "AWS_SECRET_ACCESS_KEY": "wrong"}
    started = []
    for script, wanted, keys in ((EMBED, SIGNED, s3.keys), (READ, WRONG, wrong), (READ, UNSIGNED, {})):
        sources = {name: source.replace("HERE", str(folder)) for name, (source, _) in wanted.items()}
        lines = [f"{source} --out {folder / name.replace(' ', '-')}" for name, source in sources.items()]
        started.append((wanted, start(s3, script, lines, keys)))
    said = {}
    for wanted, process in started:
        _, told = process.communicate()
        said |= dict(zip(wanted, told.split("--\n"), strict=False))
    return Ended(folder, said, list(s3.asked))


@pytest.mark.parametrize(
    ("name", "told"),
    [(name, told) for name, (_, told) in {**SIGNED, **WRONG, **UNSIGNED}.items()],
)
def test_a_failure_is_one_sentence_and_the_rest_has_none(ended: Ended, name: str, told: str) -> None:
    errors = [line for line in ended.said[name].splitlines() if line.startswith("error")]
    assert len(errors) == (1 if told else 0), ended.said[name]
    assert not told or re.search(told, errors[0])


@pytest.mark.parametrize("name", ["folder", "table", "shards"])
def test_features_are_those_of_files_here(ended: Ended, name: str) -> None:
    there, local = load_store(ended.folder / name), load_store(ended.folder / "here")
    order = np.argsort([Path(row).stem for row in there.ids])
    rows = np.argsort([Path(row).stem for row in local.ids])
    assert np.array_equal(there.features(order), local.features(rows))
    assert np.array_equal(there.labels(order), local.labels(rows))
    assert np.array_equal(there.split[order], local.split[rows])


def test_a_missing_object_of_a_table_is_listed(ended: Ended) -> None:
    assert read_skipped(ended.folder / "table").to_pylist() == [
        {
            "id": "s3://photos/set/gone.png",
            "path": "s3://photos/set/gone.png",
            "reason": "file not found",
        }
    ]


def test_who_has_keys_signs_and_who_has_none_does_not(ended: Ended) -> None:
    signed = dict(ended.asked)
    assert signed["/shards/train-0.tar"]
    assert not signed["/late/a/0.png"]
