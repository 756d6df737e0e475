"""What an audit finds, as plain data: slices, words, probes, costs elsewhere and suspects."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

from evenhand.evaluation.metrics import Rate


class Word(BaseModel):
    """A word that fits a slice's errors better than the class's right rows.

    score: difference of the two mean similarities, in standard deviations of the similarity. p: chance that
    any word of the vocabulary scores as high between errors and right rows dealt out at random.
    beyond_chance: whether that is at most 0.05.
    """

    word: str
    score: float
    p: float
    beyond_chance: bool


class Slice(BaseModel):
    """Rows of one class that lie together in feature space and that a model gets wrong more than its class.

    One half of the rows finds slices, the other half tests them: every number is of the half that tests.

    name: `waterbird 1`, …. model: whose errors. method: what found it. label, predicted: class, and the
    commonest wrong prediction (None without errors). n, errors: rows and errors. error: error rate of `model`
    with interval. errors_of: the same of every audited model, by its name. lift: error rate minus the
    class's. p: one-sided exact test of the slice against the rest of its class. p_corrected: by Holm, over
    all slices tested for the model. beyond_chance: whether that is at most 0.05. same_as: an earlier slice
    with mostly the same rows. rows: row numbers in the store of members of both halves, the most typical
    first, at most `SHOWN`; wrong says which of them the model gets wrong. words: best first. sentence: in
    plain words.
    """

    name: str
    model: str
    method: Literal["mixture", "clusters"]
    label: str
    predicted: str | None
    n: int
    errors: int
    error: Rate
    errors_of: dict[str, Rate]
    lift: float
    p: float
    p_corrected: float
    beyond_chance: bool
    same_as: str | None = None
    rows: list[int]
    wrong: list[bool]
    words: list[Word] = []
    sentence: str


class Match(BaseModel):
    """How well one method's slices match one model's known groups, on the half that tests.

    precision_at_10: by group, the largest share of it among the ten most typical rows of a slice;
    mean_precision is their mean. adjusted_mutual_information: between slice and group within a class, the
    mean over classes by rows.
    """

    model: str
    method: Literal["mixture", "clusters"]
    precision_at_10: dict[str, float]
    mean_precision: float
    adjusted_mutual_information: float


class ProbeSide(BaseModel):
    """One model's side of a probe.

    readable: cross-validated balanced accuracy of a logistic probe for the attribute on the model's
    embeddings, 0.5 by chance. flipped: share of predictions that change when the attribute is exchanged in
    the embedding, by the mean difference that it makes within classes: the shortcut score. margin_change:
    mean absolute change of the true class's margin by that, in logits.
    """

    model: str
    readable: Rate
    flipped: Rate
    margin_change: float


class Probe(BaseModel):
    """An attribute, known or a word's: how well it is read, and how far predictions follow it.

    attribute, value: the column and value against the others, or `word` and the word. known: whether labels
    of it exist; of a word they are the outer thirds of its similarity within each class. n: rows. sides: one
    per audited model, before first.
    """

    attribute: str
    value: str
    known: bool
    n: int
    sides: list[ProbeSide]
    sentence: str


class Cost(BaseModel):
    """What calibration does to uses of the model outside the task.

    before: the pretrained projection; after: the run's. Both None with a `reason` where it cannot be
    measured. difference has its 95 % interval over rows or queries, paired.
    """

    name: str
    meaning: str
    n: int = 0
    before: float | None = None
    after: float | None = None
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    reason: str | None = None


class Suspect(BaseModel):
    """A calibration row that looks mislabelled rather than rare; the most suspect first.

    row: number in the store. score: in [0, 1].
    """

    id: str
    row: int
    path: str
    label: str
    looks_like: str
    score: float
    reason: str
