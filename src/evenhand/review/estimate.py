"""Estimate groups, worst-group accuracy, and whether the shortcut is real, from about forty answers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from evenhand._counts import number_of
from evenhand._errors import EvenhandError
from evenhand._typing import Floats, PathLike, Strings
from evenhand.data.estimated import EstimatedColumn, write_estimated
from evenhand.data.table import FeatureTable
from evenhand.evaluation.accuracy import Rate, rate, worst
from evenhand.review.answers import Answers, counted, read_answers
from evenhand.review.attribute_probe import AttributeProbe
from evenhand.review.group_rates import drawn_accuracies, group_accuracies
from evenhand.review.rows import ReviewRows, review_rows
from evenhand.review.verdict import ClassGap, ShortcutVerdict, verdict_of

SIDES = ("no", "yes")
FEWEST_RANDOM = 8
"""Answers about randomly drawn rows from which on the error is over these alone."""


class AttributeEstimate(BaseModel):
    """The estimates for an attribute and a model from the answers.

    Attributes
    ----------
    question, model : str
        What was asked, and whose accuracy is estimated.
    answers : dict of str to int
        How many answered yes, no and unclear.
    rows : int
        Evaluated rows.
    error : Rate
        Share of answers that probes fitted to other answers contradict, with Wilson's interval. It is over
        the rows drawn at random if there are 8 or more, else over all. Wrong answers count as errors.
    error_of : "random" or "all"
        The answers that the error is over.
    groups : list of Rate
        Accuracy by class × yes or no. `n` is the expected number of rows.
    worst_group : Rate
        The lowest of them, with the interval of the lowest accuracy over the posterior draws.
    gaps : list of ClassGap
        For each class, accuracy with yes minus with no.
    shares : dict of str to float
        Estimated share of yes among the training rows of each class.
    verdict : ShortcutVerdict
        Whether the shortcut is real.
    notes : list of str, default=[]
        Limits of the estimate, one sentence each.
    values : str [M]
        The estimated attribute, yes or no, of every row of the store; not part of the JSON.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    question: str
    model: str
    answers: dict[str, int]
    rows: int
    error: Rate
    error_of: Literal["random", "all"]
    groups: list[Rate]
    worst_group: Rate
    gaps: list[ClassGap]
    shares: dict[str, float]
    verdict: ShortcutVerdict
    notes: list[str] = []
    values: Any = Field(exclude=True, repr=False)

    def column(
        self, name: str, used_for: Literal["evaluation", "training"] = "evaluation"
    ) -> EstimatedColumn:
        """Return the description of the attribute as a column of a store."""
        return EstimatedColumn(
            column=name,
            question=self.question,
            answers=self.answers["yes"] + self.answers["no"],
            error=self.error.value or 0.0,
            low=self.error.low or 0.0,
            high=1.0 if self.error.high is None else self.error.high,
            used_for=used_for,
        )


def estimate_attribute(
    table: FeatureTable,
    answers: Answers | PathLike,
    *,
    run: PathLike | None = None,
    question: str = "",
    seed: int = 0,
) -> AttributeEstimate:
    """Estimate an attribute of all rows, and accuracy by class × attribute, from answers about some rows.

    A logistic probe of the attribute is fitted to the answers by `functional.fit_noisy_logistic`, with
    an assumed 5 % of wrong answers. The accuracy of a group g = (class c, side a) is

        θ_g = Σ_{i in c, right} f_i(a) / Σ_{i in c} f_i(a),  f_i(a) = P(side of row i is a | answers)

    Its interval comes from 400 draws: prior variances by how well they predict answers that they were not
    fitted to, coefficients from their posterior, sides from f, and accuracy from Beta(right + ½, wrong + ½),
    with the limits 0 and 1 if all rows of a draw agree. So it counts the error of the probe, few answers
    and few rows.

    Parameters
    ----------
    table : FeatureTable
        The store, as `load_store` returns it.
    answers : mapping of int to Answer, or str or Path
        Answers by row number, or a CSV of them as `read_answers` reads it.
    run : str or Path, optional
        A run on the store, whose model is evaluated; zero-shot by default.
    question : str, default=""
        The question.
    seed : int, default=0
        Seed of the folds and draws.

    Returns
    -------
    AttributeEstimate

    Raises
    ------
    EvenhandError
        If the answers cannot be read, there are fewer than two of yes or of no, or the table or run cannot
        be evaluated.

    Examples
    --------
    >>> import numpy as np
    >>> from evenhand.review import Answer
    >>> rng = np.random.default_rng(0)
    >>> y, water = np.tile([0, 1], 200), rng.random(400) < 0.5
    >>> X = rng.normal(size=(400, 4)) + np.outer(y, [3, 0, 0, 0]) + np.outer(water, [0, 4, 0, 0])
    >>> table = FeatureTable.from_arrays(X, y)
    >>> asked = table.rows("test")[:40]
    >>> found = estimate_attribute(table, {int(r): Answer("yes" if water[r] else "no") for r in asked})
    >>> [group.name for group in found.groups]
    ['0 / no', '0 / yes', '1 / no', '1 / yes']
    >>> bool((found.values == np.where(water, "yes", "no")).mean() > 0.9)
    True
    """
    if not isinstance(answers, Mapping):
        answers = read_answers(Path(answers), table, question or None)
    rows = review_rows(table, run=None if run is None else Path(run), seed=seed)
    return estimate_on(rows, answers, question=question, seed=seed)


def estimate_on(
    rows: ReviewRows, answers: Answers, *, question: str = "", seed: int = 0
) -> AttributeEstimate:
    """As `estimate_attribute`, on rows that are already prepared."""
    table = rows.table
    probe = AttributeProbe.fit(rows, answers, seed)
    chance = probe.probabilities(rows)
    drawn = drawn_accuracies(rows, probe, seed)
    names = [f"{label} / {side}" for label in table.classes for side in SIDES]
    values, counts = group_accuracies(chance, rows)
    groups = [
        drawn.interval(name, value, count, cell)
        for cell, (name, value, count) in enumerate(
            zip(names, values.ravel().tolist(), counts.ravel().tolist(), strict=True)
        )
    ]
    least = worst(groups)
    assert least is not None, "every class has rows on some side"
    of_all = probe.of_rows(rows, np.arange(len(table)))
    shares = _training_shares(table, of_all)
    gaps = [
        ClassGap.of(label, shares, values[code], drawn.values[:, code])
        for code, label in enumerate(table.classes)
    ]
    error, error_of = cross_validated_error(rows, probe, answers)
    return AttributeEstimate(
        question=question,
        model=rows.model,
        answers={word: sum(a.word == word for a in answers.values()) for word in ("yes", "no", "unclear")},
        rows=len(rows),
        error=error,
        error_of=error_of,
        groups=groups,
        worst_group=drawn.worst(least),
        gaps=gaps,
        shares=shares,
        verdict=verdict_of(gaps, error),
        notes=_notes(rows, answers, probe, error_of),
        values=_values(of_all, answers),
    )


def write_attribute(
    table: FeatureTable,
    estimate: AttributeEstimate,
    column: str,
    *,
    used_for: Literal["evaluation", "training"] = "evaluation",
) -> None:
    """Add an estimated attribute to the store of a table, so that every command shows its groups.

    Parameters
    ----------
    table : FeatureTable
        As `load_store` returned it.
    estimate : AttributeEstimate
        Result of `estimate_attribute`.
    column : str
        Name of the new attribute; one that a review added before is replaced.
    used_for : "evaluation" or "training", default="evaluation"
        Whether methods that learn or choose by group labels may use it. Results and cards say which.

    Raises
    ------
    EvenhandError
        If the table has no store, the store has such a column of its own, or it cannot be written.
    """
    if table.source is None:
        raise EvenhandError("write: the table is in memory; make a store to add a column to")
    write_estimated(table.source, estimate.values, estimate.column(column, used_for))


def cross_validated_error(
    rows: ReviewRows, probe: AttributeProbe, answers: Answers
) -> tuple[Rate, Literal["random", "all"]]:
    """Return the share of answers that held-out probes contradict, and the answers that it is a share of."""
    contradicted = (probe.held_out > 0.5) != probe.yes
    drawn = np.array([answers[int(rows.numbers[place])].chosen == "random" for place in probe.places], bool)
    of: Literal["random", "all"] = "random" if drawn.sum() >= FEWEST_RANDOM else "all"
    return rate("error", contradicted[drawn] if of == "random" else contradicted), of


def _training_shares(table: FeatureTable, chance: Floats) -> dict[str, float]:
    train = table.rows("train")
    return {
        label: float(chance[train[table.y[train] == code]].mean()) for code, label in enumerate(table.classes)
    }


def _values(chance: Floats, answers: Answers) -> Strings:
    """Return yes or no for every row; an answer counts before the estimate."""
    values: Strings = np.where(chance > 0.5, "yes", "no")
    for row, answer in answers.items():
        if answer.word != "unclear":
            values[row] = answer.word
    return values


def _notes(rows: ReviewRows, answers: Answers, probe: AttributeProbe, error_of: str) -> list[str]:
    notes = []
    elsewhere = len(answers) - int(np.isin(rows.numbers, list(answers)).sum())
    if elsewhere:
        told = number_of(elsewhere, "answer is about a row that is", "answers are about rows that are")
        notes.append(f"{told} not evaluated, and left out")
    if error_of == "all":
        notes.append("the error is that of all answered rows, which are not a random sample")
    if len(probe.yes) < 20:
        notes.append(f"{number_of(len(probe.yes), 'answer is', 'answers are')} few: answer about 40")
    unclear = sum(answer.word == "unclear" for answer in answers.values())
    if 4 * unclear > len(answers):
        notes.append(f"{counted(answers)}: the question does not fit many of the images")
    return notes
