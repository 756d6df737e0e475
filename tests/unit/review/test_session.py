"""A review: every answer is kept, taken back, and found again after a kill."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.unit.review.conftest import MakeStore

from evenhand import EvenhandError, load_store
from evenhand.review import ReviewRows, read_answers, review_rows
from evenhand.review.session import ReviewSession

QUESTION = "Is it at sea?"


def answered(session: ReviewSession, n: int, word: str = "yes") -> list[int]:
    rows = []
    for _ in range(n):
        rows.append(session.state()["row"])
        session.answer(rows[-1], word)
    return rows


def test_answers_are_on_the_disk_one_by_one_and_rows_end(stored: ReviewRows, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    session = ReviewSession(stored, QUESTION, path, 12)
    assert session.state() | {"row": 0, "id": ""} == {
        "question": QUESTION, "answered": 0, "total": 12, "row": 0, "image": True, "id": "", "undo": False,
    }  # fmt: skip
    for n in range(12):
        answered(session, 1, ("yes", "no", "unclear")[n % 3])
        assert len(read_answers(path, stored.table, QUESTION)) == n + 1 == session.state()["answered"]
    assert (session.state()["row"], session.state()["total"]) == (None, 12)


def test_undo_asks_again_from_the_last_answer_on(stored: ReviewRows, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    session = ReviewSession(stored, QUESTION, path, 12)
    session.undo()
    first, second, third = answered(session, 3)
    session.undo()
    assert session.state()["row"] == third
    session.undo()
    assert session.state()["row"] == second
    assert list(read_answers(path, stored.table)) == [first] == list(session.answers)
    session.undo()
    assert session.state() | {"id": ""} == {
        "question": QUESTION,
        "answered": 0,
        "total": 12,
        "row": first,
        "image": True,
        "id": "",
        "undo": False,
    }


def test_another_session_goes_on_where_a_killed_one_was(stored: ReviewRows, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    rows = answered(ReviewSession(stored, QUESTION, path, 12), 7)
    again = ReviewSession(stored, QUESTION, path, 12)
    assert list(again.answers) == rows
    assert (again.state()["answered"], again.state()["total"]) == (7, 12)
    assert again.state()["row"] not in rows
    again.undo()
    assert again.state()["row"] == rows[-1]
    with pytest.raises(EvenhandError, match="not 'Is it red"):
        ReviewSession(stored, "Is it red?", path, 12)


def test_two_tabs_answer_the_same_row_once(stored: ReviewRows, tmp_path: Path) -> None:
    session = ReviewSession(stored, QUESTION, tmp_path / "a.csv", 12)
    row = session.state()["row"]
    session.answer(row, "yes")
    session.answer(row, "no")
    assert {k: answer.word for k, answer in session.answers.items()} == {row: "no"}
    assert session.state()["answered"] == 1


@pytest.mark.parametrize(
    ("row", "word", "sentence"),
    [
        (10**9, "yes", "row: 1000000000 is not a row of this review"),
        ("3", "yes", "row: '3' is not a row"),
        (None, "yes", "row: None is not a row"),
        (-1, "maybe", "answer: got 'maybe'; the allowed values are yes, no and unclear"),
        (-1, None, "answer: got None"),
    ],
)
def test_what_no_page_sends_changes_nothing(
    stored: ReviewRows, tmp_path: Path, row: object, word: object, sentence: str
) -> None:
    session = ReviewSession(stored, QUESTION, tmp_path / "a.csv", 12)
    with pytest.raises(EvenhandError, match=sentence):
        session.answer(session.state()["row"] if row == -1 else row, word)
    assert session.answers == {}
    assert not (tmp_path / "a.csv").exists()


def test_a_small_set_ends_early(stored: ReviewRows, tmp_path: Path) -> None:
    few = replace(
        stored,
        numbers=stored.numbers[:5],
        y=stored.y[:5],
        right=stored.right[:5],
        features=stored.features[:5],
        rank=stored.rank[:5],
    )
    session = ReviewSession(few, QUESTION, tmp_path / "a.csv", 40)
    assert session.state()["total"] == 5
    answered(session, 5)
    assert session.state()["row"] is None


def test_images_are_files_or_else_thumbnails(make_store: MakeStore, tmp_path: Path) -> None:
    from PIL import Image

    Image.new("RGB", (2000, 1000), "red").save(tmp_path / "there.png")
    paths = [str(tmp_path / ("there.png" if k % 2 else "gone.png")) for k in range(600)]
    rows = review_rows(load_store(make_store(paths=paths)))
    session = ReviewSession(rows, QUESTION, tmp_path / "a.csv", 10)
    sizes = {}
    for _ in range(10):
        row = session.state()["row"]
        found = session.image(row)
        assert found is not None
        (tmp_path / "seen.jpg").write_bytes(found)
        sizes[row % 2] = Image.open(tmp_path / "seen.jpg").size
        session.answer(row, "yes")
    assert sizes == {1: (768, 384), 0: (64, 64)}
    strange = int(np.setdiff1d(rows.numbers, list(session.answers))[0])
    assert session.image(strange) is None


def test_a_store_of_embeddings_has_no_image(make_store: MakeStore, tmp_path: Path) -> None:
    session = ReviewSession(
        review_rows(load_store(make_store(images=False))), QUESTION, tmp_path / "a.csv", 4
    )
    state = session.state()
    assert state["image"] is False
    assert state["id"] == f"row-{state['row']}"
