"""Whether a model knows the words that it is asked about."""

from __future__ import annotations

import numpy as np

from evenhand._typing import Floats
from evenhand.evaluation.accuracy import Rate

PAIRS = (
    ("boat", "ship"),
    ("car", "automobile"),
    ("cat", "kitten"),
    ("sea", "ocean"),
    ("forest", "wood"),
    ("man", "woman"),
    ("house", "home"),
    ("road", "street"),
    ("stone", "rock"),
    ("child", "baby"),
    ("beach", "shore"),
    ("lake", "pond"),
    ("mountain", "hill"),
    ("snow", "ice"),
    ("sofa", "couch"),
    ("bed", "mattress"),
    ("plane", "airplane"),
    ("rain", "storm"),
    ("flower", "rose"),
    ("shirt", "blouse"),
    ("gun", "rifle"),
    ("coat", "jacket"),
    ("city", "town"),
    ("river", "stream"),
)
"""Pairs of default words: a model that knows them finds each word's partner nearest of all partners."""
LEAST_PAIRS = 0.5
"""Share of pairs that a model must find."""
LEAST_NAMES = 0.25
"""Least accuracy of the class names on their own images, on a scale from 0 at chance to 1."""


def why_unfit(by_names: Rate, n_classes: int) -> str:
    """Return why the words of a model say nothing about these images; empty if they may.

    Parameters
    ----------
    by_names : Rate
        Balanced accuracy of the class names on their own images, with its interval.
    n_classes : int
        C: chance is 1 / C.
    """
    chance = 1 / n_classes
    if (by_names.low or 0) < chance + LEAST_NAMES * (1 - chance):
        return (
            f"the class names predict only {100 * (by_names.value or 0):.0f} % of their own images "
            f"({100 * chance:.0f} % by chance), so the words of this model say nothing about these images"
        )
    return ""


def why_unknown(embedded: Floats, words: tuple[str, ...]) -> str:
    """Return why a model does not know the words of the default vocabulary; empty if it may know them.

    Parameters
    ----------
    embedded : float32 [V, D]
        Embeddings of its words, those of `PAIRS` among them.
    words : tuple of V str
        The words.
    """
    found = pairs_found(embedded, words)
    if found is None or found >= LEAST_PAIRS:
        return ""
    return (
        f"the model matches only {100 * found:.0f} % of pairs such as boat and ship, so it does not know "
        "common words; give a vocabulary of words that it knows"
    )


def pairs_found(embedded: Floats, words: tuple[str, ...]) -> float | None:
    """Return in what share of `PAIRS` the second word is the nearest of all second words to the first.

    Parameters
    ----------
    embedded : float32 [V, D]
        Embeddings; their mean is taken out, which all words of a model share.
    words : tuple of V str
        The vocabulary. Pairs with a word that it lacks are left out; None if fewer than 2 are left.
    """
    place = {word: number for number, word in enumerate(words)}
    known = [(place[a], place[b]) for a, b in PAIRS if a in place and b in place]
    if len(known) < 2:
        return None
    centered = embedded - embedded.mean(axis=0)
    unit = centered / np.maximum(np.linalg.norm(centered, axis=1, keepdims=True), 1e-12)
    first, second = (unit[list(side)] for side in zip(*known, strict=True))
    return float(((first @ second.T).argmax(axis=1) == np.arange(len(known))).mean())
