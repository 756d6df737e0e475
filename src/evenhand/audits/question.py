"""The question that an audit suggests: whether an image shows a word of the errors or of the label."""

from __future__ import annotations

from evenhand.audits.associations import Associations
from evenhand.audits.evaluate import EvaluatedModels
from evenhand.audits.named_slices import NamedSlices, leading_words


def word_to_ask(models: EvaluatedModels, named: NamedSlices, associations: Associations) -> str | None:
    """Return a word of a slice's errors beyond chance, else one that goes with a label, or None."""
    of_errors = [word for stage in models.audited for word in leading_words(named.slices, stage.name, 1)]
    of_labels = [words[0] for words in associations.sure_words().values()]
    return next(iter([*of_errors, *of_labels]), None)


def about(word: str) -> str:
    """Return the question about a word."""
    return f'Does the word "{word}" fit the image?'
