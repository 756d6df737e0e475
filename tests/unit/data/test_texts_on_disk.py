"""A list that lies on the disk reads as the list does, wherever it is read."""

import os
from copy import copy
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenhand.data.texts_on_disk import TextsOnDisk


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]))))
def test_it_holds_what_it_was_given(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    found = TextsOnDisk(iter(texts), tmp_path_factory.getbasetemp())
    assert list(found) == texts
    assert len(found) == len(texts)


def test_it_leaves_nothing_in_its_folder(tmp_path: Path) -> None:
    found = TextsOnDisk(["a", "ü"], tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert found[1] == "ü"


@pytest.mark.parametrize("position", [2, -1])
def test_a_position_that_is_none(position: int, tmp_path: Path) -> None:
    with pytest.raises(IndexError, match=f"position {position} of 2 texts"):
        TextsOnDisk(["a", "b"], tmp_path)[position]


def test_a_forked_process_reads_it_and_another_gets_the_texts(tmp_path: Path) -> None:
    found = TextsOnDisk((str(k) for k in range(1000)), tmp_path)
    child = os.fork()
    if child == 0:
        os._exit(0 if found[999] == "999" else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert found[0] == "0"
    assert copy(found) == [str(k) for k in range(1000)]  # by the way of pickle
