"""Features of a store are used again where its images stayed; what comes out is what a new run makes."""

import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from evenhand._errors import EvenhandError
from evenhand.data.manifest import Manifest
from evenhand.data.shots import Shots
from evenhand.data.store import check_shares_images
from evenhand.data.store_identity import StorePlan, claim
from evenhand.data.store_layout import ROWS
from evenhand.extract import reuse
from evenhand.extract.embed_images import embed

OPTIONS: dict[str, Any] = {"batch_size": 3, "part_rows": 7}


def files_of(store: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(store)): path.read_bytes()
        for path in sorted(store.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


def test_another_batch_size_is_the_same_store(manifest: Manifest, backbone: Any, tmp_path: Path) -> None:
    embed(manifest, backbone, tmp_path / "s", batch_size=8)
    before = files_of(tmp_path / "s")
    assert embed(manifest, backbone, tmp_path / "s", batch_size=4).notes == ()
    assert backbone.seen == 20
    assert files_of(tmp_path / "s") == before


def test_an_interrupted_run_resumes_with_another_batch_size(
    manifest: Manifest, backbone: Any, tmp_path: Path
) -> None:
    def stop(stage: str, done: int, total: int) -> None:
        if done > 14:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        embed(manifest, backbone, tmp_path / "s", **OPTIONS, progress=stop)
    backbone.seen = 0
    table = embed(manifest, backbone, tmp_path / "s", batch_size=2, part_rows=7)
    assert backbone.seen == 6
    assert table.card["batch_size"] == 3
    assert len(table) == 20


@pytest.mark.parametrize("change", ["templates", "prompts", "labels", "names"])
def test_other_words_and_labels_need_no_image(
    manifest: Manifest, backbone: Any, tmp_path: Path, change: str
) -> None:
    embed(manifest, backbone, tmp_path / "s", **OPTIONS)
    options: dict[str, Any] = dict(OPTIONS)
    if change == "templates":
        options["templates"] = ["one {}"]
    elif change == "prompts":
        options["prompts"] = {"red": ["scarlet"]}
    elif change == "labels":
        manifest = replace(manifest, y=1 - manifest.y)
    else:
        manifest = replace(manifest, classes=("azure", "red"))
    backbone.seen = 0
    table = embed(manifest, backbone, tmp_path / "s", **options)
    assert backbone.seen == 0
    assert table.notes == (
        "20 images are reused from the existing store, 0 new or changed ones are embedded, and 0 are gone",
    )
    embed(manifest, backbone, tmp_path / "new", **options)
    assert files_of(tmp_path / "s") == files_of(tmp_path / "new")
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize("thumbnails", [True, False])
def test_added_changed_and_removed_images(
    photos: Path, backbone: Any, tmp_path: Path, thumbnails: bool
) -> None:
    options = {**OPTIONS, "thumbnails": thumbnails}
    (photos / "red" / "broken.png").write_bytes(b"broken")
    embed(Manifest.read(photos), backbone, tmp_path / "s", **options)
    for k in range(3):
        Image.new("RGB", (90, 50), (k, 200, 0)).save(photos / "blue" / f"0{k}.png")
    backbone.seen = 0
    table = embed(Manifest.read(photos), backbone, tmp_path / "s", **options)
    assert backbone.seen == 3  # the broken one was tried again
    assert table.notes[0].startswith("20 images are reused from the existing store, 4 new")
    (photos / "red" / "1 ü.png").unlink()
    Image.new("RGB", (90, 50), (0, 0, 0)).save(photos / "red" / "2 ü.png")
    backbone.seen = 0
    table = embed(Manifest.read(photos), backbone, tmp_path / "s", **options)
    # Without thumbnails nothing tells which images changed.
    assert backbone.seen == (1 if thumbnails else 22)
    assert table.notes[0].endswith("and 1 is gone")
    embed(Manifest.read(photos), backbone, tmp_path / "new", **options)
    assert files_of(tmp_path / "s") == files_of(tmp_path / "new")


def test_other_images_of_the_same_names_and_sizes_are_not_taken_for_the_old_ones(
    tmp_path: Path, backbone: Any
) -> None:
    for folder, colour in (("a", 10), ("b", 200)):
        for name in ("x", "y"):
            (tmp_path / folder / name).mkdir(parents=True)
            for k in range(4):
                picture = Image.new("RGB", (9, 9), (colour, k, 0))
                picture.save(tmp_path / folder / name / f"{k}.bmp")
    old = Manifest.read(tmp_path / "a", class_names={"x": "ex"})
    embed(old, backbone, tmp_path / "s")
    os.utime(tmp_path / "s" / "card.json", (2**31, 2**31))
    backbone.seen = 0
    table = embed(Manifest.read(tmp_path / "b"), backbone, tmp_path / "s")
    assert backbone.seen == 8
    assert table.features(table.rows("train"))[:, 0].min() > 0.7
    shutil.rmtree(tmp_path / "b")
    (tmp_path / "a").rename(tmp_path / "b")
    for path in (tmp_path / "b").rglob("*.bmp"):
        os.utime(path, (2**31 + 9, 2**31 + 9))
    embed(Manifest.read(tmp_path / "b", class_names={"x": "ex"}), backbone, tmp_path / "s")
    assert backbone.seen == 16


def test_a_killed_update_goes_on_and_a_killed_exchange_is_ended(
    manifest: Manifest, backbone: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    embed(manifest, backbone, tmp_path / "s", **OPTIONS)
    before = files_of(tmp_path / "s")
    renamed = replace(manifest, classes=("azure", "red"))

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(reuse.Earlier, "taken", killed)
        with pytest.raises(KeyboardInterrupt):
            embed(renamed, backbone, tmp_path / "s", **OPTIONS)
    assert files_of(tmp_path / "s") == before
    embed(renamed, backbone, tmp_path / "other", **OPTIONS)
    (tmp_path / "s").rename(tmp_path / ".s.retired")
    (tmp_path / "other").rename(tmp_path / ".s.0123.update")
    backbone.seen = 0
    assert embed(renamed, backbone, tmp_path / "s", **OPTIONS).classes == ("azure", "red")
    assert backbone.seen == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["photos", "s"]


def test_what_cannot_be_replaced_is_told(
    manifest: Manifest, backbone: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    embed(manifest, backbone, tmp_path / "s", **OPTIONS)

    def refused(*_: Any) -> None:
        raise OSError(16, "Device or resource busy")

    monkeypatch.setattr(Path, "rename", refused)
    with pytest.raises(EvenhandError, match=r"cannot replace .*s: Device or resource busy"):
        embed(replace(manifest, classes=("azure", "red")), backbone, tmp_path / "s", **OPTIONS)


def test_a_model_that_moved_is_the_same_where_its_weights_are(
    manifest: Manifest, backbone: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = {"model": "local-dir:/old", "pretrained": "/old/m.pt", "weights_sha256": "a"}
    monkeypatch.setattr(backbone, "card", lambda: card)
    embed(manifest, backbone, tmp_path / "s")
    before = files_of(tmp_path / "s")
    card |= {"model": "local-dir:/new", "pretrained": "/new/m.pt"}
    assert embed(manifest, backbone, tmp_path / "s").notes == ()
    assert files_of(tmp_path / "s") == before
    assert "20 images are reused" in embed(manifest, backbone, tmp_path / "s", templates=["one {}"]).notes[0]
    assert backbone.seen == 20
    card["weights_sha256"] = "b"
    with pytest.raises(EvenhandError, match="was made with other weights of `model`"):
        embed(manifest, backbone, tmp_path / "s", templates=["one {}"])


def test_a_model_of_unknown_weights_is_known_by_its_name(
    manifest: Manifest, backbone: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    embed(manifest, backbone, tmp_path / "s")
    monkeypatch.setattr(backbone, "card", lambda: {"model": "other", "precision": "fp32"})
    with pytest.raises(EvenhandError, match="was made with `model` 'colour', but this run has 'other'"):
        embed(manifest, backbone, tmp_path / "s")


def test_other_images_of_a_data_set_reuse_what_was_embedded(
    manifest: Manifest, backbone: Any, tmp_path: Path
) -> None:
    embed(manifest, backbone, tmp_path / "s")
    found = embed(replace(manifest, shots=Shots(9, 0)), backbone, tmp_path / "s")
    assert found.notes[0].startswith("20 images are reused from the existing store, 0 new or changed")
    assert backbone.seen == 20


@pytest.mark.parametrize(
    ("before", "now", "difference"),
    [
        ({"shots": None}, {"shots": [3, 0]}, r"without `shots`, but this run has \[3, 0\]"),
        ({"max_pixels": 9}, {}, "with `max_pixels` 9, but this run has none"),
        (
            {"site": "a", "image_bytes": 1},
            {"site": "b", "image_bytes": 2},
            "with `site` 'a', but this run has 'b'",
        ),
        ({"image_bytes": 1}, {"image_bytes": 2}, "with other image files than this run has"),
        ({"thumbnails": True}, {"thumbnails": False}, "with `thumbnails` True, but this run has False"),
    ],
)
def test_an_unfinished_store_names_the_option_that_changed(
    before: dict[str, Any], now: dict[str, Any], difference: str, tmp_path: Path
) -> None:
    claim(tmp_path, StorePlan(identity=before, width=4, dtype="float32"))
    with pytest.raises(EvenhandError, match=f"was made {difference}; name another folder"):
        claim(tmp_path, StorePlan(identity=now, width=4, dtype="float32"))


def test_a_store_of_other_images_is_not_replaced(photos: Path, backbone: Any, tmp_path: Path) -> None:
    manifest = Manifest.read(photos)
    embed(manifest, backbone, tmp_path / "s", **OPTIONS)
    before = files_of(tmp_path / "s")
    other = replace(manifest, ids=np.char.add("other/", manifest.ids))
    with pytest.raises(
        EvenhandError, match=r"s is a store of other images, such as 'blue/.*, which would be"
    ):
        embed(other, backbone, tmp_path / "s", **OPTIONS)
    assert files_of(tmp_path / "s") == before
    (tmp_path / "s" / ROWS).write_bytes(b"cut")
    with pytest.raises(EvenhandError, match=r"cannot be read .*; make it again"):
        check_shares_images(tmp_path / "s", ["other/1"])
    check_shares_images(tmp_path / "new", ["other/1"])
