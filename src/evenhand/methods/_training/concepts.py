"""Checks of the input of methods that need words."""

from __future__ import annotations

from evenhand._errors import EvenhandError
from evenhand.data.concepts import Concepts
from evenhand.data.head import Head


def checked(concepts: Concepts | None, head: Head | None, name: str) -> Concepts:
    """Return the concepts if they fit the head.

    Raises
    ------
    EvenhandError
        If there are none, the head has no text, or classes or widths differ.
    """
    if head is None or head.text is None:
        raise EvenhandError(
            f"head: {name} needs text prototypes but there are none; use a store that has text, "
            "or a method without text"
        )
    if concepts is None:
        raise EvenhandError(
            f"concepts: {name} needs concept words but got none; give what embed_concepts returns"
        )
    if concepts.classes != head.classes:
        raise EvenhandError(
            f"concepts: they are for the classes {', '.join(concepts.classes)} but the head has "
            f"{', '.join(head.classes)}; embed them for the head's classes"
        )
    if concepts.width != head.text.shape[1]:
        raise EvenhandError(
            f"concepts: they have width {concepts.width} but the head's text has {head.text.shape[1]}; "
            "embed them with the model that made the store"
        )
    return concepts
