"""Concept words for a store: embedded by the text tower of the model that made it."""

from __future__ import annotations

from evenhand._errors import EvenhandError
from evenhand.backbones.concepts import embed_concepts
from evenhand.backbones.from_card import backbone_of
from evenhand.data.concepts import Concepts, ConceptWords
from evenhand.data.store_card import embedded
from evenhand.data.table import FeatureTable


def concepts_for(table: FeatureTable, words: ConceptWords, device: str = "cpu") -> Concepts:
    """Embed concept words for the classes of a store.

    Raises
    ------
    EvenhandError
        If the store holds imported embeddings, whose text tower is not known, or its model cannot be loaded.
    """
    if not embedded(table.card):
        raise EvenhandError(
            "concept words need the text tower of the store's model, but the store holds imported embeddings "
            "and names no model; make it with evenhand embed, or choose a method without words"
        )
    return embed_concepts(words, table.classes, backbone_of(table.card, device))
