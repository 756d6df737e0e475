"""The head of a store: where the projection starts, and what the classes are called in text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from evenhand._typing import Floats

POOL = (
    "positional_embedding",
    "query_weight",
    "query_bias",
    "key_weight",
    "value_weight",
    "value_bias",
)
"""The arrays of an attention pool before its last linear map, as `functional.attention_pool` takes them."""


@dataclass(frozen=True)
class Head:
    """The pretrained projection and text side of a model, for one list of classes.

    Attributes
    ----------
    weight : float32 [D, D_out]
        W0 of the projection site; D = D_in unless a pool comes before it.
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
    pool : dict of str to float32 arrays
        The arrays `POOL` where features are maps that an attention pool gathers before W; else empty.
    """

    weight: Floats
    bias: Floats | None
    classes: tuple[str, ...]
    text: Floats | None = None
    logit_scale: float = 1 / 0.07
    prompts: dict[str, list[str]] = field(default_factory=dict)
    pool: Mapping[str, Floats] = field(default_factory=dict)

    @property
    def width(self) -> int:
        """D_in: columns of the features that the projection takes."""
        return projected_width(self.arrays())

    def arrays(self) -> dict[str, Floats]:
        """Return the arrays of the projection, by name."""
        bias = {} if self.bias is None else {"bias": self.bias}
        return {"weight": self.weight, **bias, **self.pool}


def projected_width(arrays: Mapping[str, Any]) -> int:
    """Return D_in of a projection with these arrays: rows of W, or channels × places of the maps."""
    if "positional_embedding" not in arrays:
        return len(arrays["weight"])
    mean_and_places, channels = arrays["positional_embedding"].shape
    return int((mean_and_places - 1) * channels)
