"""Which rows to ask about next: at random, on both sides of the candidate, and where the probe is unsure."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from evenhand._errors import EvenhandError
from evenhand._random import numpy_stream
from evenhand._typing import Bools, Floats, Ints
from evenhand.review.answers import Answers, Why
from evenhand.review.attribute_probe import AttributeProbe
from evenhand.review.rows import RARE, USUAL, ReviewRows

ROUND = 10
"""Rows that are chosen at once, before their answers are used."""
NEAREST = 0.1
"""Share of a class's rows that count as unsure: those whose probability of yes is nearest to ½."""
KINDS = ("random", "rare", "unsure", "usual")
"""Kinds of every four rows, with the classes in turn. The random ones estimate the error without bias."""


def choose_rows(rows: ReviewRows, answers: Answers, n: int, seed: int = 0) -> list[tuple[int, Why]]:
    """Return up to n rows to ask about next, as (row number in the store, why).

    A quarter is drawn at random from all evaluated rows. The others go by class: likely exceptions to what
    goes with the label, usual rows, and rows in between, by the rank of the shortcut probe's margin. Once
    there are answers of both kinds, the probe of the attribute replaces the shortcut probe: it gives rows on
    its rarer side, rows on the other side, and those that it is least sure of.

    Parameters
    ----------
    rows : ReviewRows
        The evaluated rows.
    answers : mapping of int to Answer
        Answers so far; these rows are not asked about again.
    n : int
        Number of rows.
    seed : int, default=0
        Seed of the draws.

    Returns
    -------
    list of (int, str)
        Fewer than n where no other row is left.
    """
    chance = _chances(rows, answers, seed)
    generator = numpy_stream(seed, "review", "choose", len(answers))
    left = ~np.isin(rows.numbers, list(answers))
    found: list[tuple[int, Why]] = []
    for number in range(len(answers), len(answers) + n):
        kind, code = KINDS[number % 4], (number // 4) % len(rows.table.classes)
        places = _places(rows, chance, kind, left & (rows.y == code)) if kind != "random" else None
        why: Why = "unsure" if kind == "unsure" else "candidate"
        if places is None or not len(places):
            places, why = np.flatnonzero(left), "random"
        if not len(places):
            break
        place = int(generator.choice(places))
        left[place] = False
        found.append((int(rows.numbers[place]), why))
    return found


def rounds(n: int) -> Iterator[int]:
    """Yield how many rows each round asks about, n in all."""
    for start in range(0, n, ROUND):
        yield min(ROUND, n - start)


def _chances(rows: ReviewRows, answers: Answers, seed: int) -> Floats | None:
    """Return P(yes) of the rows; None while there are too few answers of one kind."""
    try:
        return AttributeProbe.fit(rows, answers, seed).probabilities(rows)
    except EvenhandError:
        return None


def _places(rows: ReviewRows, chance: Floats | None, kind: str, allowed: Bools) -> Ints:
    """Return the allowed places of one kind; none where the class has no such row."""
    if chance is None:
        bounds = {"rare": (0, RARE), "unsure": (RARE, USUAL), "usual": (USUAL, 1)}[kind]
        return np.flatnonzero(allowed & (rows.rank >= bounds[0]) & (rows.rank < bounds[1]))
    places = np.flatnonzero(allowed)
    if kind == "unsure":
        most = max(1, int(NEAREST * len(places)))
        nearest: Ints = places[np.argsort(np.abs(chance[places] - 0.5), kind="stable")[:most]]
        return nearest
    mostly_yes = chance[places].mean() > 0.5
    rare = (chance[places] > 0.5) != mostly_yes
    found: Ints = places[rare if kind == "rare" else ~rare]
    return found
