"""What is wrong with a command line is said before torch is imported, which takes seconds."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from PIL import Image

import evenhand
from evenhand._errors import EvenhandError
from evenhand.backbones import transformers
from evenhand.backbones.typed_names import SITES, check_site
from evenhand.data.store_identity import StorePlan
from evenhand.data.store_layout import sealed, write_text
from evenhand.methods.registry import METHODS, NEED_WORDS, method_class
from evenhand.selection.rule_names import RuleName
from evenhand.selection.rules import RULES

ALL = r"""
import json, sys
from typer.testing import CliRunner
from evenhand.cli.app import app
for line in json.loads(sys.argv[1]):
    done = CliRunner().invoke(app, line)
    imported = [name for name in ("torch", "pandas") if name in sys.modules]
    print(json.dumps([done.exit_code, done.stderr, imported]))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with photographs, two stores and a run of the first."""
    place = tmp_path_factory.mktemp("refusals")
    for name in ("cat/0", "cat/1", "dog/0", "dog/1"):
        (place / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8), (len(name), int(name[-1]), 0)).save(place / f"photos/{name}.png")
    (place / "rows.csv").write_text("path,label\nphotos/cat/0.png,cat\nphotos/dog/0.png,dog\n")
    rng = np.random.default_rng(0)
    np.save(place / "X.npy", rng.normal(size=(40, 4)).astype(np.float32))
    np.save(place / "wide.npy", np.ones((2, 5), dtype=np.float32))
    (place / "y.csv").write_text("label\n" + "a\nb\n" * 20)
    for name, seed in (("a", 0), ("b", 1)):
        evenhand.import_embeddings(
            [place / "X.npy"], place / "y.csv", label_column="label", out=place / f"{name}.store", seed=seed
        )
    evenhand.fit(
        evenhand.load_store(place / "a.store"), method="erm", params={"epochs": 1}, out=place / "a.run"
    )
    shutil.copytree(place / "a.run", place / "cut.run")
    (place / "cut.run/card.json").write_text("{")
    for name, made in (("rn", {"model": "RN50"}), ("hf", {"model": "hf:a/b", "family": "transformers"})):
        shutil.copytree(place / "a.run", place / f"{name}.run")
        card = json.loads((place / f"{name}.run/card.json").read_text())
        del card["checksum"]
        card["store_card"] = {"family": "open_clip", **made}
        write_text(place / f"{name}.run/card.json", sealed(card))
    (place / "photos/cat/-.png").write_text("no image")
    (place / "begun").mkdir()
    begun = {"family": "open_clip", "model": "RN50", "pretrained": "openai", "dtype": "float16"}
    plan = StorePlan(identity={**begun, "thumbnails": True, "precision": "fp32"}, width=8, dtype="float16")
    (place / "begun/plan.json").write_text(plan.model_dump_json())
    (place / "empty").mkdir()
    (place / "empty.txt").touch()
    (place / "gone.csv").write_text("path\ngone/1.png\ngone/2.png\n")
    (place / "words.yaml").write_text("spurious: {ground: [water, land]}\n")
    return place


def test_refusals_do_not_wait_for_torch(folder: Path) -> None:
    new, a, rn = f"{folder}/new", f"{folder}/a", f"{folder}/rn.run"
    tiny = f"--model tiny --out {new}"
    lines = {
        f"embed {folder}/photos --layout domain/class {tiny}": "--layout: no image of",
        f"embed https://huggingface.co/datasets/a/b/viewer {tiny}": "viewer is on the web; write hf://datasets/a/b",
        f"embed https://x.org/a.zip {tiny}": "https://x.org/a.zip is on the web; download it, and give",
        f"embed {folder}/rows.csv --root {folder}/none {tiny}": "--root: .* is not a folder; give the one",
        f"embed {folder}/photos --site attnpol {tiny}": "--site: 'attnpol' is unknown; the allowed",
        f"embed {folder}/photos --model hf:{folder}/none --out {new}": "none is not a folder; check the path",
        f"embed {folder}/photos --model tiny --out {a}.store --dtype float16": "a.store holds imported",
        f"embed {folder}/photos --model tiny --out {folder}/begun": "begun was made with --model 'RN50', but",
        f"embed {folder}/photos --strict {tiny}": "cat/-.png: not an image; --strict stops at the",
        f"fit {a}.store --method dfr --out {new}": "--method: dfr uses group labels, but the store has no",
        f"fit {a}.store --method afr --stream --out {new}": "--stream: afr takes all features into memory at",
        f"bench scenes --group-by z --out {new}": "--group-by: 'z' is not an attribute of this benchmark; it",
        f"export {a}.run --to onnx --out {new}": "was fitted on imported embeddings, whose model evenhand",
        f"export {folder}/rn.run --to transformers --out {new}": "--to: transformers has no place for mod",
        f"export {folder}/hf.run --to open_clip --out {new}": "--to: open_clip takes runs on open_clip mod",
        f"predict {a}.run {folder}/photos": "the run was fitted on imported embeddings, so images cannot be",
        f"audit {a}.store --slices 1": "Invalid value for '--slices'",
        f"audit {folder}/b.store --against {a}.run": "b.store is not the one that .*a.run was fitted",
        f"fit {a}.store --method roboshot --out {new}": "--concepts: roboshot needs concept words",
        f"fit {a}.store --method erm --param epochs=-1 --out {new}": "must be at least 1, but it is -1",
        f"fit {a}.store --method cfr:wild --out {new}": "preset: 'wild' is unknown; the allowed values",
        f"bench scenes --param train=x --out {new}": "--param: train got 'x', but scenes needs a",
        f"bench scenes --param seed=-1 --out {new}": "seed must be at least 0, but it is -1",
        f"compare {a}.store --selection best": "--selection: 'best' is unknown; the allowed",
        f"review {a}.store --answers {folder}/y.csv": "--answers: .* has no column 'id'",
        f"predict {a}.run --features {folder}/wide.npy": "--features: they have width 5 but the run takes 4",
        f"predict {rn} {folder}/rows.csv --label-column y": "--label-column: .* has no column 'y'",
        f"predict {rn} {folder}/photos --label-column y": "--label-column: 'y' cannot be read",
        f"predict {rn} {folder}/empty": "empty holds no images; give a folder with at least one",
        f"predict {rn} {folder}/gone.csv": "none of the 2 images of .*gone.csv exists",
        f"predict {rn} {folder}/rows.csv --attribute-columns label --group-by z": "--group-by: 'z' is",
        f"predict {rn} {folder}/photos --group-by z": "--group-by: 'z' is not an attribute of these images",
        f"predict {rn} {folder}/photos --root {folder}": "--root: .* cannot be read, .*photos is not a table",
        f"predict {a}.run {folder}/photos --model tiny2": "--model: 'tiny2' is not known to open_clip",
        f"predict {a}.run {folder}/photos --out /proc/x.csv": "--out: /proc/x.csv cannot be written: No such",
        f"embed {folder}/photos {tiny} --engine ray --address x": "--address: x: there is no Ray cluster",
        f"embed {folder}/photos --model RN50 --pretrained {folder}/y.csv --out {new}": "is not a checkp",
        f"embed {folder}/photos --model hf:{folder}/empty --out {new}": "empty has no weights; it needs",
        f"fit {a}.store --method erm --concepts {folder}/words.yaml --out {new}": "erm, which takes no words",
        f"fit {a}.store --method roboshot --concepts {folder}/y.csv --out {new}": "y.csv has no mapping",
        f"compare {a}.store --concepts {folder}/y.csv": "concept words: .*y.csv has no mapping 'spurious'",
        f"compare {a}.store --methods ,": "--methods: it is empty; the allowed values",
        f"bench scenes --site nope --out {new}": "--site: 'nope' is unknown; the allowed",
        f"audit {a}.store --vocabulary {folder}/empty.txt": "--vocabulary: .*empty.txt holds no word; write",
        f"report {a}.run --store {folder}/b.store": "b.store is not the one that .*a.run was fitted",
        f"report {folder}/cut.run": "cut.run/card.json cannot be read",
        f"review {a}.store --list --out {folder}/y.csv/z": "--out: .*z cannot be written: .* is not a folder",
        f"report {a}.run --out {a}.store/x.html": "--out: .* is inside .*a.store, which this command reads",
        f"audit {a}.store --out /proc/x": "--out: /proc/x cannot be written: No such file",
        f"audit {a}.run --out {a}.store/x": "--out: .* is inside .*a.store, which",
        f"review {a}.run --list --out {folder}/y.csv": "--out: .* exists, and --list writes a new file; name",
        f"demo --out {a}.store": "--out: .*a.store is a store or a run; name another folder",
    }
    commands = [line.split() for line in lines]
    done = subprocess.run(
        [sys.executable, "-c", ALL, json.dumps(commands)], capture_output=True, text=True, check=True
    )
    for sentence, answer in zip(lines.values(), map(json.loads, done.stdout.splitlines()), strict=True):
        code, told, imported = answer
        assert (code in (1, 2), imported) == (True, []), told
        with pytest.raises(AssertionError, match=sentence):
            raise AssertionError(" ".join(told.replace("│", "").split()))
    assert not (folder / "new").exists()


def test_a_run_among_the_images_changes_nothing_of_them(folder: Path) -> None:
    """As cp may copy beside what it does not read, fit may write into the folder of a store's images."""
    photos = folder / "photos"
    before = {path: path.read_bytes() for path in photos.rglob("*") if path.is_file()}
    listed = evenhand.Manifest.read(photos).ids.tolist()
    evenhand.fit(evenhand.load_store(folder / "a.store"), method="zero_shot", out=photos / "a.run")
    assert evenhand.Manifest.read(photos).ids.tolist() == listed
    assert {path: path.read_bytes() for path in before} == before


def test_the_names_that_are_known_without_torch_are_all() -> None:
    assert set(transformers.SITES.values()) <= set(SITES)
    assert set(get_args(RuleName)) == set(RULES)
    assert set(NEED_WORDS) == {name for name in METHODS if "words" in method_class(name).needs}
    check_site(None)
    with pytest.raises(EvenhandError, match="site: 'x' is unknown"):
        check_site("x")
