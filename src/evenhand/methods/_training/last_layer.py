"""The last layer of a classifier on frozen CLIP, and the rows to retrain it on.

Methods that retrain a last layer were published for a network that ERM trains as a whole. They freeze all of
it except the linear layer that computes logits from features. Here ERM trains the projection W, the features
are the unit embeddings z, and the last layer is the head: logits = V z + d, with V = s · t_c and d = 0 after
ERM. V and d are retrained; trunk, W and text tower stay fixed.

Published penalties and learning rates are for features with several hundred coordinates of order 1.
The layer is therefore trained on u = √D · z, whose coordinates have root-mean-square 1 for any width D.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import sqrt

import numpy as np
import torch
from scipy.special import log_softmax
from torch import Tensor

from evenhand._typing import Floats, Ints
from evenhand.data.splits import HELD_OUT, hold_out
from evenhand.methods._training.folds import Fold
from evenhand.methods._training.loop import SGD
from evenhand.methods._training.model import Model
from evenhand.methods._training.problem import Problem
from evenhand.methods._training.train_erm import train_erm
from evenhand.methods._training.trained_state import State


@dataclass(frozen=True)
class LastLayer:
    """logits = V u + d.

    Attributes
    ----------
    weight : float64 [C, D]
        V, for features u.
    bias : float64 [C]
        d.
    """

    weight: Floats
    bias: Floats

    def logits(self, u: Floats) -> Floats:
        """Return [N, C] for features u [N, D]."""
        out: Floats = u @ self.weight.T + self.bias
        return out


@dataclass(frozen=True)
class HeldOutFeatures:
    """Held-out rows as the last layer of a trained state receives them.

    Attributes
    ----------
    u : float64 [M, D]
        Features of the held-out rows.
    layer : LastLayer
        V = s · t_c / √D, d = 0.
    """

    u: Floats
    layer: LastLayer

    @classmethod
    def of(cls, state: State, problem: Problem) -> HeldOutFeatures:
        """Return the validation rows of `problem` as the input of a state's last layer."""
        z = state.embed_all(problem.h_val).double().numpy()
        width = sqrt(z.shape[1])
        weight = (state.log_scale.exp() * problem.prototypes).double().numpy() / width
        return cls(z * width, LastLayer(weight, np.zeros(problem.n_classes)))

    @property
    def logits(self) -> Floats:
        """Logits [M, C] of the rows."""
        return self.layer.logits(self.u)


@dataclass(frozen=True)
class Base:
    """ERM on one part of the training rows, and the other part, held out, for its last layer.

    Attributes
    ----------
    problem : Problem
        ERM's training rows, with the held-out rows as validation rows.
    erm : State
        The trained projection.
    seen : HeldOutFeatures
        The held-out rows as input of the last layer.
    weights : float32 Tensor [N] or None
        Weights of ERM's rows; None weights all rows equally.
    held, y : int64 [M]
        Numbers of the held-out rows among the training rows, and their class codes.
    """

    problem: Problem
    erm: State
    seen: HeldOutFeatures
    weights: Tensor | None
    held: Ints
    y: Ints

    def losses(self) -> Floats:
        """Return ERM's cross-entropy of the held-out rows, [M]."""
        losses: Floats = -log_softmax(self.seen.logits, axis=1)[np.arange(len(self.y)), self.y]
        return losses

    def model(self, layer: LastLayer) -> Model:
        """Return ERM's model with another last layer."""
        part = replace(self.problem, start=self.erm)
        return Model.of_probe(part, layer.weight * sqrt(self.seen.u.shape[1]), layer.bias)


def balancing_weights(y: Ints) -> Floats:
    """Return m / (K · m_{y_i}) for codes y [m] of K classes with m_c rows each; the mean is 1."""
    counts = np.bincount(y)
    weights: Floats = len(y) / (np.count_nonzero(counts) * counts[y])
    return weights


def hold_out_and_train(
    problem: Problem, sgd: SGD, history: list[dict[str, float]], *, balanced: bool = False
) -> Base:
    """Hold out a fifth of the training rows of every class, and train ERM on the rest.

    If `balanced`, ERM gives all classes equal weight.
    A class with fewer than five rows has all of its rows in both parts. Validation rows that the user gives
    are not used: they may be balanced by group, and training rows are not.
    """
    y = problem.y.numpy()
    kept, held = hold_out(y, seed=problem.seed, share=HELD_OUT, units=problem.units)
    held = np.union1d(held, np.flatnonzero(~np.isin(y, y[held])))
    part = Fold(torch.from_numpy(kept), torch.from_numpy(held)).of(problem)
    weights = torch.from_numpy(balancing_weights(part.y.numpy())).float() if balanced else None
    erm = train_erm(part, sgd, history, weights=weights)
    return Base(part, erm, HeldOutFeatures.of(erm, part), weights, held, part.y_val.numpy())
