"""The head of a store: where the projection starts, and what the classes are called in text."""

from __future__ import annotations

from dataclasses import dataclass, field

from evenhand._typing import Floats


@dataclass(frozen=True)
class Head:
    """The pretrained projection and text side of a model, for one list of classes.

    Attributes
    ----------
    weight : float32 [D_in, D_out]
        W0 of the projection site.
    bias : float32 [D_out] or None
        b0, None where the site has none.
    classes : tuple of C str
        In the order of the rows of `text` and of the codes in a table's `y`.
    text : float32 [C, D_out] or None
        Unit class prototypes t_c; None without a text tower.
    logit_scale : float
        s, the factor on the cosines (not its logarithm).
    prompts : dict of str to list of str
        The prompts behind each prototype.
    """

    weight: Floats
    bias: Floats | None
    classes: tuple[str, ...]
    text: Floats | None = None
    logit_scale: float = 1 / 0.07
    prompts: dict[str, list[str]] = field(default_factory=dict)
