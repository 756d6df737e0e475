"""One person's review: the rows to ask about, the answers so far, and the file that keeps them."""

from __future__ import annotations

import io
from pathlib import Path
from threading import RLock
from typing import Any, get_args

import numpy as np

from evenhand._errors import EvenhandError
from evenhand.data.images.decode import UnreadableImage, read_image
from evenhand.data.store import read_thumbnails
from evenhand.review.answers import Answer, Why, Word, read_answers, write_answers
from evenhand.review.choose import ROUND, choose_rows
from evenhand.review.rows import ReviewRows

SIDE = 768
"""Longest side of an image on the page, in pixels."""


class ReviewSession:
    """Ask about up to `n` rows; every answer is on disk before the next row is shown.

    All methods may be called from several threads: two tabs see one review.

    Parameters
    ----------
    rows : ReviewRows
        The evaluated rows.
    question : str
        What is asked.
    path : Path
        The CSV of answers; the answers of an earlier session are read from it.
    n : int
        Rows to ask about, including those that are already answered.
    seed : int
        Seed of the draws of rows.

    Raises
    ------
    EvenhandError
        If the file cannot be read, or answers another question.
    """

    def __init__(self, rows: ReviewRows, question: str, path: Path, n: int, seed: int = 0) -> None:
        self._rows, self.question, self._path, self._n, self._seed = rows, question, path, n, seed
        self.answers = read_answers(path, rows.table, question) if path.exists() else {}
        self._lock = RLock()
        self._queue: list[tuple[int, Why]] = []
        self._images: dict[int, bytes | None] = {}
        self._refill()

    def state(self) -> dict[str, Any]:
        """Return what the page shows: question, progress, the row to answer and whether there is an undo."""
        with self._lock:
            row = self._queue[0][0] if self._queue else None
            return {
                "question": self.question,
                "answered": len(self.answers),
                "total": len(self.answers) + self._to_come(),
                "row": row,
                "image": row is not None and self.image(row) is not None,
                "id": None if row is None else str(self._rows.table.ids[row]),
                "undo": bool(self.answers),
            }

    def answer(self, row: object, word: object) -> None:
        """Take one answer; a row that another tab answered meanwhile gets the new answer.

        Raises
        ------
        EvenhandError
            If the row is not in this review, the answer is unknown, or the file cannot be written.
        """
        with self._lock:
            waiting = dict(self._queue)
            if word not in get_args(Word):
                raise EvenhandError(f"answer: got {word!r}; the allowed values are yes, no and unclear")
            if not isinstance(row, int) or (row not in waiting and row not in self.answers):
                raise EvenhandError(f"row: {row!r} is not a row of this review")
            why = waiting[row] if row in waiting else self.answers[row].chosen
            self._keep({**self.answers, row: Answer(word, why)})  # type: ignore[arg-type]
            self._queue = [one for one in self._queue if one[0] != row]
            self._refill()

    def undo(self) -> None:
        """Take the last answer back and ask about its row again; without answers nothing happens."""
        with self._lock:
            if not self.answers:
                return
            row, last = list(self.answers.items())[-1]
            self._keep({other: answer for other, answer in self.answers.items() if other != row})
            self._queue.insert(0, (row, last.chosen))

    def image(self, row: int) -> bytes | None:
        """Return a row's image as JPEG: its file, or else the store's thumbnail; None without either.

        Only rows of this review have images here.
        """
        with self._lock:
            if row not in self.answers and row not in dict(self._queue):
                return None
            if row not in self._images:
                self._images[row] = self._read(row)
            return self._images[row]

    def _read(self, row: int) -> bytes | None:
        path = str(self._rows.table.paths[row])
        try:
            return _as_jpeg(Path(path)) if path else self._thumbnail(row)
        except UnreadableImage:
            return self._thumbnail(row)

    def _thumbnail(self, row: int) -> bytes | None:
        source = self._rows.table.source
        found = [] if source is None else read_thumbnails(source, np.array([row], dtype=np.int64))
        return found[0] if found else None

    def _keep(self, answers: dict[int, Answer]) -> None:
        rows = [(row, answer.word, answer.chosen) for row, answer in answers.items()]
        write_answers(self._path, self._rows.table, self.question, rows)
        self.answers = answers

    def _to_come(self) -> int:
        asked = len(self.answers) + len(self._queue)
        return len(self._queue) + max(0, min(self._n, len(self._rows)) - asked)

    def _refill(self) -> None:
        missing = self._n - len(self.answers)
        if not self._queue and missing > 0:
            self._queue = choose_rows(self._rows, self.answers, min(ROUND, missing), self._seed)


def _as_jpeg(path: Path) -> bytes:
    image = read_image(path)
    image.thumbnail((SIDE, SIDE))
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=88)
    return stream.getvalue()
