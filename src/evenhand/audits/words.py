"""Words embedded by the text tower of the model that made a store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from evenhand._errors import EvenhandError
from evenhand._progress import Progress, silent
from evenhand._typing import Floats
from evenhand.audits.vocabulary import Vocabulary, common_words, model_words
from evenhand.backbones.folder import folder_of
from evenhand.backbones.from_card import backbone_of, embedded
from evenhand.backbones.load import Loaded
from evenhand.data.table import FeatureTable

BLOCK = 50
"""Words between two reports of progress."""


@dataclass(frozen=True)
class TextTower:
    """A text tower and the vocabulary to use with it.

    Attributes
    ----------
    vocabulary : Vocabulary
        Without the class names.
    embedded : float32 [V, D_out]
        Unit embeddings of its words.
    backbone : Loaded
        Whose tower it is.
    """

    vocabulary: Vocabulary
    embedded: Floats
    backbone: Loaded

    def embed(self, prompts: Mapping[str, Sequence[str]]) -> Floats:
        """Return the unit mean of each name's prompts, [len(prompts), D_out]."""
        return _embed(self.backbone, prompts)


def load_tower(
    table: FeatureTable, given: Vocabulary | None, *, device: str = "cpu", progress: Progress = silent
) -> TextTower:
    """Load the tower by the store's card; embed the given words, the model's own, or the default ones.

    Raises
    ------
    EvenhandError
        If the store has no text tower, or its model cannot be had.
    """
    if table.head.text is None or not embedded(table.card):
        raise EvenhandError("the store's embeddings were imported without a text tower")
    try:
        backbone = backbone_of(table.card, device)
    except EvenhandError as error:
        raise EvenhandError(f"the text tower cannot be used ({error})") from error
    if given is None:
        given = model_words(backbone.name, backbone.words) if backbone.words else _web_words(backbone.name)
    chosen = given.without(table.classes)
    prompts = chosen.prompts()
    parts = [np.zeros((0, table.head.weight.shape[1]), dtype=np.float32)]
    for start in range(0, len(chosen.words), BLOCK):
        words = chosen.words[start : start + BLOCK]
        parts.append(_embed(backbone, {word: prompts[word] for word in words}))
        progress("words", start + len(words), len(chosen.words))
    return TextTower(chosen, np.concatenate(parts), backbone)


def _web_words(model: str) -> Vocabulary:
    """Return the default words, with a warning where the model may never have read them."""
    if folder_of(model) is None:
        return common_words()
    note = (
        f"model {model} does not say which words it knows: one that learned few gives the others no meaning; "
        "name its own as `vocabulary`, or in a words.txt in its folder"
    )
    return replace(common_words(), notes=(note,))


def _embed(backbone: Loaded, prompts: Mapping[str, Sequence[str]]) -> Floats:
    text = backbone.head(tuple(prompts), prompts).text
    assert text is not None, "a store with text was made by a model with a text tower"
    return text
