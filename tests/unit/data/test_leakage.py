"""The same bytes in two splits or under two labels are found, and few files are read for it."""

import csv

import numpy as np
import pytest

from evenhand.data import leakage as module
from evenhand.data.leakage import copies, kept_together, leakage, write_copies


@pytest.fixture
def files(tmp_path):
    def write(*contents):
        paths = []
        for index, content in enumerate(contents):
            paths.append(str(tmp_path / f"{index}.png"))
            if content is not None:
                (tmp_path / f"{index}.png").write_bytes(content)
        return np.array(paths)

    return write


def text(letters: str) -> np.ndarray:
    return np.array(letters.split())


def test_equal_files_are_found(files):
    assert copies(files(b"aaa", b"bbb", b"aaa", b"aaa", b"c", b"bbb")) == [[0, 2, 3], [1, 5]]


def test_files_that_begin_alike_are_compared_whole(files):
    start = b"x" * module.HEAD
    assert copies(files(start + b"1", start + b"2", start + b"1")) == [[0, 2]]


def test_missing_and_empty_files_are_passed_over(files):
    assert copies(files(None, None, b"", b"")) == []


def test_only_files_that_may_be_equal_are_hashed(files, monkeypatch):
    hashed = []
    monkeypatch.setattr(module, "file_sha256", lambda path: hashed.append(path.name) or path.name)
    copies(files(b"a", b"bb", b"cc", b"ddd", b"ddd"))
    assert sorted(hashed) == ["3.png", "4.png"]


def test_counts_and_names_a_pair():
    told = leakage([[0, 2, 3]], text("v w x y"), text("train train test train"), text("a a a a"), drawn=False)
    assert told == [
        "leakage: 3 images have the same content as an image in another split, "
        "for example v (train) and x (test)"
    ]


def test_copies_within_a_split_do_not_leak():
    assert leakage([[0, 1]], text("v w"), text("train train"), text("a a"), drawn=False) == []


def test_one_content_under_two_labels_is_a_conflict_and_no_leak():
    told = leakage([[0, 1]], text("v w"), text("train test"), text("a b"), drawn=False)
    assert told == [
        "label conflict: 2 images have the same content as an image with another label, "
        "for example v (a) and w (b)"
    ]


def test_copies_that_were_drawn_together_are_said():
    told = leakage([[0, 1]], text("v w"), text("test test"), text("a a"), drawn=True)
    assert told == ["2 images are copies of others: copies are kept in one split"]


def test_every_copy_is_listed_with_its_kind(tmp_path):
    sets = [[0, 1, 2], [3, 4]]
    split, labels = text("train train test train test"), text("a a a b c")
    write_copies(tmp_path / "copies.csv", sets, [[0, 1]], text("p q r s t"), split, labels)
    with (tmp_path / "copies.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["kind"], row["id"], row["copy_id"], row["content"]) for row in rows] == [
        ("copy", "p", "q", "the same"),
        ("leakage", "p", "r", "nearly the same"),
        ("label conflict", "s", "t", "nearly the same"),
    ]


def test_units_and_copies_are_joined():
    units = text("ann bob ann - -")
    units[units == "-"] = ""
    found = kept_together([[1, 3]], units, 5)
    assert found is not None
    assert found[0] == found[2]
    assert found[1] == found[3]
    assert len(set(found.tolist())) == 3
    assert kept_together([], None, 5) is None
