"""The word that an audit suggests to ask about."""

from __future__ import annotations

from pathlib import Path

from evenhand._errors import EvenhandError
from evenhand.audits.associations import find_associations
from evenhand.audits.evaluate import evaluate_models, run_on
from evenhand.audits.named_slices import name_slices
from evenhand.audits.question import word_to_ask
from evenhand.audits.words import tower_or_reason
from evenhand.data.table import FeatureTable
from evenhand.evaluation.evaluated_rows import group_column


def audited_word(table: FeatureTable, *, run: Path | None = None, seed: int = 0, device: str = "cpu") -> str:
    """Return the word that fits the errors of a slice, or else one that goes with a label, beyond chance.

    Raises
    ------
    EvenhandError
        If there is no such word: the user must say what to ask.
    """
    found = None if run is None else run_on(table, run)
    models = evaluate_models(table, group_column(table, None), seed, found)
    tower, no_words = tower_or_reason(table, None, device=device)
    associations = find_associations(table, models.on_test[0].model, tower, no_words, seed=seed)
    named, _ = name_slices(models, tower, no_words or associations.unfit, seed=seed)
    word = word_to_ask(models, named, associations)
    if word is None:
        why = named.no_words or "no word fits the errors or goes with the label beyond chance"
        raise EvenhandError(
            f"question: the audit names nothing to ask about ({why}); say what to ask, such as "
            "`question='Is there water in the background?'`"
        )
    return word
