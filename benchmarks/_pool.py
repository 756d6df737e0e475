"""The pool of one set, cross-fitted, in NumPy: zero-shot, ERM by penalty, soft-balanced heads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from _families import Sample
from scipy.special import logsumexp

from evenhand._random import numpy_stream
from evenhand._typing import Floats, Ints
from evenhand.functional.cell_rates import balancing_weights
from evenhand.functional.dealt_folds import dealt_folds
from evenhand.functional.weighted_head import HeadFrame, calibrated_scale, fit_heads
from evenhand.functional.within_class import leads, mean_margins
from evenhand.methods.auto.cross_fit import usual_repeats
from evenhand.selection.shortcut_limits import Limits
from evenhand.selection.shortcut_signs import CrossFits, ShortcutSigns, find_signs

FOLDS = 3
ERM = {True: (300.0, 100.0, 30.0, 10.0, 3.0, 1.0, 0.1), False: (100.0, 10.0, 1.0, 0.1, 0.01)}
"""Penalties of ERM times the rows, by whether there is text."""
HEADS = {True: (300.0, 100.0, 30.0, 10.0, 3.0, 1.0, 0.1), False: (30.0, 10.0, 1.0, 0.1)}
PROBE = {True: 1.0, False: 100.0}
"""The probe's penalty: itself beside text, times the rows where it sees all directions."""
REFERENCE = 1.0
"""Penalty times the rows of the ERM that stands in for zero-shot where there is no text."""


@dataclass(frozen=True)
class Pool:
    """What a decision is made of, and how every candidate does on the test rows.

    Attributes
    ----------
    names : list of K str
        Zero-shot first.
    erm : int
        Place of the ERM whose penalty cross-fitting chose.
    right : float [K, N]
        Share of the repeats in which a row was right.
    seen : CrossFits
        Margins.
    signs : ShortcutSigns
        By the usual limits, whose soft cells weigh the heads' rows.
    test : int64 [K, M]
        Predicted codes of the test rows by candidates trained on all rows.
    """

    names: list[str]
    erm: int
    right: Floats
    seen: CrossFits
    signs: ShortcutSigns
    test: Ints


@dataclass(frozen=True)
class Part:
    """Unit embeddings of all rows as one training part sees them, and its frame.

    Attributes
    ----------
    z, z_test : float32 [N, D], [M, D]
        Centered on the part where there is no text.
    prototypes : float [C, D]
        Text, or the part's class centroids.
    rows : int64 [n]
        The part.
    """

    z: Floats
    z_test: Floats
    prototypes: Floats
    rows: Ints

    @classmethod
    def of(cls, sample: Sample, rows: Ints) -> Part:
        """Return the part `rows` of a sample's training rows."""
        h, h_test = sample.X @ sample.head.weight, sample.X_test @ sample.head.weight
        if sample.head.text is not None:
            return cls(_unit(h), _unit(h_test), sample.head.text, rows)
        middle = h[rows].mean(axis=0)
        z = _unit(h - middle)
        codes = range(len(sample.head.classes))
        return cls(
            z,
            _unit(h_test - middle),
            _unit(np.stack([z[rows][sample.y[rows] == c].sum(axis=0) for c in codes])),
            rows,
        )

    def without(self, directions: Floats) -> Part:
        """Return the part with embeddings that lack the orthonormal directions [D, r]."""
        taken = directions.astype(np.float32)
        rest, rest_test = (z - (z @ taken) @ taken.T for z in (self.z, self.z_test))
        return Part(rest, rest_test, self.prototypes, self.rows)


def fit_pool(sample: Sample, seed: int = 0) -> Pool:
    """Cross-fit zero-shot, ERM and the probe, read the hidden minority, and cross-fit the heads."""
    text = sample.head.text is not None
    everything = Part.of(sample, np.arange(len(sample.y)))
    key = mean_margins(everything.z @ everything.prototypes.T, sample.y)
    folds = [
        dealt_folds(sample.y, key, FOLDS, numpy_stream(seed, "folds", repeat))
        for repeat in range(usual_repeats(len(sample.y)))
    ]
    judges = _cross(sample, folds, lambda part: _judges(sample, part))
    logits = judges.mean(axis=1)
    erm = 1 + int(np.argmin([_cross_entropy(one, sample.y) for one in logits[1:-1]]))
    reference = 0 if text else 1 + ERM[False].index(REFERENCE)
    codes, margins = logits.argmax(axis=2), [mean_margins(one, sample.y) for one in logits]
    seen = CrossFits(
        sample.y, codes[0], codes[erm], codes[-1],
        margins[0], margins[erm], margins[-1], margins[reference], leads(logits[0]), leads(logits[erm]), text,
    )  # fmt: skip
    signs = find_signs(seen, Limits())
    weights = balancing_weights(signs.low, signs.trust, sample.y)
    heads = _cross(sample, folds, lambda part: _heads(sample, part, weights))
    names = ["zero-shot", *(f"ERM {c:g}" for c in ERM[text]), *(f"head {c:g}" for c in HEADS[text])]
    both = np.concatenate([judges[:-1], heads])
    right = (both.argmax(axis=3) == sample.y).mean(axis=1)
    tests = [*list(_judges(sample, everything))[:-1], *_heads(sample, everything, weights)]
    test = np.stack([test.argmax(axis=1) for _, test in tests])
    return Pool(names, erm, right, seen, signs, test)


def _cross(sample: Sample, folds: Sequence[Ints], fit: object) -> Floats:
    """Return logits of every model on the rows that it was not trained on, [K, repeats, N, C]."""
    out: Floats | None = None
    for repeat, fold in enumerate(folds):
        for number in range(FOLDS):
            held = np.flatnonzero(fold == number)
            found = list(fit(Part.of(sample, np.flatnonzero(fold != number))))  # type: ignore[operator]
            if out is None:
                shape = (len(found), len(folds), len(sample.y), len(sample.head.classes))
                out = np.zeros(shape, dtype=np.float32)
            for place, (logits, _) in enumerate(found):
                out[place, repeat, held] = logits[held]
    assert out is not None
    return out


def _judges(sample: Sample, part: Part) -> Iterator[tuple[Floats, Floats]]:
    """Yield logits of zero-shot, ERM by penalty and the shortcut probe, on all rows and on the test rows."""
    text, y = sample.head.text is not None, sample.y[part.rows]
    prototypes = part.prototypes
    yield part.z @ prototypes.T, part.z_test @ prototypes.T
    ones = np.ones(len(y))
    yield from _fitted(part, y, ones, [c / len(y) for c in ERM[text]], text)
    balanced = 1 / np.bincount(y, minlength=len(prototypes))[y]
    if not text:
        yield from _fitted(part, y, balanced, [PROBE[False] / len(y)], False)
        return
    frame = HeadFrame.of(part.z[part.rows], prototypes)
    yield from _fitted(part.without(frame.directions), y, balanced, [PROBE[True]], False)


def _heads(sample: Sample, part: Part, weights: Floats) -> Iterator[tuple[Floats, Floats]]:
    """Yield the logits of the heads that weigh every soft cell alike."""
    text, y = sample.head.text is not None, sample.y[part.rows]
    yield from _fitted(part, y, weights[part.rows], [c / len(y) for c in HEADS[text]], text)


def _fitted(
    part: Part, y: Ints, weights: Floats, penalties: Sequence[float], from_zero_shot: bool
) -> Iterator[tuple[Floats, Floats]]:
    z = part.z[part.rows]
    simplex = np.eye(len(part.prototypes), z.shape[1])
    frame = HeadFrame.of(z, part.prototypes if from_zero_shot else simplex)
    balanced = 1 / np.bincount(y, minlength=len(part.prototypes))[y]
    alpha = calibrated_scale(z, y, balanced, frame) if from_zero_shot else 0.0
    for g in fit_heads(z, y, weights, frame, alpha, penalties):
        head = frame.head(alpha, g).astype(np.float32)
        yield part.z @ head, part.z_test @ head


def _cross_entropy(logits: Floats, y: Ints) -> float:
    logits = logits.astype(np.float64)
    return float((logsumexp(logits, axis=1) - logits[np.arange(len(y)), y]).mean())


def _unit(x: Floats) -> Floats:
    out: Floats = (x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)).astype(np.float32)
    return out
