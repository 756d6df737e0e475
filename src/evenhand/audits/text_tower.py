"""Words embedded by the text tower of the model that made a store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from evenhand._errors import EvenhandError
from evenhand._progress import Progress, silent
from evenhand._typing import Floats
from evenhand.audits.vocabulary import Vocabulary, default_words
from evenhand.audits.word_fit import PAIRS, why_unknown
from evenhand.backbones.from_card import backbone_of
from evenhand.backbones.load import Loaded
from evenhand.data.store_card import embedded
from evenhand.data.table import FeatureTable
from evenhand.functional.geometry import prototypes

BLOCK = 50
"""Words per report of progress."""


@dataclass(frozen=True)
class TextTower:
    """A text tower and the vocabulary to use with it.

    Attributes
    ----------
    vocabulary : Vocabulary
        The words, without the class names.
    embedded : float32 [V, D_out]
        Their unit embeddings.
    backbone : Loaded or None
        The model that the tower belongs to; None for words that were imported.
    unknown : str
        Why the model does not know the default words, which then are left out; empty if it may know them.
    """

    vocabulary: Vocabulary
    embedded: Floats
    backbone: Loaded | None
    unknown: str = ""

    def embed(self, prompts: Mapping[str, Sequence[str]]) -> Floats:
        """Return the unit mean of each name's prompts, [len(prompts), D_out]; it needs a model."""
        assert self.backbone is not None, "no prompts are embedded for imported words"
        return _embed(self.backbone, prompts)


def load_tower(
    table: FeatureTable, given: Vocabulary | None, *, device: str = "cpu", progress: Progress = silent
) -> TextTower:
    """Load the text tower that the store's card names, and embed the given, the model's or the default words.

    Raises
    ------
    EvenhandError
        If the store has no text tower, or its model cannot be loaded.
    """
    if table.head.word_features is not None:
        return _imported(table, given)
    if table.head.text is None or not embedded(table.card):
        raise EvenhandError("the store's embeddings were imported without a text tower")
    try:
        backbone = backbone_of(table.card, device)
    except EvenhandError as error:
        raise EvenhandError(f"the text tower cannot be used ({error})") from error
    asked = default_words(backbone.name, backbone.words) if given is None else given
    chosen = asked.without(table.classes)
    unknown = _why_unknown(backbone) if chosen.default else ""
    if unknown:
        chosen = replace(chosen, words=(), notes=())
    prompts = chosen.prompts()
    parts = [np.zeros((0, table.head.weight.shape[1]), dtype=np.float32)]
    for start in range(0, len(chosen.words), BLOCK):
        words = chosen.words[start : start + BLOCK]
        parts.append(_embed(backbone, {word: prompts[word] for word in words}))
        progress("words", start + len(words), len(chosen.words))
    return TextTower(chosen, np.concatenate(parts), backbone, unknown)


def _why_unknown(backbone: Loaded) -> str:
    words = tuple(word for pair in PAIRS for word in pair)
    return why_unknown(_embed(backbone, Vocabulary(words, "").prompts()), words)


def _imported(table: FeatureTable, given: Vocabulary | None) -> TextTower:
    """Return the words that a store was imported with."""
    if given is not None:
        raise EvenhandError("the store's words are those that it was imported with; leave `vocabulary` out")
    assert table.head.word_features is not None
    known = Vocabulary(table.head.words, f"the {len(table.head.words):,} words that were imported")
    chosen = known.without(table.classes)
    kept = [known.words.index(word) for word in chosen.words]
    return TextTower(chosen, table.head.word_features[kept], None)


def tower_or_reason(
    table: FeatureTable, given: Vocabulary | None, *, device: str = "cpu", progress: Progress = silent
) -> tuple[TextTower | None, str]:
    """Return the text tower or None, and why there is none or why it has no words.

    Parameters
    ----------
    table : FeatureTable
        Rows of the store.
    given : Vocabulary or None
        The words to embed. The default is the model's own words, or else common nouns.
    device : str, default="cpu"
        Device of the text tower.
    progress : callable
        Receives the number of embedded words.
    """
    if given is not None and not given.words:
        return None, "they are turned off"
    try:
        tower = load_tower(table, given, device=device, progress=progress)
        return tower, tower.unknown
    except EvenhandError as error:
        return None, str(error)


def _embed(backbone: Loaded, prompts: Mapping[str, Sequence[str]]) -> Floats:
    read = backbone.texts([text for texts in prompts.values() for text in texts])
    parts = torch.split(read, [len(texts) for texts in prompts.values()])
    embedded: Floats = torch.cat([prototypes(part[None]) for part in parts]).numpy()
    return embedded
