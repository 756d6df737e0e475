"""Concept words through a model's text tower."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evenhand._typing import Floats
from evenhand.backbones.base import Backbone
from evenhand.data.concepts import Concepts, ConceptWords


def embed_concepts(words: ConceptWords, classes: Sequence[str], backbone: Backbone) -> Concepts:
    """Embed the prompts of concept words.

    Parameters
    ----------
    words : ConceptWords
        What to embed.
    classes : sequence of C str
        Class names, in the order of the store's codes.
    backbone : Backbone
        The model that made the store.
    """
    values = {name: [words.of_value(value) for value in found] for name, found in words.spurious.items()}
    pairs = {
        name: [words.of_pair(label, value) for label in classes for value in found]
        for name, found in words.spurious.items()
    }
    accept = [words.of_value(text) for pair in words.accept for text in pair]
    embeddings = _text(backbone, [*_flat(values), *_flat(pairs), *accept])

    def of(prompts: Sequence[str], *shape: int) -> Floats:
        rows = [embeddings[prompt] for prompt in prompts]
        width = len(next(iter(embeddings.values())))
        return np.array(rows, dtype=np.float32).reshape(*shape, width)

    return Concepts(
        words,
        tuple(classes),
        {name: of(prompts, len(prompts)) for name, prompts in values.items()},
        {name: of(prompts, len(classes), len(words.spurious[name])) for name, prompts in pairs.items()},
        of(accept, len(words.accept), 2),
        backbone.card()["weights_sha256"],
    )


def _text(backbone: Backbone, prompts: Sequence[str]) -> dict[str, Floats]:
    """Return the unit embedding of each prompt, as that of a class with only this prompt."""
    different = list(dict.fromkeys(prompts))
    head = backbone.head(different, {prompt: [prompt] for prompt in different})
    assert head.text is not None
    return dict(zip(different, head.text, strict=True))


def _flat(prompts: dict[str, list[str]]) -> list[str]:
    return [prompt for found in prompts.values() for prompt in found]
