"""What calibration costs outside the task, for other words and retrieval; only the projection is used."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evenhand._typing import Floats, Ints, Strings
from evenhand.audits.evaluate import EvaluatedModels
from evenhand.audits.findings import Cost
from evenhand.audits.text_tower import TextTower
from evenhand.audits.vocabulary import Vocabulary
from evenhand.functional.intervals import paired_interval

BEST = 10
"""Nearest images of a word that are compared."""
NO_ATTRIBUTE = "the store has no attribute whose values could serve as other classes"
NO_PROMPTS = "the words were imported, so no text tower can embed prompts for the attribute's values"
TOO_FEW_WORDS = "the vocabulary has fewer than 2 words"

MEANINGS = {
    "zero_shot": "share of images whose attribute value is predicted correctly from prompts, without "
    "training",
    "retrieval": "share of images whose nearest text is that of their own class and value",
    "words_kept": "share of images whose nearest word outside the task stays the same",
    "retrieval_kept": f"share of the {BEST} images nearest to a word outside the task that stay the same",
}


def cost_elsewhere(models: EvaluatedModels, tower: TextTower | None, no_tower: str) -> list[Cost]:
    """Compare the pretrained projection with the run's on the sliced rows.

    Parameters
    ----------
    models : EvaluatedModels
        The pretrained model first, the run's last.
    tower : TextTower or None
        The text tower that embeds words and prompts.
    no_tower : str
        Why there is no tower, which is then the reason of every cost.
    """
    table, rows = models.table, models.rows.numbers
    by_attribute = [f"{kind}:{name}" for name in table.attributes for kind in ("zero_shot", "retrieval")]
    if tower is None:
        names = [*(by_attribute or ["zero_shot", "retrieval"]), "words_kept", "retrieval_kept"]
        return unknown_costs(names, no_tower)
    if tower.backbone is None:
        costs = unknown_costs(by_attribute or ["zero_shot", "retrieval"], NO_PROMPTS)
    else:
        costs = [] if by_attribute else unknown_costs(["zero_shot", "retrieval"], NO_ATTRIBUTE)
    X = table.features(rows)
    before, after = models.on_sliced[0].model.embed(X), models.on_sliced[-1].model.embed(X)
    for name, values in ({} if tower.backbone is None else table.attributes).items():
        costs += _by_attribute(models, name, values[rows], (before, after), tower)
    if len(tower.vocabulary.words) < 2:
        return [*costs, *unknown_costs(["words_kept", "retrieval_kept"], TOO_FEW_WORDS)]
    embedded = tower.embedded
    return [*costs, words_kept(before, after, embedded), retrieval_kept(before, after, embedded)]


def _by_attribute(
    models: EvaluatedModels, name: str, of_rows: Strings, pair: tuple[Floats, Floats], tower: TextTower
) -> list[Cost]:
    values = [str(value) for value in np.unique(of_rows) if value != ""]
    if len(values) < 2:
        reason = f"attribute {name} has fewer than 2 values on these rows"
        return unknown_costs([f"zero_shot:{name}", f"retrieval:{name}"], reason)
    place = {value: code for code, value in enumerate(values)}
    codes = np.array([place.get(str(value), -1) for value in of_rows], dtype=np.int64)
    texts = {
        f"{label}, {value}": [f"a photo of a {label.replace('_', ' ')}, {value.replace('_', ' ')}."]
        for label in models.table.classes
        for value in values
    }
    own = np.where(codes >= 0, models.rows.y * len(values) + codes, -1)
    prompts = Vocabulary(tuple(values), name).prompts()
    return [
        accuracy_cost(f"zero_shot:{name}", "zero_shot", *pair, tower.embed(prompts), codes),
        accuracy_cost(f"retrieval:{name}", "retrieval", *pair, tower.embed(texts), own),
    ]


def accuracy_cost(name: str, kind: str, before: Floats, after: Floats, text: Floats, codes: Ints) -> Cost:
    """Compare how often the nearest text is a row's own.

    Parameters
    ----------
    name : str
        Name of the cost.
    kind : str
        A key of `MEANINGS`.
    before, after : float32 [N, D]
        Unit embeddings by the pretrained and by the calibrated projection.
    text : float32 [V, D]
        Unit text embeddings.
    codes : int64 [N]
        Place of each row's own text; −1 leaves the row out.
    """
    known = codes >= 0
    right = [(z[known] @ text.T).argmax(axis=1) == codes[known] for z in (before, after)]
    return _cost(name, kind, right[0].astype(float), right[1].astype(float))


def words_kept(before: Floats, after: Floats, text: Floats) -> Cost:
    """Compare the word text [V, D] that is nearest to each row, before with after."""
    same = (before @ text.T).argmax(axis=1) == (after @ text.T).argmax(axis=1)
    return _cost("words_kept", "words_kept", np.ones(len(same)), same.astype(float))


def retrieval_kept(before: Floats, after: Floats, text: Floats) -> Cost:
    """Compare the `BEST` rows that are nearest to each word text [V, D], before with after."""
    k = min(BEST, len(before))
    best = [np.argpartition(-(z @ text.T), k - 1, axis=0)[:k] for z in (before, after)]
    kept = np.array([len(np.intersect1d(a, b)) / k for a, b in zip(*(b.T for b in best), strict=True)])
    return _cost("retrieval_kept", "retrieval_kept", np.ones(len(kept)), kept)


def unknown_costs(names: Sequence[str], reason: str) -> list[Cost]:
    """Return costs that cannot be measured, with the reason."""
    return [Cost(name=name, meaning=MEANINGS[name.partition(":")[0]], reason=reason) for name in names]


def _cost(name: str, kind: str, before: Floats, after: Floats) -> Cost:
    low, high = paired_interval(before, after)
    return Cost(
        name=name,
        meaning=MEANINGS[kind],
        n=len(before),
        before=float(before.mean()),
        after=float(after.mean()),
        difference=float((after - before).mean()),
        low=None if np.isnan(low) else low,
        high=None if np.isnan(high) else high,
    )
