"""uLA: logit adjustment by the predictions of a biased probe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from evenhand._ranges import NOT_NEGATIVE, POSITIVE, Ranges
from evenhand.data.head import Head
from evenhand.methods._training.best_epoch import BestEpoch
from evenhand.methods._training.folds import with_validation
from evenhand.methods._training.logistic import logistic
from evenhand.methods._training.loop import SGD
from evenhand.methods._training.model import Model
from evenhand.methods._training.problem import Problem
from evenhand.methods._training.train_erm import erm_sgd, train_erm
from evenhand.methods.base import Method
from evenhand.selection.cells import Partition
from evenhand.selection.rules import MIN_ROWS, mean


class ULA(Method):
    """Train ERM with logits adjusted for the association of labels with a biased probe's predictions.

    1. A linear probe on the pretrained embeddings predicts ŷ_i for every row. It is regularized, so that it
       learns what is easy: its prediction stands in for the attribute of a shortcut.
    2. SGD minimizes over W and s the mean of

           cross-entropy(s · z_i · t_c + η log P(c | ŷ_i), y_i)

       with P(c | k) the share of class c among the training rows with ŷ = k. Predictions do not use the
       adjustment.
    3. The epoch with the highest proxy-balanced accuracy is kept. This is the mean accuracy over the cells
       (class, ŷ) of the validation rows with at least 5 rows.

    If `fit` receives no validation rows, a fifth of the training rows is held out.

    Parameters
    ----------
    head : Head or None, default=None
        Projection and prototypes of the store; None takes X itself as the embedding.
    eta : float, default=1.0
        η, at least 0; 0 is ERM with a chosen epoch.
    bias_C : float, default=0.01
        Inverse of the L2 penalty of the probe, above 0. The authors stop its training early instead.
    erm : SGD or None, default=None
        Optimizer of step 2. None means that of `ERM`.
    random_state : int, default=0
        Seed of held-out rows and shuffles.

    Attributes
    ----------
    proxy_ : int64 Tensor [n]
        ŷ of the rows used for training, as class codes.
    scores_ : list of float
        Proxy-balanced accuracy after each epoch.

    References
    ----------
    C. Tsirigotis et al., Group Robust Classification Without Any Group Information, NeurIPS 2023, arXiv
    2310.18555.

    Examples
    --------
    >>> import numpy as np
    >>> X, y = np.array([[0.0, 1], [0, 2], [1, 0], [2, 0]] * 5), ["left", "left", "right", "right"] * 5
    >>> ULA().fit(X, y).predict([[0, 3], [3, 0]]).tolist()
    ['left', 'right']
    """

    configurations: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {},
        {"eta": 0.5},
        {"eta": 1.5},
        {"bias_C": 0.1},
        {"bias_C": 0.001},
    )
    selection: ClassVar[str] = "proxy_balanced"
    paper: ClassVar[str] = "Tsirigotis et al., NeurIPS 2023, arXiv 2310.18555"
    ranges: ClassVar[Ranges] = {"eta": NOT_NEGATIVE, "bias_C": POSITIVE}

    def __init__(
        self,
        head: Head | None = None,
        eta: float = 1.0,
        bias_C: float = 0.01,
        erm: SGD | None = None,
        random_state: Any = 0,
    ) -> None:
        self.head = head
        self.eta = eta
        self.bias_C = bias_C
        self.erm = erm
        self.random_state = random_state

    def _learn(self, problem: Problem) -> Model:
        problem = with_validation(problem)
        z, z_val = problem.start.embed_all(problem.h), problem.start.embed_all(problem.h_val)
        v, d = (torch.from_numpy(part) for part in logistic(z.numpy(), problem.y.numpy(), self.bias_C))
        self.proxy_, held = ((rows @ v.to(rows).T + d.to(rows)).argmax(dim=1) for rows in (z, z_val))
        offsets = self.eta * log_shares(problem.y, self.proxy_, problem.n_classes)[self.proxy_]
        cells = Partition.of(problem.y_val.numpy(), held.numpy(), MIN_ROWS)
        best = BestEpoch(problem, cells, mean)
        train_erm(
            problem, self.erm or erm_sgd(problem), self.history_, offsets=offsets, after_epoch=best, stage=2
        )
        self.scores_ = best.scores
        return Model.of_state(problem, best.kept())


def log_shares(y: Tensor, proxy: Tensor, n_classes: int) -> Tensor:
    """Return log P(c | k), [C, C] with a row per proxy k: the share of class c among the rows with ŷ = k.

    A share of zero gives −∞: no row of such a proxy is of that class. A proxy without rows gives zeros.
    """
    counts = torch.bincount(proxy * n_classes + y, minlength=n_classes**2).view(n_classes, n_classes)
    totals = counts.sum(dim=1, keepdim=True)
    return torch.where(totals > 0, counts / totals.clamp(min=1), 1.0).log()
