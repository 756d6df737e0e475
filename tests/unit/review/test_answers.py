"""Answers as people, spreadsheets and strangers write them."""

from pathlib import Path

import numpy as np
import pytest

from evenhand import EvenhandError, FeatureTable
from evenhand.review.answers import Answer, counted, question_of, read_answers, write_answers

TABLE = FeatureTable.from_arrays(np.eye(8), ["cat", "dog"] * 4)


def written(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "answers.csv"
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize(
    ("text", "word"),
    [
        *[(text, "yes") for text in ("yes", "YES", "y", "1", "1.0")],
        *[(text, "no") for text in ("no", "N", "2", "2.0")],
        *[(text, "unclear") for text in ("unclear", "cannot tell", "?", "0", "0.0")],
    ],
)
def test_words_and_keys_are_read(tmp_path: Path, text: str, word: str) -> None:
    path = written(tmp_path, f"id,answer\n3,{text}\n5,\n")
    assert read_answers(path, TABLE) == {3: Answer(word)}  # type: ignore[arg-type]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("between", [",", ";", "\t"])
def test_spreadsheets_are_read(tmp_path: Path, encoding: str, between: str) -> None:
    lines = [["id", "answer", "note"], ["3", "yes", "boat"], ["5", "no", ""]]
    path = written(tmp_path, "\r\n".join(map(between.join, lines)) + "\r\n", encoding)
    assert read_answers(path, TABLE) == {3: Answer("yes"), 5: Answer("no")}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("id,answer\n99,yes\n", "has the id '99', which is not a row of the store"),
        ("id,answer\n99,\n", "has the id '99', which is not a row of the store"),
        ("id,answer\n3,yes\n3,no\n", "answers 3 twice; keep one of its rows"),
        ("id,answer\n3,maybe\n", "has 'maybe' for 3; the allowed values are yes, no and unclear"),
        ("id,answer\n3,3\n", "has '3' for 3; the allowed values are yes, no and unclear"),
        ("name,answer\n3,yes\n", "answers: .* has no column 'id'"),
        ("id,reply\n3,yes\n", "answers: .* has no column 'answer'"),
        (
            "id,answer,question\n3,yes,Is it red?\n",
            "answers 'Is it red\\?', not 'Is it blue\\?'; name another file",
        ),
    ],
)
def test_hostile_files_end_in_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(EvenhandError, match=sentence):
        read_answers(written(tmp_path, text), TABLE, "Is it blue?")


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    path, question = tmp_path / "a.csv", 'Is it "blue", or not?'
    write_answers(path, TABLE, question, [(5, "no", "random"), (3, "yes", "candidate"), (1, "", "unsure")])
    assert path.read_text().splitlines()[0] == "id,label,path,answer,chosen,question"
    found = read_answers(path, TABLE, question)
    assert list(found.items()) == [(5, Answer("no", "random")), (3, Answer("yes", "candidate"))]
    assert question_of(path) == question


def test_a_file_need_not_say_its_question_nor_why(tmp_path: Path) -> None:
    path = written(tmp_path, "id,answer,chosen\n3,yes,because\n")
    assert question_of(path) is None
    assert read_answers(path, TABLE, "Is it blue?") == {3: Answer("yes", "")}


def test_answers_are_counted() -> None:
    assert counted({1: Answer("yes"), 2: Answer("yes"), 3: Answer("unclear")}) == "2 yes, 0 no, 1 unclear"
