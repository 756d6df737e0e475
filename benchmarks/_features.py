"""Drawn features with a shortcut, for programs that time fits and need no image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evenhand import Head
from evenhand._typing import Floats, Ints

CLASSES = ("landbird", "waterbird")
MINORITY = 0.05
"""Share of rows whose attribute contradicts their class."""


@dataclass(frozen=True)
class Features:
    """X float32 [N, D_in], labels y [N] (names), groups [N] in 0 … 3, and a head D_in → D_out."""

    X: Floats
    y: np.ndarray
    groups: Ints
    head: Head


def draw(n: int, d_in: int, d_out: int, *, seed: int = 0) -> Features:
    """Draw n rows: noise, a weak direction of the class, and a strong one of an attribute that follows it.

    The noise has a spectrum that falls as a power, as that of a trunk's features does.
    """
    rng = np.random.default_rng(seed)
    code = rng.integers(0, 2, n)
    attribute = np.where(rng.random(n) < MINORITY, 1 - code, code)
    X = rng.standard_normal((n, d_in), dtype=np.float32)
    X *= (1 + np.arange(d_in, dtype=np.float32)) ** np.float32(-0.5)
    X[:, 0] += 2 * code - 1
    X[:, 1] += 2 * (2 * attribute - 1)
    weight = rng.standard_normal((d_in, d_out), dtype=np.float32) / np.float32(np.sqrt(d_in))
    # The texts point along the class, so that zero-shot is better than chance.
    text = np.stack([-weight[0], weight[0]]) + 0.1 * rng.standard_normal((2, d_out), dtype=np.float32)
    text = (text / np.linalg.norm(text, axis=1, keepdims=True)).astype(np.float32)
    prompts = {name: [name] for name in CLASSES}
    head = Head(weight, None, CLASSES, text, 1 / 0.07, prompts)
    return Features(X, np.asarray(CLASSES)[code], (2 * code + attribute).astype(np.int64), head)
