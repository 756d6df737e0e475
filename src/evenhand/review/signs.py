"""The columns of a row that the probe of an attribute reads: class, candidate shortcut, main components."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from evenhand._random import numpy_stream
from evenhand._typing import Floats, Ints
from evenhand.data.table import FeatureTable
from evenhand.functional.within_class import mean_margins
from evenhand.methods._training.model import Model
from evenhand.methods.cfr.shortcut_probe import ShortcutProbe
from evenhand.runs.models import BLOCK, zero_shot_model

COMPONENTS = 30
MOST = 5_000
"""Training rows that the components and the candidate are fitted on; more are sampled with the seed."""
INTERCEPT, CLASS, CANDIDATE = 9.0, 4.0, 4.0
"""Prior variances of the coefficients, in logits squared: the class may move the odds of the attribute a
hundredfold. That of the components is cross-validated."""


@dataclass(frozen=True)
class Signs:
    """Columns that a probe of an attribute reads: intercept, classes, candidate shortcut and components.

    The candidate is the margin of the shortcut probe, which predicts the labels without the class names. So
    the probe of the attribute starts along the direction that goes with the label.

    Attributes
    ----------
    model : Model
        The pretrained model, which embeds.
    probe : ShortcutProbe
        Its logits [C] are the candidates.
    center, scale : float32 [C]
        Center and scale of the candidates on training rows.
    mean : float32 [D]
        Mean of the embeddings.
    components : float32 [D, K]
        Principal axes, each divided by the square root of the largest standard deviation times its own.
    """

    model: Model
    probe: ShortcutProbe
    center: Floats
    scale: Floats
    mean: Floats
    components: Floats

    @classmethod
    def of(cls, table: FeatureTable, seed: int) -> Signs:
        """Fit on the training rows and labels of a table, without attributes."""
        model = zero_shot_model(table)
        rows = np.sort(numpy_stream(seed, "review", "signs").permutation(table.rows("train"))[:MOST])
        z, y = model.embed(table.features(rows)), table.y[rows]
        probe = _shortcut_probe(z, y, table.head.text, len(table.classes))
        candidates = _finite(probe.logits(torch.from_numpy(z)).numpy())
        mean = z.mean(axis=0)
        return cls(
            model,
            probe,
            candidates.mean(axis=0),
            candidates.std(axis=0) + 1e-6,
            mean,
            principal_axes(z - mean, COMPONENTS),
        )

    def prior_variances(self) -> Floats:
        """Return the prior variance of each column's coefficient; NaN for those that are cross-validated."""
        n = len(self.center)
        candidates = 1 if n == 2 else n
        fixed = [INTERCEPT, *[CLASS] * n, *[CANDIDATE] * candidates]
        return np.array([*fixed, *[np.nan] * self.components.shape[1]])

    def read(self, table: FeatureTable, numbers: Ints) -> Floats:
        """Return the columns of rows, float64 [N, S], block by block."""
        blocks = [self._block(table, numbers[k : k + BLOCK]) for k in range(0, len(numbers), BLOCK)]
        return np.concatenate(blocks)

    def margins(self, table: FeatureTable, numbers: Ints) -> Floats:
        """Return the shortcut probe's margin of the true class, [N]: low where the shortcut misleads."""
        found = []
        for start in range(0, len(numbers), BLOCK):
            rows = numbers[start : start + BLOCK]
            logits = self.probe.logits(torch.from_numpy(self.model.embed(table.features(rows)))).numpy()
            found.append(mean_margins(_finite(logits), table.y[rows]))
        return np.concatenate(found)

    def _block(self, table: FeatureTable, rows: Ints) -> Floats:
        z = self.model.embed(table.features(rows))
        logits = _finite(self.probe.logits(torch.from_numpy(z)).numpy())
        candidates = (logits - self.center) / self.scale
        classes = np.eye(len(self.center))[table.y[rows]] - 1 / len(self.center)
        axes = (z - self.mean) @ self.components
        first = 1 if len(self.center) == 2 else 0  # two classes: one candidate, the other is its negative
        return np.hstack([np.ones((len(rows), 1)), classes, candidates[:, first:], axes]).astype(np.float64)


def principal_axes(centered: Floats, most: int) -> Floats:
    """Return the main axes of centered rows [N, D] as columns [D, K], scaled for a ridge prior.

    Axis k of standard deviation s_k is divided by √(s_1 s_k): the projections have standard deviation
    √(s_k / s_1). So the prior trusts the main axes more, but not by their full variance.
    """
    _, deviations, axes = np.linalg.svd(centered / np.sqrt(len(centered)), full_matrices=False)
    kept = min(most, int((deviations > 1e-4 * deviations[0]).sum()))
    scaled: Floats = (axes[:kept] / np.sqrt(deviations[0] * deviations[:kept])[:, None]).T
    return scaled


def _shortcut_probe(z: Floats, y: Ints, text: Floats | None, n_classes: int) -> ShortcutProbe:
    """Return the shortcut probe; without text it may read all directions, as none is that of a class name."""
    vectors, labels = torch.from_numpy(z), torch.from_numpy(y)
    if text is not None:
        return ShortcutProbe.fit(vectors, labels, torch.from_numpy(text))
    # Prototypes in dimensions of their own, in which every row is zero, take nothing away.
    wider = torch.cat([vectors, torch.zeros(len(z), n_classes)], dim=1)
    own = torch.cat([torch.zeros(n_classes, z.shape[1]), torch.eye(n_classes)], dim=1)
    probe = ShortcutProbe.fit(wider, labels, own)
    return ShortcutProbe(probe.weight[: z.shape[1]].contiguous(), probe.intercept)


def _finite(logits: Floats) -> Floats:
    """Replace the −∞ of a class without training rows by the lowest logit."""
    found: Floats = np.maximum(logits, logits[np.isfinite(logits)].min(initial=0.0))
    return found
