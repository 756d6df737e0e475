"""The cluster reads shards and Parquet files, and holds models of transformers, as this machine does."""

import csv
import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import open_clip
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
import transformers

from evenhand.backbones.base import Backbone
from evenhand.backbones.load import load_backbone
from evenhand.data.manifest import Manifest
from evenhand.extract.embed_images import embed

from .conftest import OPTIONS, Raylets, bytes_in

Sample = tuple[str, str, bytes]
"""Split, label, and the bytes of a picture."""


@pytest.fixture(scope="session")
def samples(scenes: Path) -> list[Sample]:
    """Every third of the scenes."""
    found = []
    for split in ("train", "test"):
        with (scenes / split / "metadata.csv").open(newline="") as stream:
            rows = list(csv.DictReader(stream))[::3]
        found += [(split, row["label"], (scenes / split / row["file_name"]).read_bytes()) for row in rows]
    return found


def pack_shards(samples: list[Sample], folder: Path) -> Path:
    """Write samples as WebDataset's tars, one for each split."""
    folder.mkdir()
    for split in ("train", "test"):
        with tarfile.open(folder / f"{split}-000000.tar", "w") as shard:
            for number, (of, label, picture) in enumerate(samples):
                told = json.dumps({"label": label}).encode()
                for kind, content in (("jpg", picture), ("json", told)) if of == split else ():
                    member = tarfile.TarInfo(f"{number:06d}.{kind}")
                    member.size = len(content)
                    shard.addfile(member, io.BytesIO(content))
    return folder


def pack_parquet(samples: list[Sample], folder: Path) -> Path:
    """Write samples as one Parquet file that holds the bytes of the pictures."""
    folder.mkdir()
    splits, labels, pictures = zip(*samples, strict=True)
    columns: dict[str, Any] = {"image": pictures, "label": labels, "split": splits}
    pq.write_table(pa.table(columns), folder / "a.parquet", row_group_size=8)
    return folder / "a.parquet"


def write_clip(folder: Path) -> Path:
    """Write a small CLIP of transformers' with random weights, made from a configuration."""
    own = open_clip.tokenizer.SimpleTokenizer()
    small = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2}
    ends = {"bos_token_id": own.sot_token_id, "eos_token_id": own.eot_token_id}
    config = transformers.CLIPConfig(
        text_config={**small, **ends, "vocab_size": own.vocab_size, "max_position_embeddings": 24},
        vision_config={**small, "image_size": 32, "patch_size": 8},
        projection_dim=24,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = transformers.CLIPModel(config)
    images = transformers.CLIPImageProcessor(
        size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}
    )
    special = {own.sot_token_id: "<|startoftext|>", own.eot_token_id: "<|endoftext|>"}
    vocabulary = {special.get(number, word): number for word, number in own.encoder.items()}
    tokenizer = transformers.CLIPTokenizer(vocabulary, list(own.bpe_ranks), model_max_length=24)
    for part in (model, images, tokenizer):
        part.save_pretrained(folder)
    return folder


@pytest.mark.parametrize("kind", ["shards and a model of transformers", "parquet"])
def test_other_inputs_and_models_give_the_bytes_of_one_machine(
    kind: str, raylets: Raylets, samples: list[Sample], tiny: Backbone, tmp_path: Path
) -> None:
    if kind == "parquet":
        source, backbone = pack_parquet(samples, tmp_path / "in"), tiny
    else:
        source = pack_shards(samples, tmp_path / "in")
        backbone = load_backbone(f"hf:{write_clip(tmp_path / 'clip')}")
    manifest = Manifest.read(source)
    here, there = tmp_path / "here", tmp_path / "there"
    table = embed(manifest, backbone, here, **OPTIONS)
    assert len(table) >= len(samples) - 1  # one of the scenes is broken
    embed(manifest, backbone, there, **OPTIONS, engine=raylets.engine)
    assert bytes_in(there) == bytes_in(here)


ALONE = """
import sys
import ray
from evenhand.backbones.load import load_backbone
from evenhand.data.manifest import Manifest
from evenhand.extract.embed_images import embed
from evenhand.extract.ray_engine import RayEngine

source, out = sys.argv[1:]
nodes = set()

def look(stage, done, total):
    nodes.update(node["NodeManagerAddress"] for node in ray.nodes())

embed(Manifest.read(source), load_backbone("tiny"), out, batch_size=4, part_rows=16, dtype="float32",
      engine=RayEngine(actors=1), progress=look)
print(*nodes, ray.is_initialized())
"""


def test_without_an_address_a_cluster_of_this_machine_comes_and_goes(
    scenes: Path, local_store: Path, tmp_path: Path
) -> None:
    # In a process of its own: one that has had such a cluster starts no actors on another.
    temporary = tmp_path / ("long" * 30)
    temporary.mkdir()
    env = {name: value for name, value in os.environ.items() if name != "RAY_TMPDIR"}
    done = subprocess.run(
        [sys.executable, "-c", ALONE, str(scenes), str(tmp_path / "s")],
        env={**env, "TMPDIR": str(temporary), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "127.0.0.1 False\n", done.stderr
    assert not list(temporary.glob("ray*"))
    assert bytes_in(tmp_path / "s") == bytes_in(local_store)
