from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from evenhand import EvenhandError
from evenhand.datasets.celeba import CelebA

from .conftest import picture, table

NAMES = ("5_o_Clock_Shadow", "Blond_Hair", "Male", "Young")
N = 24
FOUND = {"train": 16, "validation": 4, "test": 4}


def attributes() -> list[list[int]]:
    return [[1, 1 if k % 3 == 0 else -1, 1 if k % 2 else -1, -1] for k in range(N)]


def images(folder: Path) -> None:
    for k in range(N):
        picture(folder / f"{k + 1:06d}.jpg")


def split(k: int) -> int:
    return 0 if k < 16 else 1 if k < 20 else 2


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    """CSV files, and images in a folder of the same name as the one above."""
    rows = [[f"{k + 1:06d}.jpg", *row] for k, row in enumerate(attributes())]
    table(tmp_path / "list_attr_celeba.csv", f"image_id,{','.join(NAMES)}", rows)
    parts = [[f"{k + 1:06d}.jpg", split(k)] for k in range(N)]
    table(tmp_path / "list_eval_partition.csv", "image_id,partition", parts)
    images(tmp_path / "img_align_celeba/img_align_celeba")
    return tmp_path


@pytest.fixture
def txt(tmp_path: Path) -> Path:
    """The authors' text files in their folders Anno, Eval and Img."""
    lines = [f"{k + 1:06d}.jpg  {'  '.join(map(str, row))}" for k, row in enumerate(attributes())]
    for folder in ("Anno", "Eval"):
        (tmp_path / folder).mkdir()
    (tmp_path / "Anno/list_attr_celeba.txt").write_text(
        "\n".join([str(N), " ".join(NAMES) + " ", *lines]) + "\n"
    )
    parts = [f"{k + 1:06d}.jpg {split(k)}" for k in range(N)]
    (tmp_path / "Eval/list_eval_partition.txt").write_text("\n".join(parts) + "\n")
    images(tmp_path / "Img/img_align_celeba")
    return tmp_path


@pytest.mark.parametrize("layout", ["csv", "txt"])
def test_both_layouts_say_the_same(layout: str, request: pytest.FixtureRequest) -> None:
    data = request.getfixturevalue(layout)
    found = CelebA(expected=FOUND).load(data, data)
    assert found.classes == ("blond", "not blond")
    assert np.asarray(found.classes)[found.y][:4].tolist() == ["blond", "not blond", "not blond", "blond"]
    assert found.attributes["gender"][:2].tolist() == ["female", "male"]
    assert found.split.tolist() == ["train"] * 16 + ["validation"] * 4 + ["test"] * 4
    assert all(Path(path).is_file() for path in found.paths)
    assert set(CelebA().prompts()) == set(found.classes)


def test_any_two_attributes_make_a_task(csv: Path) -> None:
    task = CelebA(label="Male", attribute="Blond_Hair", expected=FOUND)
    found = task.load(csv, csv)
    assert found.classes == ("female", "male")
    assert set(found.attributes["blond_hair"]) == {"blond", "not blond"}
    assert set(task.prompts()) == set(found.classes)


def test_official_sizes_are_expected(csv: Path) -> None:
    with pytest.raises(EvenhandError, match="CelebA: train has 16 rows, CelebA has 162,770"):
        CelebA().load(csv, csv)


def test_an_unknown_attribute_is_told_with_those_there_are(csv: Path) -> None:
    with pytest.raises(
        EvenhandError, match=r"has no column 'Hat'; its columns are image_id, 5_o_Clock_Shadow"
    ):
        CelebA(label="Hat").load(csv, csv)


@pytest.mark.parametrize("name", ["list_attr_celeba.csv", "list_eval_partition.csv", "img_align_celeba"])
def test_missing_files_are_named(csv: Path, name: str) -> None:
    (csv / name).rename(csv / "renamed")
    with pytest.raises(EvenhandError, match=rf"CelebA: .*{name}.* is not in .*; the folder holds .*renamed"):
        CelebA(expected=FOUND).load(csv, csv)


def test_missing_images_are_named(csv: Path) -> None:
    (csv / "img_align_celeba/img_align_celeba/000003.jpg").unlink()
    with pytest.raises(
        EvenhandError, match=r"1 of the 24 images that list_attr_celeba.csv lists are missing"
    ):
        CelebA(expected=FOUND).load(csv, csv)


def test_an_image_without_a_split_is_named(csv: Path) -> None:
    file = csv / "list_eval_partition.csv"
    file.write_text("\n".join(file.read_text().splitlines()[:-1]))
    with pytest.raises(
        EvenhandError, match=r"list_eval_partition.csv does not list 000024.jpg; use the original"
    ):
        CelebA(expected=FOUND).load(csv, csv)


def test_a_broken_line_is_named(txt: Path) -> None:
    file = txt / "Anno/list_attr_celeba.txt"
    file.write_text(file.read_text() + "000025.jpg 1 -1\n")
    with pytest.raises(EvenhandError, match=r"list_attr_celeba.txt has 3 values at row 25, not 5; use the"):
        CelebA(expected=FOUND).load(txt, txt)


def test_an_empty_file_is_told(txt: Path) -> None:
    (txt / "Eval/list_eval_partition.txt").write_text("")
    with pytest.raises(EvenhandError, match=r"list_eval_partition.txt has 0 values at row 1, not 2; use the"):
        CelebA(expected=FOUND).load(txt, txt)
