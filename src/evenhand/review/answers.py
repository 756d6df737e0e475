"""Answers to one yes-or-no question about rows of a store, as a CSV that a spreadsheet can fill in."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from evenhand._errors import EvenhandError
from evenhand._files import atomic
from evenhand.data.table import FeatureTable
from evenhand.data.tables.read import read_columns

Word = Literal["yes", "no", "unclear"]
Why = Literal["random", "candidate", "unsure", ""]
WORDS: dict[str, Word] = {
    **dict.fromkeys(("yes", "y", "1", "1.0"), "yes"),
    **dict.fromkeys(("no", "n", "2", "2.0"), "no"),
    **dict.fromkeys(("unclear", "cannot tell", "?", "0", "0.0"), "unclear"),
}
"""Words for each answer, in upper or lower case; the digits are the keys of the page."""
ALLOWED = (
    "the allowed values are yes, no and unclear, or the keys 1, 2 and 0; leave it empty where nobody answered"
)
COLUMNS = ("id", "label", "path", "answer", "chosen", "question")


@dataclass(frozen=True)
class Answer:
    """The answer to the question about one row.

    Attributes
    ----------
    word : "yes", "no" or "unclear"
        The answer.
    chosen : "random", "candidate", "unsure" or "", default=""
        Why the row was asked about; only those drawn at random estimate an error without bias. Empty if the
        user chose it.
    """

    word: Word
    chosen: Why = ""


Answers = Mapping[int, Answer]
"""Answers by row number of the store, in the order in which they were given."""


def read_answers(path: Path, table: FeatureTable, question: str | None = None) -> dict[int, Answer]:
    r"""Read answers from a table with the columns `id` and `answer`; other columns may be missing.

    Parameters
    ----------
    path : Path
        CSV from a person, a spreadsheet or the review page, or another table that `import` reads.
    table : FeatureTable
        The store whose rows they are about.
    question : str, optional
        Question that the answers must be about, if the file names one.

    Returns
    -------
    dict of int to Answer
        By row number. Rows without an answer are left out.

    Raises
    ------
    EvenhandError
        If the file cannot be read, lacks a column, names an unknown row or a row twice, holds another
        answer, or answers another question.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> table = FeatureTable.from_arrays(np.eye(8), ["cat", "dog"] * 4)
    >>> path = Path(tempfile.mkdtemp()) / "answers.csv"
    >>> _ = path.write_text("id;answer\n3;yes\n5;\n")
    >>> read_answers(path, table)
    {3: Answer(word='yes', chosen='')}
    """
    columns = read_columns(Path(path))
    ids, texts = (columns.get(name, argument="answers").tolist() for name in ("id", "answer"))
    chosen = columns.values["chosen"].tolist() if "chosen" in columns.values else [""] * len(ids)
    asked = set(columns.values["question"].tolist()) - {""} if "question" in columns.values else set()
    if question is not None and asked - {question}:
        other = sorted(asked - {question})[0]
        raise EvenhandError(f"answers: {path} answers {other!r}, not {question!r}; name another file")
    places = {str(name): place for place, name in enumerate(table.ids.tolist())}
    found: dict[int, Answer] = {}
    for name, text, why in zip(ids, texts, chosen, strict=True):
        if name not in places:
            raise EvenhandError(f"answers: {path} has the id {name!r}, which is not a row of the store")
        if text == "":
            continue
        if text.lower() not in WORDS:
            raise EvenhandError(f"answers: {path} has {text!r} for {name}; {ALLOWED}")
        if places[name] in found:
            raise EvenhandError(f"answers: {path} answers {name} twice; keep one of its rows")
        known: Why = why if why in ("random", "candidate", "unsure") else ""
        found[places[name]] = Answer(WORDS[text.lower()], known)
    return found


def question_of(path: Path) -> str | None:
    """Return the question that a file of answers is about; None if it names none.

    Raises
    ------
    EvenhandError
        If the file cannot be read.
    """
    values = read_columns(Path(path)).values.get("question")
    return next((str(text) for text in ([] if values is None else values.tolist()) if text), None)


def write_answers(
    path: Path, table: FeatureTable, question: str, rows: Iterable[tuple[int, str, Why]]
) -> None:
    """Write (row number, answer or "", why it was chosen) as CSV, whole or not at all.

    Raises
    ------
    EvenhandError
        If the file cannot be written.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row, word, why in rows:
        label = table.classes[table.y[row]]
        writer.writerow([table.ids[row], label, table.paths[row], word, why, question])
    with atomic(path) as temporary:
        temporary.write_text(text.getvalue(), encoding="utf-8", newline="")


def counted(answers: Answers) -> str:
    """Return "12 yes, 25 no, 3 unclear"."""
    words = [answer.word for answer in answers.values()]
    return ", ".join(f"{words.count(word)} {word}" for word in ("yes", "no", "unclear"))
