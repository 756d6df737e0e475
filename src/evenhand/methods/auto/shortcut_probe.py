"""The shortcut probe of `auto` and of the verdict of an audit; CFR has one of its own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from evenhand._typing import Floats
from evenhand.functional.row_products import BLOCK
from evenhand.functional.weighted_head import HeadFrame
from evenhand.methods.auto.candidates import head_path
from evenhand.methods.auto.part import Part


def probe_head(part: Part, penalty: float, *, has_text: bool) -> Floats:
    """Return the shortcut probe as coefficients of z, float32 [D, C].

    With text it reads z without the directions of the class names. Without text it reads all of z under a
    strong penalty.
    """
    if not has_text:
        return head_path(part, part.balanced(), [penalty / len(part.y)], anchored=False)[0].head()
    named = HeadFrame.of(part.z, part.prototypes).directions.astype(np.float32)
    z = np.empty(part.z.shape, dtype=np.float32)
    for start in range(0, len(z), BLOCK):
        block = part.z[start : start + BLOCK]
        z[start : start + BLOCK] = block - (block @ named) @ named.T
    rest = replace(part, z=z)
    head = head_path(rest, part.balanced(), [penalty], anchored=False)[0].head()
    out: Floats = head - named @ (named.T @ head)
    return out
