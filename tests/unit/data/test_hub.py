"""Data sets of the Hub, read by the real client from a server on loopback."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from tests.small_hub import SmallHub, small_hub, turn_to

from evenhand import EvenhandError, Manifest
from evenhand.data import files
from evenhand.data.images.decode import read_image
from evenhand.data.places import is_there
from evenhand.data.sources.resolve import resolve


def png(seed: int) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (6, 9, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def parquet(rows: int, seed: int = 0, **features: Any) -> bytes:
    """Return rows as the Hub has them: what is image and what is class stands in the schema."""
    known = {
        "view": {"_type": "Image"},
        "species": {"_type": "ClassLabel", "names": ["cat", "dog"]},
        "place": {"_type": "Value", "dtype": "string"},
        **features,
    }
    columns = {
        "mask": [b"no image"] * rows,
        "view": [{"bytes": png(seed + k), "path": None} for k in range(rows)],
        "species": [k % 2 for k in range(rows)],
        "place": [("in", "out", "out")[k % 3] for k in range(rows)],
        **{name: [0] * rows for name in features},
    }
    about = json.dumps({"info": {"features": known}})
    stream = io.BytesIO()
    pq.write_table(
        pa.table(columns).replace_schema_metadata({"huggingface": about}), stream, row_group_size=4
    )
    return stream.getvalue()


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallHub]:
    with small_hub() as server:
        turn_to(server.url, monkeypatch)
        files._hub.cache_clear()
        files._info.cache_clear()
        yield server
    files._hub.cache_clear()
    files._info.cache_clear()


def own(rows: int = 30) -> dict[str, bytes]:
    return {
        "README.md": b"about birds",
        "data/train-00000-of-00001.parquet": parquet(rows),
        "data/test-00000-of-00001.parquet": parquet(12, seed=100),
    }


def test_columns_and_splits_are_those_of_the_data_set(hub: SmallHub) -> None:
    hub.datasets["org/birds"] = {"main": own()}
    manifest = Manifest.read("hf://datasets/org/birds")
    assert manifest.classes == ("cat", "dog")
    assert manifest.split.tolist() == ["test"] * 12 + ["train"] * 30
    assert manifest.y.tolist() == [k % 2 for k in [*range(12), *range(30)]]
    assert list(manifest.attributes) == ["place"]
    assert manifest.ids[12] == "data/train-00000-of-00001.parquet/0"
    assert manifest.paths[12] == "hf://datasets/org/birds/data/train-00000-of-00001.parquet/0"
    expected = np.asarray(Image.open(io.BytesIO(png(7))))
    assert np.array_equal(np.asarray(read_image(Path(manifest.paths[19]))), expected)
    assert is_there(Path(manifest.paths[19]))
    assert manifest.notes == ()


def test_only_ranges_of_the_files_are_asked_for(hub: SmallHub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.datasets["org/birds"] = {"main": {"data/train.parquet": parquet(400)}}
    manifest = Manifest.read("hf://datasets/org/birds")
    read_image(Path(manifest.paths[0]))
    assert len(manifest.y) == 400
    assert not any("README" in one for one in hub.asked)
    assert all(one.startswith("GET ") for one in hub.asked)


def test_the_export_of_the_hub_stands_in_for_other_formats(hub: SmallHub) -> None:
    hub.datasets["org/birds"] = {
        "main": {"README.md": b"", "all.zip": b"PK"},
        "refs/convert/parquet": {
            "default/train/0000.parquet": parquet(30),
            "default/test/0000.parquet": parquet(12, seed=100),
        },
    }
    manifest = Manifest.read("hf://datasets/org/birds")
    assert sorted(manifest.split.tolist()) == ["test"] * 12 + ["train"] * 30
    assert manifest.paths[0] == ("hf://datasets/org/birds@refs/convert/parquet/default/test/0000.parquet/0")
    assert read_image(Path(manifest.paths[0])).size == (9, 6)
    assert manifest.notes == ()


def test_a_table_that_describes_image_files_is_no_data_of_its_own(hub: SmallHub) -> None:
    hub.datasets["org/birds"] = {
        "main": {"metadata.parquet": b"PAR1", "0.png": png(0)},
        "refs/convert/parquet": {"default/train/0000.parquet": parquet(30)},
    }
    assert resolve("hf://datasets/org/birds").path == Path("hf://datasets/org/birds@refs/convert/parquet")


def test_one_file_of_the_hub_is_read_as_one(hub: SmallHub) -> None:
    hub.datasets["org/birds"] = {"main": own()}
    manifest = Manifest.read("hf://datasets/org/birds/data/test-00000-of-00001.parquet")
    assert len(manifest.y) == 12
    assert set(manifest.split) == {"train", "validation", "test"}


def test_an_export_that_is_cut_says_so(hub: SmallHub) -> None:
    hub.datasets["org/birds"] = {
        "main": {"README.md": b""},
        "refs/convert/parquet": {"default/partial-train/0000.parquet": parquet(30)},
    }
    assert Manifest.read("hf://datasets/org/birds").notes[0] == (
        "hf://datasets/org/birds is large: the Hub's Parquet export holds only its first part"
    )


def test_one_split_alone_is_divided_anew(hub: SmallHub) -> None:
    hub.datasets["org/birds"] = {"main": own(60)}
    manifest = Manifest.read("hf://datasets/org/birds:training")
    assert len(manifest.y) == 60
    assert set(manifest.split) == {"train", "validation", "test"}
    assert "drawn by class" in manifest.notes[0]
    with pytest.raises(EvenhandError) as failure:
        Manifest.read("hf://datasets/org/birds:dev")
    assert str(failure.value) == ("hf://datasets/org/birds has no split 'dev'; its splits are test, train")


def test_a_revision_and_a_folder_are_part_of_the_address(hub: SmallHub) -> None:
    hub.datasets["org/birds"] = {"v1": {f"{name}/train.parquet": parquet(10) for name in ("big", "small")}}
    assert len(Manifest.read("hf://datasets/org/birds@v1/big").y) == 10
    with pytest.raises(EvenhandError, match="holds several data sets, in big, small"):
        resolve("hf://datasets/org/birds@v1")


def test_a_folder_of_image_files_is_read_as_one(hub: SmallHub) -> None:
    names = [
        f"{split}/{name}/{k}.png" for split in ("train", "test") for name in ("cat", "dog") for k in range(3)
    ]
    hub.datasets["org/birds"] = {"main": {name: png(k) for k, name in enumerate(names)}}
    manifest = Manifest.read("hf://datasets/org/birds")
    assert (len(manifest.y), manifest.classes) == (12, ("cat", "dog"))
    assert read_image(Path(manifest.paths[3])).size == (9, 6)
    with pytest.raises(EvenhandError, match="has no Parquet files with images to take a split of"):
        Manifest.read("hf://datasets/org/birds:train")


def test_of_several_class_columns_one_has_to_be_named(hub: SmallHub) -> None:
    two = {"family": {"_type": "ClassLabel", "names": ["pet"]}}
    hub.datasets["org/birds"] = {"main": {"train.parquet": parquet(12, **two)}}
    with pytest.raises(
        EvenhandError, match=r"^label_column: .*has no column 'label'; its columns are .*species"
    ):
        Manifest.read("hf://datasets/org/birds")
    assert Manifest.read("hf://datasets/org/birds", label_column="species").classes == ("cat", "dog")


@pytest.mark.parametrize("address", ["hf://datasets/org", "hf://models/org/birds", "hf://birds"])
def test_what_is_no_data_set(address: str) -> None:
    with pytest.raises(EvenhandError) as failure:
        resolve(address)
    assert str(failure.value) == f"{address} names no data set; write hf://datasets/ORG/NAME, or add :SPLIT"


def test_a_name_that_the_hub_does_not_have(hub: SmallHub) -> None:
    with pytest.raises(EvenhandError) as failure:
        resolve("hf://datasets/org/none")
    assert str(failure.value) == (
        "hf://datasets/org/none: the Hub has nothing with this name; check the name, or log in "
        "with `hf auth login` if "
        "it is private"
    )


SCRIPT = """
import sys
from evenhand import EvenhandError, Manifest
try:
    print(len(Manifest.read("hf://datasets/org/birds").y))
except EvenhandError as error:
    print(error)
"""


def read_elsewhere(**environment: str) -> str:
    """Read in another process: the client takes its settings from the environment when it is imported."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={**os.environ, "HF_HUB_DOWNLOAD_TIMEOUT": "5", **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_the_address_of_the_hub_is_that_of_its_client(hub: SmallHub) -> None:
    hub.datasets["org/birds"] = {"main": own()}
    assert read_elsewhere(HF_ENDPOINT=hub.url) == "42"


def test_offline_is_one_sentence() -> None:
    assert read_elsewhere(HF_HUB_OFFLINE="1") == (
        "hf://datasets/org/birds: HF_HUB_OFFLINE is set; unset it, or give the folder of a downloaded copy"
    )


def test_a_server_that_is_not_there_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    with small_hub() as server:
        url = server.url
    turn_to(url, monkeypatch)
    files._hub.cache_clear()
    with pytest.raises(EvenhandError) as failure:
        resolve("hf://datasets/org/birds")
    files._hub.cache_clear()
    assert str(failure.value).startswith("hf://datasets/org/birds: the Hub cannot be reached or refuses (")
    assert str(failure.value).endswith("check the connection, or give the folder of a downloaded copy")
