"""Whether JPEGs are decoded in full: what a store says of it, and what follows it."""

import csv
import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from evenhand import EvenhandError, fit, predict
from evenhand.data.images.decode import read_image
from evenhand.data.images.thumbnail import THUMBNAIL
from evenhand.data.manifest import Manifest
from evenhand.data.store import load_store, read_thumbnails
from evenhand.extract.embed_images import embed, iter_features
from evenhand.extract.loading import Consecutive, load_batches, load_by_threads
from evenhand.extract.prepared_images import PreparedImages
from evenhand.extract.short_side import KEY, choose_short_side

from .conftest import ColourBackbone

SIDE = 1024


class Resizing(ColourBackbone):
    """Sees pixels of 4 x 4, and how large the images were that it got them from."""

    def __init__(self, resized_to: int | None = 100) -> None:
        super().__init__()
        self.resized_to = resized_to
        self.sizes: list[tuple[int, int]] = []

    def preprocess(self, image: Image.Image) -> Any:
        self.sizes.append(image.size)
        return super().preprocess(image)


@pytest.fixture
def large(tmp_path: Path) -> Manifest:
    """Three JPEGs of 1024 x 1024 pixels in each of two classes."""
    for name in ("blue", "red"):
        (tmp_path / "large" / name).mkdir(parents=True)
        for k in range(3):
            image = Image.new("RGB", (SIDE, SIDE), (40 * k, 90, 200 if name == "blue" else 30))
            image.save(tmp_path / "large" / name / f"{k}.jpg")
    return Manifest.read(tmp_path / "large")


@pytest.mark.parametrize(
    ("decode", "resized_to", "begun", "expected"),
    [
        (None, 224, None, None),
        ("reduced", 224, None, 448),
        ("full", 224, None, None),
        ("reduced", 64, None, 256),
        ("reduced", 129, None, 258),
        ("reduced", None, None, None),
        (None, 224, {}, None),
        (None, 224, {KEY: 300}, 300),
        ("reduced", 224, {}, 448),
        ("full", 224, {KEY: 300}, None),
    ],
)
def test_the_short_side(
    decode: str | None, resized_to: int | None, begun: dict[str, int] | None, expected: int | None
) -> None:
    backbone: Any = SimpleNamespace(resized_to=resized_to)
    assert choose_short_side(decode, backbone, begun) == expected


def test_a_backbone_that_tells_no_size_gets_all_pixels() -> None:
    assert choose_short_side("reduced", ColourBackbone(), None) is None


def test_an_unknown_decode_is_refused(large: Manifest, tmp_path: Path) -> None:
    with pytest.raises(EvenhandError, match=r"^decode: 'half' is unknown; choose reduced or full$"):
        embed(large, Resizing(), tmp_path / "s", decode="half")
    assert not (tmp_path / "s").exists()


def test_the_card_says_how_it_was(large: Manifest, tmp_path: Path) -> None:
    backbone = Resizing()
    assert embed(large, backbone, tmp_path / "s", decode="reduced").card[KEY] == 256
    assert set(backbone.sizes) == {(256, 256)}
    backbone = Resizing()
    assert KEY not in embed(large, backbone, tmp_path / "full").card
    assert set(backbone.sizes) == {(SIDE, SIDE)}


@pytest.mark.parametrize("decode", ["full", "reduced"])
def test_a_store_goes_on_as_it_was_begun(large: Manifest, tmp_path: Path, decode: str) -> None:
    def stop(_stage: str, done: int, _total: int) -> None:
        if done > 3:
            raise KeyboardInterrupt

    options: dict[str, Any] = {"batch_size": 1, "part_rows": 2}
    embed(large, Resizing(), tmp_path / "whole", decode=decode, **options)
    with pytest.raises(KeyboardInterrupt):
        embed(large, Resizing(), tmp_path / "s", decode=decode, progress=stop, **options)
    backbone = Resizing()
    embed(large, backbone, tmp_path / "s", **options)
    assert set(backbone.sizes) == {(SIDE, SIDE) if decode == "full" else (256, 256)}
    for file in (tmp_path / "whole").rglob("*.*"):
        assert (tmp_path / "s" / file.relative_to(tmp_path / "whole")).read_bytes() == file.read_bytes()


@pytest.mark.parametrize(("decode", "other"), [("full", "reduced"), ("reduced", "full")])
def test_the_other_decode_is_another_store(large: Manifest, tmp_path: Path, decode: str, other: str) -> None:
    embed(large, Resizing(), tmp_path / "s", decode=decode)
    with pytest.raises(EvenhandError, match="was made with other `decode` than this run has"):
        embed(large, Resizing(), tmp_path / "s", decode=other)
    assert (KEY in load_store(tmp_path / "s").card) == (decode == "reduced")


@pytest.mark.parametrize("decode", ["full", "reduced"])
def test_unchanged_images_are_known_by_their_thumbnails(large: Manifest, tmp_path: Path, decode: str) -> None:
    embed(large, Resizing(), tmp_path / "s", decode=decode)
    Image.new("RGB", (SIDE, SIDE), (250, 250, 0)).save(large.paths[0], quality=95, comment="new")
    backbone = Resizing()
    embed(Manifest.read(tmp_path / "large"), backbone, tmp_path / "s")
    assert backbone.seen == 1


def test_thumbnails_have_their_64_pixels(large: Manifest, tmp_path: Path) -> None:
    embed(large, Resizing(resized_to=2), tmp_path / "s", decode="reduced")
    for small, path in zip(read_thumbnails(tmp_path / "s", np.arange(6)), large.paths, strict=True):
        shown = Image.open(io.BytesIO(small))
        assert shown.size == (64, 64)
        assert (
            np.abs(np.asarray(shown, dtype=float) - np.asarray(read_image(Path(path)).resize((64, 64)))).max()
            < 4
        )


def test_threads_and_processes_decode_alike(large: Manifest) -> None:
    rows = Consecutive(0, 6, 4)
    for load in (load_batches, load_by_threads):
        backbone = Resizing()
        batches = list(
            load(PreparedImages(large.paths, backbone.preprocess, short_side=256), rows, workers=1)
        )
        assert sum(len(batch.read) for batch in batches) == 6
        # The process that reads has a copy of the backbone; this one is asked for the size of its pixels.
        assert set(backbone.sizes) <= {(256, 256), (THUMBNAIL, THUMBNAIL)}


def test_a_line_of_pixels_is_named_by_the_size_in_its_file(tmp_path: Path) -> None:
    Image.new("RGB", (512, 51712)).save(tmp_path / "line.jpg")
    images = PreparedImages([str(tmp_path / "line.jpg")], Resizing().preprocess, short_side=64)
    (batch,) = load_batches(images, [[0]])
    assert batch.unreadable == [(0, "too long and narrow (512 x 51712 pixels)")]


def test_predict_decodes_as_the_store_of_its_run(
    large: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {}
    for decode in ("full", "reduced"):
        run, backbone = tmp_path / f"{decode}.run", Resizing()
        fit(embed(large, backbone, tmp_path / f"{decode}.store", decode=decode), method="zero_shot", out=run)
        monkeypatch.setattr("evenhand.runs.predict.run_backbone", lambda *_, b=backbone, **__: b)
        backbone.sizes.clear()
        predict(run, tmp_path / "large", out=tmp_path / f"{decode}.csv")
        assert set(backbone.sizes) == {(SIDE, SIDE) if decode == "full" else (256, 256)}
        with (tmp_path / f"{decode}.csv").open() as stream:
            found[decode] = [row["predicted"] for row in csv.DictReader(stream)]
    assert found["full"] == found["reduced"]


def test_predict_skips_what_cannot_be_read_unless_that_is_all(
    large: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, out, backbone = tmp_path / "zero.run", tmp_path / "out.csv", Resizing()
    fit(embed(large, backbone, tmp_path / "large.store"), method="zero_shot", out=run)
    monkeypatch.setattr("evenhand.runs.predict.run_backbone", lambda *_, **__: backbone)
    paths = [Path(path) for path in large.paths]
    for path in paths[1:]:
        path.write_bytes(b"broken")
    found = predict(run, tmp_path / "large", out=out)
    assert (found["rows"], len(found["skipped"])) == (1, 5)
    before = out.read_bytes()
    paths[0].write_bytes(b"broken")
    with pytest.raises(EvenhandError, match=r"^none of the 6 images can be read; the first is .*: not an"):
        predict(run, tmp_path / "large", out=out)
    assert out.read_bytes() == before


def test_features_of_paths_are_those_of_the_whole_image_unless_asked(large: Manifest) -> None:
    for short_side, expected in ((None, SIDE), (512, 512)):
        backbone = Resizing()
        list(iter_features(large.paths, backbone, short_side=short_side))
        assert set(backbone.sizes) == {(expected, expected)}
