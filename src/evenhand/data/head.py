"""The head of a store: where the projection starts, and what the classes are called in text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from evenhand._errors import EvenhandError
from evenhand._typing import Floats

POOL = (
    "positional_embedding",
    "query_weight",
    "query_bias",
    "key_weight",
    "value_weight",
    "value_bias",
)
"""The arrays of an attention pool before its last linear map, as `functional.attention` takes them."""


@dataclass(frozen=True)
class Head:
    """The pretrained projection and text side of a model, for one list of classes.

    Attributes
    ----------
    weight : float32 [D, D_out]
        W0 of the projection site; D = D_in unless a pool comes before it.
    bias : float32 [D_out] or None
        b0, None if the site has none.
    classes : tuple of C str
        In the order of the rows of `text` and of the codes in a table's `y`.
    text : float32 [C, D_out] or None
        Unit class prototypes t_c; None without a text tower.
    logit_scale : float, default=1/0.07
        s, the factor on the cosines (not its logarithm).
    prompts : dict of str to list of str, default={}
        The prompts behind each prototype.
    pool : dict of str to float32 arrays, default={}
        The arrays `POOL` where features are maps that an attention pool gathers before W; else empty.
    words : tuple of V str, default=()
        Words that were imported with their text features; empty without.
    word_features : float32 [V, D_out] or None
        Their unit embeddings.

    Raises
    ------
    EvenhandError
        If there is no class, a class name comes twice, or widths do not fit each other.

    Examples
    --------
    >>> import numpy as np
    >>> head = Head.from_text(np.eye(2, 4, dtype=np.float32), ["landbird", "waterbird"])
    >>> head.width, head.classes
    (4, ('landbird', 'waterbird'))
    """

    weight: Floats
    bias: Floats | None
    classes: tuple[str, ...]
    text: Floats | None = None
    logit_scale: float = 1 / 0.07
    prompts: dict[str, list[str]] = field(default_factory=dict)
    pool: Mapping[str, Floats] = field(default_factory=dict)
    words: tuple[str, ...] = ()
    word_features: Floats | None = None

    def __post_init__(self) -> None:
        if not self.classes or len(set(self.classes)) < len(self.classes):
            raise EvenhandError(
                f"classes must hold distinct names, but they are {list(self.classes)[:5]}; "
                "give one name per class"
            )
        if self.weight.ndim != 2:
            raise EvenhandError(f"weight must be a matrix [D, D_out], but its shape is {self.weight.shape}")
        width = self.weight.shape[1]
        for name, array, wanted in (
            ("bias", self.bias, (width,)),
            ("text", self.text, (len(self.classes), width)),
            ("word_features", self.word_features, (len(self.words), width)),
        ):
            if array is not None and array.shape != wanted:
                raise EvenhandError(
                    f"{name} has shape {array.shape}, but {len(self.classes)} classes and a projection to "
                    f"{width} columns ask for {wanted}"
                )
        if not (np.isfinite(self.logit_scale) and self.logit_scale > 0):
            raise EvenhandError(
                f"logit_scale must be a positive number, but it is {self.logit_scale}; CLIP's is 100"
            )

    @classmethod
    def from_text(cls, text: Floats, classes: Sequence[str], *, logit_scale: float = 100.0) -> Head:
        """Return the head of embeddings that are already in the space shared with text.

        Parameters
        ----------
        text : array [C, D]
            A text embedding for each class, of any length but zero; rows are divided by their L2 norm.
        classes : sequence of C str
            Class names, in the order of the rows.
        logit_scale : float, default=100.0
            s, the factor on the cosines.

        Returns
        -------
        Head
            Its projection is the identity [D, D].

        Raises
        ------
        EvenhandError
            If `text` is not a finite matrix with a row per class, or has a row of zeros.
        """
        rows = np.asarray(text, dtype=np.float32)
        norms = np.linalg.norm(rows, axis=-1, keepdims=True)
        if rows.ndim != 2 or not np.isfinite(rows).all() or not norms.all():
            raise EvenhandError(
                f"text must be a finite matrix [C, D] without rows of zeros, but its shape is {rows.shape}"
            )
        identity = np.eye(rows.shape[1], dtype=np.float32)
        return cls(identity, None, tuple(classes), rows / norms, logit_scale)

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
