"""The question that an audit suggests: whether the image shows the word that the model's errors share."""

from __future__ import annotations

from pathlib import Path

from evenhand._errors import EvenhandError
from evenhand.audits.evaluate import card_of, evaluate_models
from evenhand.audits.named_slices import leading_words, name_slices
from evenhand.audits.words import tower_or_reason
from evenhand.data.table import FeatureTable
from evenhand.evaluation.result_row import group_column


def audited_word(table: FeatureTable, *, run: Path | None = None, seed: int = 0, device: str = "cpu") -> str:
    """Return the word that fits the errors of a slice beyond chance.

    Raises
    ------
    EvenhandError
        If no slice has such a word: the user must say what to ask.
    """
    card = None if run is None else card_of(run, table)
    models = evaluate_models(table, group_column(table, None), seed, run, card)
    named, _ = name_slices(models, *tower_or_reason(table, None, device=device), seed=seed)
    words = [word for stage in models.audited for word in leading_words(named.slices, stage.name, 1)]
    if not words:
        why = named.no_words or "no word fits the errors beyond chance"
        raise EvenhandError(
            f"question: the audit names nothing to ask about ({why}); say what to ask, such as "
            "`question='Is there water in the background?'`"
        )
    return words[0]


def about(word: str) -> str:
    """Return the question about a word."""
    return f"Does the image show {word}?"
