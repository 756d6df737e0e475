import io
import json
import re
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image
from torch import Tensor

from evenhand import EvenhandError, EvenhandWarning
from evenhand.backbones.tiny import load_tiny
from evenhand.data.manifest import Manifest
from evenhand.data.store import load_store, read_skipped, read_thumbnails
from evenhand.extract import embed_images
from evenhand.extract.embed_images import embed, iter_features


def files_of(store: Path) -> dict[str, bytes]:
    paths = sorted(path for path in store.rglob("*") if path.is_file())
    return {str(path.relative_to(store)): path.read_bytes() for path in paths if path.name != ".lock"}


def test_every_row_has_its_own_features(manifest: Manifest, backbone: Any, tmp_path: Path) -> None:
    table = embed(manifest, backbone, tmp_path / "s", batch_size=3, part_rows=7, dtype="float32")
    assert backbone.seen == len(manifest) == 20
    assert list(table.ids) == list(manifest.ids)
    assert list(table.split) == list(manifest.split)
    assert list(table.y) == list(manifest.y)
    assert [len(part) for part in table.parts] == [7, 7, 6]
    for row, path in enumerate(manifest.paths):
        red = Image.open(path).getpixel((0, 0))[0] / 255  # type: ignore[index]
        assert table.features(np.array([row]))[0, 0] == pytest.approx(red, abs=1e-6)


def test_a_backbone_that_prepares_gets_what_it_prepared(
    manifest: Manifest, backbone: Any, tmp_path: Path
) -> None:
    class Preparing(type(backbone)):  # type: ignore[misc]
        def prepare(self, image: Image.Image) -> Tensor:
            return torch.from_numpy(np.array(image.resize((4, 4))))

        def trunk(self, pixels: Tensor) -> Tensor:
            assert pixels.dtype == torch.uint8
            features: Tensor = super().trunk((pixels / 255).permute(0, 3, 1, 2))
            return features

    tables = [
        embed(manifest, one, tmp_path / one.__class__.__name__, dtype="float32")
        for one in (backbone, Preparing())
    ]
    one, other = (np.asarray(table.parts[0]) for table in tables)
    assert np.allclose(one, other)


def test_half_the_size_is_the_default(manifest: Manifest, backbone: Any, tmp_path: Path) -> None:
    table = embed(manifest, backbone, tmp_path / "s")
    assert table.parts[0].dtype == np.float16


def test_thumbnails_follow_the_rows(manifest: Manifest, backbone: Any, tmp_path: Path) -> None:
    embed(manifest, backbone, tmp_path / "s", batch_size=3, part_rows=7)
    for row, small in zip((0, 19), read_thumbnails(tmp_path / "s", np.array([0, 19])), strict=True):
        shown = np.asarray(Image.open(io.BytesIO(small)).convert("RGB"), dtype=float).mean((0, 1))
        original = np.asarray(Image.open(manifest.paths[row]), dtype=float).mean((0, 1))
        assert np.abs(shown - original).max() < 3


def test_thumbnails_can_be_left_out(manifest: Manifest, backbone: Any, tmp_path: Path) -> None:
    embed(manifest, backbone, tmp_path / "s", thumbnails=False)
    assert not any("thumb" in name for name in files_of(tmp_path / "s"))


def test_a_finished_store_is_verified_and_not_made_again(
    manifest: Manifest, backbone: Any, tmp_path: Path
) -> None:
    embed(manifest, backbone, tmp_path / "s")
    before = files_of(tmp_path / "s")
    embed(manifest, backbone, tmp_path / "s")
    assert backbone.seen == 20
    assert files_of(tmp_path / "s") == before


@pytest.mark.parametrize("workers", [0, 2])
def test_a_resumed_run_writes_the_same_bytes(
    manifest: Manifest, backbone: Any, tmp_path: Path, workers: int
) -> None:
    Path(manifest.paths[8]).write_bytes(b"broken")
    options: dict[str, Any] = {"batch_size": 3, "part_rows": 7, "workers": workers}
    embed(manifest, backbone, tmp_path / "whole", **options)

    def stop(stage: str, done: int, total: int) -> None:
        if done > 14:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        embed(manifest, backbone, tmp_path / "halves", **options, progress=stop)
    with pytest.raises(EvenhandError, match="unfinished"):
        load_store(tmp_path / "halves")
    backbone.seen = 0
    embed(manifest, backbone, tmp_path / "halves", **options)
    assert backbone.seen == 6
    assert files_of(tmp_path / "halves") == files_of(tmp_path / "whole")


def test_a_store_made_otherwise_is_refused(manifest: Manifest, backbone: Any, tmp_path: Path) -> None:
    embed(manifest, backbone, tmp_path / "s")
    backbone.precision = "bf16"
    with pytest.raises(EvenhandError, match="was made with `precision` 'fp32', but this run has 'bf16'"):
        embed(manifest, backbone, tmp_path / "s")


def test_prompts_of_a_class_win_over_templates(manifest: Manifest, backbone: Any, tmp_path: Path) -> None:
    table = embed(
        manifest, backbone, tmp_path / "s", templates=["one {}"], prompts={"red": ["scarlet", "crimson"]}
    )
    assert table.head.prompts == {"blue": ["one blue"], "red": ["scarlet", "crimson"]}


def test_broken_pictures_are_listed_with_reasons(manifest: Manifest, backbone: Any, tmp_path: Path) -> None:
    Path(manifest.paths[0]).write_bytes(b"")
    Path(manifest.paths[5]).unlink()
    table = embed(manifest, backbone, tmp_path / "s", batch_size=1, part_rows=1)
    assert len(table) == 18
    skipped = read_skipped(tmp_path / "s").to_pylist()
    assert [(row["id"], row["reason"]) for row in skipped] == [
        (manifest.ids[0], "empty file"),
        (manifest.ids[5], "file not found"),
    ]
    assert len(read_thumbnails(tmp_path / "s", np.arange(18))) == 18


def test_strict_stops_at_the_first_and_leaves_nothing(
    manifest: Manifest, backbone: Any, tmp_path: Path
) -> None:
    Path(manifest.paths[2]).write_bytes(b"broken")
    with pytest.raises(EvenhandError, match=r"not an image; `strict=True` stops at the first"):
        embed(manifest, backbone, tmp_path / "s", strict=True)
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize("earlier", ["whole", "interrupted"])
def test_strict_refuses_what_an_earlier_run_left_out(
    manifest: Manifest, backbone: Any, tmp_path: Path, earlier: str
) -> None:
    Path(manifest.paths[2]).write_bytes(b"broken")

    def stop(stage: str, done: int, total: int) -> None:
        if earlier == "interrupted" and done > 10:
            raise KeyboardInterrupt

    with suppress(KeyboardInterrupt):
        embed(manifest, backbone, tmp_path / "s", part_rows=5, progress=stop)
    with pytest.raises(EvenhandError, match=r"lacks 1 image, the first is .*not an image; repair them"):
        embed(manifest, backbone, tmp_path / "s", part_rows=5, strict=True)


@pytest.mark.parametrize("part_rows", [4096, 6])
def test_no_readable_picture_is_one_error(
    manifest: Manifest, backbone: Any, tmp_path: Path, part_rows: int
) -> None:
    for path in manifest.paths:
        Path(path).write_bytes(b"broken")
    with pytest.raises(
        EvenhandError, match=r"none of the 20 images can be read; the first is .*not an image"
    ):
        embed(manifest, backbone, tmp_path / "s", part_rows=part_rows)
    assert not (tmp_path / "s").exists()


def test_a_class_that_loses_its_training_pictures_is_told(
    manifest: Manifest, backbone: Any, tmp_path: Path
) -> None:
    for row in np.flatnonzero((manifest.y == 0) & (manifest.split == "train")):
        Path(manifest.paths[row]).write_bytes(b"broken")
    with pytest.warns(EvenhandWarning, match="no training image of blue can be read"):
        embed(manifest, backbone, tmp_path / "s")


@pytest.mark.parametrize(
    ("value", "dtype", "remedy"),
    [(1e6, "float16", "`dtype='float32'`"), (np.nan, "float32", "`precision='fp32'`, or other weights")],
)
def test_features_that_are_not_finite_are_refused(
    manifest: Manifest,
    backbone: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    value: float,
    dtype: str,
    remedy: str,
) -> None:
    def second_is_bad(pixels: Tensor) -> Tensor:
        features = torch.ones(len(pixels), 6)
        features[1, 3] = value
        return features

    monkeypatch.setattr(backbone, "trunk", second_is_bad)
    sentence = f"of {manifest.paths[1]} are not finite numbers in {dtype}; use {remedy}"
    with pytest.raises(EvenhandError, match=re.escape(sentence)):
        embed(manifest, backbone, tmp_path / "s", dtype=dtype)
    assert not (tmp_path / "s").exists()


def test_a_full_device_is_one_sentence(
    manifest: Manifest, backbone: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(pixels: Tensor) -> Tensor:
        raise torch.cuda.OutOfMemoryError("full")

    monkeypatch.setattr(backbone, "trunk", full)
    with pytest.raises(
        EvenhandError, match=r"20 images at once fill the device's memory; use a smaller `batch_size`"
    ):
        embed(manifest, backbone, tmp_path / "s")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"batch_size": 0}, "batch_size is 0; give at least 1"),
        ({"part_rows": 0}, "part_rows is 0; give at least 1"),
        ({"dtype": "int8"}, "dtype: 'int8' is unknown; choose float16 or float32"),
        ({"templates": ["photo"]}, "has no"),
    ],
)
def test_arguments_out_of_range_are_refused(
    manifest: Manifest, backbone: Any, tmp_path: Path, options: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(EvenhandError, match=sentence):
        embed(manifest, backbone, tmp_path / "s", **options)
    assert not (tmp_path / "s").exists()


def test_pictures_without_labels_are_refused(photos: Path, backbone: Any, tmp_path: Path) -> None:
    with pytest.raises(EvenhandError, match="images without labels"):
        embed(Manifest.read(photos, labeled=False), backbone, tmp_path / "s")


def test_progress_counts_pictures(manifest: Manifest, backbone: Any, tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    embed(manifest, backbone, tmp_path / "s", batch_size=8, progress=lambda *report: told.append(report))
    assert told == [("embed", 8, 20), ("embed", 16, 20), ("embed", 20, 20)]


def test_the_card_says_what_determines_the_features(
    manifest: Manifest, backbone: Any, tmp_path: Path
) -> None:
    embed(manifest, backbone, tmp_path / "s")
    identity = json.loads((tmp_path / "s" / "card.json").read_text())["identity"]
    assert identity["model"] == "colour"
    assert identity["prompts"]["red"] == ["a photo of a red."]
    assert {"manifest_sha256", "precision", "part_rows", "batch_size", "dtype"} <= set(identity)


def test_streamed_features_are_those_of_a_store(manifest: Manifest, backbone: Any, tmp_path: Path) -> None:
    Path(manifest.paths[4]).write_bytes(b"broken")
    table = embed(manifest, backbone, tmp_path / "s", dtype="float32", batch_size=4)
    read, features, unreadable = zip(*iter_features(manifest.paths, backbone, batch_size=4), strict=True)
    assert [lost for batch in unreadable for lost in batch] == [(4, "not an image")]
    assert list(manifest.ids[[row for batch in read for row in batch]]) == list(table.ids)
    assert np.array_equal(np.concatenate(features), table.features(np.arange(19)))


def test_pictures_in_parquet_and_behind_addresses_have_the_features_of_files(
    manifest: Manifest, backbone: Any, tmp_path: Path
) -> None:
    pictures = [Path(path).read_bytes() for path in manifest.paths]
    labels = [manifest.classes[code] for code in manifest.y]
    table = pa.table({"image": pictures, "label": labels, "split": manifest.split.tolist()})
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=7)
    wanted = embed(manifest, backbone, tmp_path / "files")
    for name, source in (("cells", tmp_path / "a.parquet"), ("remote", f"file://{tmp_path}/a.parquet")):
        found = embed(Manifest.read(source), backbone, tmp_path / name, workers=2)
        assert np.array_equal(found.parts[0], wanted.parts[0])
        assert list(found.y) == list(wanted.y)
    assert str(found.paths[3]) == f"file://{tmp_path}/a.parquet/3"


def test_another_picture_in_a_parquet_file_is_embedded_anew(backbone: Any, tmp_path: Path) -> None:
    def written(last: int) -> Manifest:
        pictures = []
        for red in (1, 2, 3, last):
            stream = io.BytesIO()
            Image.new("RGB", (9 + red // 50, 9), (red, 0, 0)).save(stream, "BMP")
            pictures.append(stream.getvalue())
        pq.write_table(pa.table({"image": pictures, "label": list("abab")}), tmp_path / "a.parquet")
        return Manifest.read(tmp_path / "a.parquet")

    embed(written(4), backbone, tmp_path / "s")
    backbone.seen = 0
    embed(written(200), backbone, tmp_path / "s")
    assert backbone.seen == 1


def test_classes_that_are_one_to_the_text_tower_are_warned_of(tmp_path: Path) -> None:
    for name in ("sea_bird", "sea bird"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for k in range(2):
            Image.new("RGB", (40, 40), (100 * k, 0, 0)).save(tmp_path / "photos" / name / f"{k}.png")
    with pytest.warns(EvenhandWarning, match=r"prompts of classes 'sea bird' and 'sea_bird' are the same to"):
        embed(Manifest.read(tmp_path / "photos"), load_tiny(), tmp_path / "x.store", workers=0)


@pytest.mark.parametrize("what", ["split", "label", "attribute"])
def test_a_store_is_made_again_when_its_table_says_something_else(
    manifest: Manifest, backbone: Any, tmp_path: Path, what: str
) -> None:
    place = np.array(["sea", "wood"] * 10)
    manifest = replace(manifest, attributes={"place": place})
    embed(manifest, backbone, tmp_path / "s")
    other = {
        "split": replace(manifest, split=np.roll(manifest.split, 1)),
        "label": replace(manifest, y=1 - manifest.y),
        "attribute": replace(manifest, attributes={"place": place[::-1]}),
    }[what]
    found = embed(other, backbone, tmp_path / "s")
    assert found.split.tolist() == other.split.tolist()
    assert found.y.tolist() == other.y.tolist()
    assert found.attributes["place"].tolist() == other.attributes["place"].tolist()


def test_a_name_that_cannot_be_the_stores_model_is_not_loaded(
    manifest: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    embed(manifest, "tiny", tmp_path / "s")
    monkeypatch.setattr(embed_images, "load_backbone", None)
    with pytest.raises(EvenhandError, match=r"was made with `model` 'tiny', but this run has 'hf:ORG/NAME'"):
        embed(manifest, "hf:ORG/NAME", tmp_path / "s")
