import io
import tarfile
from base64 import b64decode
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from evenhand import EvenhandError
from evenhand.audits.calibration_set import CalibrationRows
from evenhand.audits.error_analysis import ErrorAnalysis, analyze_run
from evenhand.reports.embedding_map import GRAY, OTHERS, VALUES, field, map_data
from evenhand.reports.galleries import PER_CLASS, calibration_galleries, changed_galleries, group_counts
from evenhand.reports.sampling import shown_rows
from evenhand.reports.slice_panels import NO_SLICE, NOT_SLICED, slice_section
from evenhand.reports.thumbnails import COLUMNS, SHEET, TILE, moved_away, sprite_sheets, thumbnails


@pytest.fixture(scope="module")
def view(small_run: Path) -> ErrorAnalysis:
    return analyze_run(small_run)


def jpeg(colour: tuple[int, int, int], size: tuple[int, int] = (64, 64)) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", size, colour).save(stream, "JPEG")
    return stream.getvalue()


def decoded(address: str) -> Image.Image:
    return Image.open(io.BytesIO(b64decode(address.removeprefix("data:image/jpeg;base64,"))))


def test_each_picture_lies_where_the_script_looks_for_it() -> None:
    colours = [(k % 2 * 255, 128, 255 - k % 2 * 255) for k in range(SHEET + 3)]
    sheets = sprite_sheets([jpeg(colour) for colour in colours])
    assert len(sheets) == 2
    for k in (0, 1, COLUMNS, COLUMNS + 1, SHEET - 1, SHEET, SHEET + 2):
        sheet, spot = decoded(sheets[k // SHEET]), k % SHEET
        x, y = TILE * (spot % COLUMNS) + TILE // 2, TILE * (spot // COLUMNS) + TILE // 2
        assert np.abs(np.subtract(sheet.getpixel((x, y)), colours[k])).max() < 12


def test_a_picture_that_is_no_square_keeps_its_shape() -> None:
    sheet = decoded(sprite_sheets([jpeg((255, 0, 0), (64, 32))])[0])
    assert sheet.size == (TILE, TILE)
    assert sheet.getpixel((32, 4))[0] < 160
    assert sheet.getpixel((32, 32))[0] > 240


def test_thumbnails_are_the_stores_own_and_moved_images_are_counted(view: ErrorAnalysis) -> None:
    found = thumbnails(view.models.table, np.array([5, 3, 5]))
    assert sorted(found) == [3, 5]
    assert decoded(sprite_sheets([found[3]])[0]).size == (64, 64)
    assert moved_away(view.models.table, np.array([3, 5])) == 2


def test_images_in_an_archive_have_not_moved(view: ErrorAnalysis, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"picture")
    with tarfile.open(tmp_path / "photos.tar", "w") as archive:
        archive.add(tmp_path / "a.png", "a.png")
    paths = np.array([f"{tmp_path}/photos.tar/a.png", f"{tmp_path}/photos.tar/b.png", f"{tmp_path}/a.png"])
    table = replace(view.models.table, paths=paths)
    assert [moved_away(table, np.array([row])) for row in range(3)] == [0, 1, 0]


def test_rare_values_share_a_colour() -> None:
    values = np.repeat([f"v{k:02d}" for k in range(20)], np.arange(20, 0, -1))
    found = field("class", values)
    assert len(found["values"]) == VALUES
    assert found["values"][-1] == OTHERS
    assert found["values"][0] == "v00"
    assert [found["values"][code] for code in found["codes"][:20]] == ["v00"] * 20
    assert found["codes"][-1] == VALUES - 1
    two = {"name": "class", "values": ["a", "b"], "colors": [0, 1], "codes": [1, 0]}
    assert field("class", ["b", "a"]) == two


def test_what_is_in_no_slice_is_grey_and_last() -> None:
    found = field("slice (ERM)", [NO_SLICE, "waterbird 1", NOT_SLICED, "landbird 1"])
    assert found["values"] == ["landbird 1", "waterbird 1", NO_SLICE, NOT_SLICED]
    assert found["colors"] == [0, 1, GRAY, GRAY]


def test_the_map_holds_every_test_row_of_a_small_run(view: ErrorAnalysis) -> None:
    places = shown_rows(view.models).on_map
    jpegs = thumbnails(view.models.table, view.models.split.test)
    sheets = sprite_sheets(list(jpegs.values()))
    found = map_data(view.models, places, slice_section(view).fields(view.models.split.test), sheets)
    assert (found["shown"], found["total"]) == (400, 400)
    assert [stage["name"] for stage in found["stages"]] == ["zero-shot", "ERM", "CFR"]
    for stage, own in zip(found["stages"], view.models.on_test, strict=True):
        assert len(stage["xy"]) == 800
        assert stage["predicted"] == own.predicted.tolist()
    assert [one["name"] for one in found["fields"]][:3] == ["group", "class", "place"]
    assert found["ids"] == view.models.table.ids[view.models.split.test].tolist()
    assert len(found["sheets"]) == 2


def test_calibration_pictures_are_the_runs_with_the_ends_of_large_classes(view: ErrorAnalysis) -> None:
    galleries, classes = calibration_galleries(view.models, view.calibration_set)
    assert classes == len(galleries) <= 2
    assert sum(gallery.total for gallery in galleries) == len(view.calibration_set.records)
    for gallery in galleries:
        assert len(gallery.images) == min(gallery.total, PER_CLASS)
        margins = [item.margin for item in gallery.images]
        assert margins == sorted(margins)
        own = [one["margin"] for one in view.calibration_set.records if one["label"] == gallery.title]
        assert (margins[0], margins[-1]) == (min(own), max(own))
        assert {str(view.models.table.ids[item.row]) for item in gallery.images} <= {
            one["id"] for one in view.calibration_set.records
        }


def test_of_a_large_class_forty_images_are_shown_from_both_ends(view: ErrorAnalysis) -> None:
    names = view.models.table.ids[:101].tolist()
    records = [{"id": name, "label": "cat", "margin": (37 * k) % 101} for k, name in enumerate(names)]
    rows = np.arange(len(names), dtype=np.int64)
    ((gallery,), classes) = calibration_galleries(view.models, CalibrationRows(records, rows))
    assert (classes, gallery.total) == (1, 101)
    assert [image.margin for image in gallery.images] == [*range(20), *range(81, 101)]


def test_changes_are_counted_on_all_rows_and_add_up(view: ErrorAnalysis) -> None:
    before, after = view.models.on_test[-2:]
    right, wrong = changed_galleries(view.models, shown_rows(view.models))
    assert right.total > 10
    assert right.total - wrong.total == int(after.right.sum()) - int(before.right.sum())
    for gallery, ends in ((right, (False, True)), (wrong, (True, False))):
        for item in gallery.images:
            assert tuple(name == item.label for name in item.predicted) == ends
    counts = group_counts(view.models)
    assert sum(n for _, n, _, _ in counts) == 400
    assert sum(n for _, _, n, _ in counts) == right.total
    assert sum(n for _, _, _, n in counts) == wrong.total


@pytest.mark.parametrize("content", [b"", b"%!PS-Adobe-3.0 EPSF-3.0\n", b"\xff\xd8\xff half"])
def test_a_thumbnail_that_is_no_jpeg_is_one_sentence(content: bytes) -> None:
    with pytest.raises(EvenhandError, match=r"a thumbnail of the store cannot be read .*; embed again"):
        sprite_sheets([content])
