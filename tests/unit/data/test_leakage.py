"""The same bytes in two splits are found, and few files are read for it."""

import numpy as np
import pytest

from evenhand.data import leakage as module
from evenhand.data.leakage import leakage


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


def test_counts_and_names_a_pair(files):
    paths = files(b"aaa", b"bbb", b"aaa", b"aaa", b"c")
    note = leakage(paths, np.array(list("vwxyz")), np.array(["train", "train", "test", "train", "test"]))
    assert note == (
        "leakage: 3 images have the same content as an image in another split, "
        "for example v (train) and x (test)"
    )


def test_copies_within_a_split_do_not_leak(files):
    assert (
        leakage(files(b"aa", b"aa", b"bb"), np.array(list("abc")), np.array(["train", "train", "test"]))
        is None
    )


def test_missing_and_empty_files_are_passed_over(files):
    assert (
        leakage(files(None, None, b"", b""), np.array(list("abcd")), np.array(["train", "test"] * 2)) is None
    )


def test_only_files_of_equal_size_are_hashed(files, monkeypatch):
    hashed = []
    monkeypatch.setattr(module, "sha256", lambda path: hashed.append(path.name) or path.name)
    paths = files(b"a", b"bb", b"cc", b"ddd", b"ddd")
    leakage(paths, np.array(list("abcde")), np.array(["train", "train", "test", "train", "train"]))
    assert sorted(hashed) == ["1.png", "2.png"]
