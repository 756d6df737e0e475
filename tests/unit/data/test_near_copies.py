"""An image that was saved again is found by its thumbnail, or by features that hardly differ."""

import csv
import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from evenhand.data import near_copies as module
from evenhand.data.near_copies import near_copies
from evenhand.data.settle_copies import KnownCopies, settle_copies
from evenhand.data.store_layout import UNITS, features_name, thumbnails_name


def scene(seed, size=96):
    """A picture of a few soft patches of color, as different from the next as photographs are."""
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 256, (6, 6, 3), dtype=np.uint8))
    return small.resize((size, size), Image.Resampling.BICUBIC)


def saved(image, kind="JPEG", **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return Image.open(io.BytesIO(stream.getvalue())).convert("RGB")


def store_of(tmp_path, images, parts=1):
    """Write thumbnails as a store keeps them."""
    (tmp_path / "thumbnails").mkdir()
    sizes = [len(block) for block in np.array_split(np.arange(len(images)), parts)]
    jpegs = []
    for image in images:
        image = image.copy()
        image.thumbnail((64, 64))
        stream = io.BytesIO()
        image.save(stream, "JPEG", quality=80)
        jpegs.append(stream.getvalue())
    start = 0
    for part, size in enumerate(sizes):
        table = pa.table({"jpeg": pa.array(jpegs[start : start + size], pa.binary())})
        pq.write_table(table, tmp_path / thumbnails_name(part))
        start += size
    return tmp_path, sizes


def features_of(tmp_path, *parts):
    (tmp_path / "features").mkdir()
    for number, part in enumerate(parts):
        np.save(tmp_path / features_name(number), part)
    return tmp_path, [len(part) for part in parts]


@pytest.mark.parametrize(
    "again",
    [
        lambda image: saved(image, quality=50),
        lambda image: saved(image, "PNG"),
        lambda image: saved(image, "WEBP", quality=60),
        lambda image: saved(image.resize((48, 48)), quality=85),
        lambda image: saved(image.resize((192, 192)), quality=75),
    ],
)
def test_an_image_saved_again_is_found(tmp_path, again):
    images = [saved(scene(seed), quality=90) for seed in range(30)]
    store, parts = store_of(tmp_path, [*images, again(images[7])], parts=3)
    assert near_copies(store, parts) == [[7, 30]]


def test_the_bounds_between_a_copy_and_another_image():
    """Stripes of one cell, and of two cells, which are orthogonal to them."""
    narrow, wide = (np.where(np.arange(256) // width % 2, 1, -1) for width in (1, 2))
    spot = np.eye(256, dtype=int)[1]

    def found(one, other):
        cells = 128 + np.stack([one, other])[:, :, None].repeat(3, axis=2)
        return [list(rows) for rows in module._same_images(cells.astype(np.uint8))]

    assert [found(100 * narrow, 100 * narrow + k * wide) for k in (14, 15)] == [[[0, 1]], []]
    assert [found(100 * narrow, 100 * narrow + k * spot) for k in (25, 26)] == [[[0, 1]], []]
    assert [found(k * narrow, k * narrow) for k in (10, 9)] == [[[0, 1]], []]


def test_a_thing_in_front_of_the_same_ground_is_another_image(tmp_path):
    empty, animal = scene(0), scene(0)
    animal.paste((20, 20, 20), (40, 40, 54, 54))
    assert near_copies(*store_of(tmp_path, [empty, animal])) == []


def test_blank_images_are_no_copies(tmp_path):
    blank = [Image.new("RGB", (64, 64), (gray, gray, gray)) for gray in (200, 201, 202)]
    assert near_copies(*store_of(tmp_path, [*blank, scene(1)])) == []


def test_the_same_shape_in_another_color_is_another_image(tmp_path):
    shape = scene(3).convert("L")
    red, blue = (
        Image.merge("RGB", [shape if k == c else Image.new("L", (96, 96)) for k in range(3)]) for c in (0, 2)
    )
    assert near_copies(*store_of(tmp_path, [red, blue])) == []


def test_many_equal_images_are_one_set(tmp_path):
    store, parts = store_of(tmp_path, [scene(5)] * 40 + [scene(6)])
    assert near_copies(store, parts) == [list(range(40))]


def test_without_thumbnails_features_decide(tmp_path):
    rows = np.random.default_rng(0).standard_normal((20, 32)).astype(np.float32)
    rows[12] = 3 * rows[4] + 0.05  # cosine above 0.999
    rows[13] = rows[5] + 0.2 * rows[6]  # about 0.98
    assert near_copies(*features_of(tmp_path, rows[:10], rows[10:])) == [[4, 12]]


def test_features_that_chain_are_no_copies(tmp_path):
    """Neighbors on an arc are alike, its ends are not; of two or three copies at least half the pairs are."""
    angle = np.concatenate([np.linspace(0, 1, 40), [2, 2.01], [3, 3.06, 3.12], 4 + 0.06 * np.arange(5)])
    arc = np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)
    assert np.cos(0.06) > module.LEAST_FEATURES > np.cos(0.12)
    assert near_copies(*features_of(tmp_path, arc)) == [[40, 41], [42, 43, 44]]


def test_empty_rows_of_features_are_no_copies(tmp_path):
    assert near_copies(*features_of(tmp_path, np.zeros((4, 8), dtype=np.float32))) == []


def test_nothing_is_said_of_too_many_rows(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MOST_ROWS", 19)
    rows = np.ones((20, 4), dtype=np.float32)
    assert near_copies(*features_of(tmp_path, rows)) is None


def rows_of(split, label=None, units=None):
    n = len(split)
    columns = {"id": [f"r{k}" for k in range(n)], "split": split, "label": label or ["a"] * n}
    return pa.table(columns if units is None else {**columns, UNITS: units})


@pytest.fixture
def four(tmp_path):
    """A store of four images, the first two of which are one, saved twice."""
    image = scene(1)
    return store_of(tmp_path, [image, saved(image, quality=60), scene(2), scene(3)])


def listed(store):
    with (store / "copies.csv").open(newline="") as stream:
        return [(row["kind"], row["id"], row["copy_id"], row["content"]) for row in csv.DictReader(stream)]


def test_given_splits_stay_and_the_leak_is_listed(four):
    split = ["train", "test", "test", "train"]
    rows, notes = settle_copies(*four_args(four, rows_of(split)), KnownCopies())
    assert rows["split"].to_pylist() == split
    assert notes == [
        "leakage: 2 images have nearly the same content as an image in another split, "
        "for example r0 (train) and r1 (test)"
    ]
    assert listed(four[0]) == [("leakage", "r0", "r1", "nearly the same")]


def test_drawn_splits_take_copies_together(four):
    rows, notes = settle_copies(
        *four_args(four, rows_of(["validation", "train", "test", "train"])), KnownCopies(drawn=True)
    )
    assert rows["split"].to_pylist() == ["train", "train", "test", "train"]
    assert notes == [
        "2 images are copies of others, some saved again; copies are kept in one split (1 moved)"
    ]
    assert listed(four[0]) == [("copy", "r0", "r1", "nearly the same")]
    assert rows["copy_of"].to_pylist() == ["r0", "r0", "", ""]


def test_an_attribute_of_that_name_stays(four):
    rows = rows_of(["train", "test", "test", "train"]).append_column("copy_of", pa.array(list("wxyz")))
    settled, _ = settle_copies(*four_args(four, rows), KnownCopies())
    assert settled["copy_of"].to_pylist() == list("wxyz")


def test_what_belongs_to_a_copy_moves_with_it(four):
    rows = rows_of(["train", "test", "test", "test"], units=["", "ann", "ann", ""])
    settled, _ = settle_copies(*four_args(four, rows), KnownCopies(drawn=True))
    assert settled["split"].to_pylist() == ["train", "train", "train", "test"]


def test_two_labels_are_a_conflict_and_no_leak(four):
    rows = rows_of(["train", "test", "test", "train"], label=["a", "b", "a", "b"])
    _, notes = settle_copies(*four_args(four, rows), KnownCopies())
    assert notes == [
        "label conflict: 2 images have nearly the same content as an image with another label, "
        "for example r0 (a) and r1 (b)"
    ]
    assert listed(four[0]) == [("label conflict", "r0", "r1", "nearly the same")]


def test_files_with_the_same_bytes_are_not_told_twice(four):
    _, notes = settle_copies(
        *four_args(four, rows_of(["train", "test", "test", "train"])), KnownCopies([["r0", "gone", "r1"]])
    )
    assert notes == []
    assert listed(four[0]) == [("leakage", "r0", "r1", "the same")]


def test_no_copies_no_list(tmp_path):
    store, parts = store_of(tmp_path, [scene(1), scene(2)])
    rows = rows_of(["train", "test"])
    assert settle_copies(store, rows, parts, KnownCopies(drawn=True)) == (rows, [])
    assert not (store / "copies.csv").exists()


@pytest.mark.parametrize(
    ("name", "why"), [("MOST_ROWS", "4 rows are more than 3"), ("x", "too many rows are nearly the same")]
)
def test_what_is_not_looked_for_is_said(four, monkeypatch, name, why):
    if name == "MOST_ROWS":
        monkeypatch.setattr(module, name, 3)
        monkeypatch.setattr("evenhand.data.settle_copies.MOST_ROWS", 3)
    else:
        monkeypatch.setattr(module, "pairs_alike", lambda *_: None)
    _, notes = settle_copies(*four_args(four, rows_of(["train", "test", "test", "train"])), KnownCopies())
    assert notes == [f"copies that were saved again are not looked for: {why}"]


def four_args(four, rows):
    store, parts = four
    return store, rows, parts
