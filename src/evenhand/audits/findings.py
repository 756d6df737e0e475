"""What an audit finds, as plain data: slices, words, probes, costs outside the task and suspects."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

from evenhand.evaluation.accuracy import Rate


class Word(BaseModel):
    """A word that fits a slice's errors better than the correctly classified rows of the class.

    score: difference of the two mean similarities, in standard deviations of the similarity. p: probability
    that any word of the vocabulary scores as high if errors and correct rows are assigned at random.
    beyond_chance: whether p is at most 0.05.
    """

    word: str
    score: float
    p: float
    beyond_chance: bool


class Slice(BaseModel):
    """Rows of one class that are close in feature space and that a model misclassifies more than its class.

    One half of the rows finds slices, the other half tests them; every number is of the half that tests.

    name: `waterbird 1`, …. model: the model that errs. method: what found the slice. label: its class.
    predicted: the most frequent wrong prediction, None without errors. n, errors: rows and errors. error:
    error rate of `model` with its interval. errors_of: the same for every audited model. lift: error rate
    minus that of the class. p: one-sided exact test of the slice against the rest of its class. p_corrected:
    Holm's correction over all slices tested for the model. beyond_chance: whether it is at most 0.05.
    same_as: an earlier slice with mostly the same rows. rows: row numbers in the store of members of both
    halves, the most typical first, at most 48. wrong: which of them the model misclassifies. words: best
    first. sentence: the slice in plain words.
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
    """How well one method's slices of one model's errors match the known groups, on the half that tests.

    precision_at_10: by group, its largest share among the ten most typical rows of a slice. mean_precision:
    their mean. adjusted_mutual_information: between slice and group within a class, the
    mean over classes by rows.
    """

    model: str
    method: Literal["mixture", "clusters"]
    precision_at_10: dict[str, float]
    mean_precision: float
    adjusted_mutual_information: float


class ModelProbe(BaseModel):
    """A probe of one model.

    readable: cross-validated balanced accuracy of a logistic probe for the attribute on the model's
    embeddings, 0.5 by chance. flipped: the shortcut score, the share of predictions that change when the
    attribute is exchanged in the embedding by the mean difference that it makes within classes.
    margin_change: mean absolute change of the true class's margin, in logits.
    """

    model: str
    readable: Rate
    flipped: Rate
    margin_change: float


class Probe(BaseModel):
    """How well an attribute or a word can be read from embeddings, and how far predictions depend on it.

    attribute, value: an attribute and one of its values against the others, or `word` and the word. known:
    whether labels exist; for a word the outer thirds of its similarity within each class stand in for them.
    n: rows. sides: one probe per audited model, before first.
    """

    attribute: str
    value: str
    known: bool
    n: int
    sides: list[ModelProbe]
    sentence: str


class Cost(BaseModel):
    """What calibration does to uses of the model outside the task.

    before: by the pretrained projection. after: by the run's. Both are None, with a `reason`, if they cannot
    be measured. low, high: paired 95 % interval of the difference, over rows or queries.
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
    """A calibration row that every model predicts as another class; the most suspect first.

    row: row number in the store. score: in [0, 1]. may_be: what it may be, which proves nothing: look at the
    image, and do not delete it for this alone.
    """

    id: str
    row: int
    path: str
    label: str
    looks_like: str
    score: float
    may_be: Literal["wrong label or rare condition", "wrong label or hard image"] = (
        "wrong label or rare condition"
    )
    reason: str
