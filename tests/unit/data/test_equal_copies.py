"""Files with the same bytes are found, and few files are read for it."""

import numpy as np
import pytest

from evenhand.data import equal_copies as module
from evenhand.data.equal_copies import equal_copies


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


def test_equal_files_are_found(files):
    assert equal_copies(files(b"aaa", b"bbb", b"aaa", b"aaa", b"c", b"bbb")) == [[0, 2, 3], [1, 5]]


def test_files_that_begin_alike_are_compared_whole(files):
    start = b"x" * module.HEAD
    assert equal_copies(files(start + b"1", start + b"2", start + b"1")) == [[0, 2]]


def test_missing_and_empty_files_are_passed_over(files):
    assert equal_copies(files(None, None, b"", b"")) == []


def test_only_files_that_may_be_equal_are_hashed(files, monkeypatch):
    hashed = []
    monkeypatch.setattr(module, "file_sha256", lambda path: hashed.append(path.name) or path.name)
    equal_copies(files(b"a", b"bb", b"cc", b"ddd", b"ddd"))
    assert sorted(hashed) == ["3.png", "4.png"]
