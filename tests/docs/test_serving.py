"""The page's way to serve an export, without evenhand, against `evenhand predict`."""

import csv
import io
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image
from tests.docs.test_pages import blocks

from evenhand import Manifest, embed, export, fit, predict

ROOT = Path(__file__).resolve().parents[2]


def test_the_served_probabilities_are_those_of_predict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = np.random.default_rng(0)
    for k, size in enumerate([(64, 64), (90, 70), (70, 91), (200, 40), (33, 65), (64, 80)] * 4):
        folder = tmp_path / "photos" / ("train" if k < 18 else "test") / ("cat", "dog")[k % 2]
        folder.mkdir(parents=True, exist_ok=True)
        pixels = generator.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{k}.png")
    table = embed(
        Manifest.read(tmp_path / "photos"), "tiny", tmp_path / "a.store", workers=0, dtype="float32"
    )
    fit(table, method="erm", params={"epochs": 2}, out=tmp_path / "a.run")
    export(tmp_path / "a.run", "onnx", tmp_path / "birds-onnx")
    predict(tmp_path / "a.run", tmp_path / "photos" / "test", out=tmp_path / "p.csv", workers=0)

    monkeypatch.chdir(tmp_path)
    page = (ROOT / "docs/how-to/export.md").read_text(encoding="utf-8")
    code = next(
        block.text for block in blocks(page) if "onnxruntime" in block.text and block.kind == "python"
    )
    module = ModuleType("serve")
    exec(compile(code, "serve", "exec"), vars(module))
    with (tmp_path / "p.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 6
    for row in rows:
        file = tmp_path / "photos" / "test" / row["path"]
        found = module.classify(file)
        assert found == module.classify(io.BytesIO(file.read_bytes()))
        assert found == pytest.approx({name: float(row[f"p_{name}"]) for name in ("cat", "dog")}, abs=1e-4)
