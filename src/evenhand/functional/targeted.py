"""The targeted supervised contrastive loss, with its queue and its class centroids."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from evenhand._random import torch_stream
from evenhand._ranges import BELOW_ONE, NOT_NEGATIVE, POSITIVE, WHOLE, check
from evenhand.functional.geometry import class_centroids, unit


def update_centroids(centroids: Tensor, z: Tensor, y: Tensor, momentum: float = 0.9) -> Tensor:
    """Return the class centroids after one step of a running mean.

        μ_c ← unit( m μ_c + (1 − m) · unit(mean of z_i with y_i = c) )

    A class without rows in the batch keeps its centroid.

    Parameters
    ----------
    centroids : Tensor [C, D]
        μ_c, unit vectors; zero before the first row of the class.
    z : Tensor [B, D]
        Unit embeddings of the batch.
    y : int64 Tensor [B]
        Class codes below C.
    momentum : float, default=0.9
        m, at least 0 and below 1.

    Returns
    -------
    Tensor [C, D]
        Updated centroids, without a gradient.

    Examples
    --------
    >>> import torch
    >>> update_centroids(torch.zeros(2, 2), torch.tensor([[0.0, 1.0]]), torch.tensor([1])).tolist()
    [[0.0, 0.0], [0.0, 1.0]]
    """
    batch = class_centroids(z.detach(), y, len(centroids))
    seen = torch.bincount(y, minlength=len(centroids)) > 0
    return torch.where(seen[:, None], unit(momentum * centroids + (1 - momentum) * batch), centroids)


def assign_targets(centroids: Tensor, vertices: Tensor) -> Tensor:
    """Return the one-to-one assignment π of classes to vertices that maximizes Σ_c μ_c · v_π(c).

    Parameters
    ----------
    centroids, vertices : Tensor [C, D]
        μ_1 … μ_C and v_1 … v_C.

    Returns
    -------
    int64 Tensor [C]
        π, from the Hungarian algorithm.

    Examples
    --------
    >>> import torch
    >>> assign_targets(torch.eye(3), torch.eye(3)[[1, 2, 0]]).tolist()
    [2, 0, 1]
    """
    similarity = (centroids @ vertices.T).double().cpu().numpy()
    return torch.from_numpy(linear_sum_assignment(similarity, maximize=True)[1]).to(centroids.device)


def targeted_loss(
    z: Tensor,
    y: Tensor,
    queue: Tensor,
    labels: Tensor,
    vertices: Tensor,
    assignment: Tensor,
    temperature: float = 0.07,
    target_weight: float = 0.2,
) -> Tensor:
    """Pull each row to itself, to the rows of its class in the queue and to the vertex of its class.

        ℓ = log-softmax of [z_i·z_i, z_i·q_1 … z_i·q_K, z_i·v_1 … z_i·v_C] / τ
        L = mean_i [ −(ℓ_self + Σ_{j: y(q_j) = y_i} ℓ_j) / n_i − w ℓ_π(y_i) / n_i − ℓ_self ]

    with n_i = 2 + #{j : y(q_j) = y_i}.

    Parameters
    ----------
    z : Tensor [B, D]
        Unit embeddings of the batch.
    y : int64 Tensor [B]
        Class codes of the batch.
    queue : Tensor [K, D]
        Unit embeddings q_j of earlier steps; K may be 0.
    labels : int64 Tensor [K]
        Class codes of the queue.
    vertices : Tensor [C, D]
        Targets v_c.
    assignment : int64 Tensor [C]
        π: the row of `vertices` that each class is assigned to.
    temperature : float, default=0.07
        τ, above 0; the published code uses 0.07.
    target_weight : float, default=0.2
        w, at least 0; the published code uses 0.2.

    Returns
    -------
    Tensor []
        The mean over rows.

    References
    ----------
    T. Li et al., Targeted Supervised Contrastive Learning for Long-Tailed Recognition, CVPR 2022. The weights
    of the terms are those of CFR's published code.

    Examples
    --------
    >>> import torch
    >>> z, y, v = torch.tensor([[1.0, 0.0]]), torch.tensor([0]), torch.tensor([[1.0, 0.0], [-1.0, 0.0]])
    >>> empty = torch.zeros(0, 2), torch.zeros(0, dtype=torch.int64)
    >>> loss = targeted_loss(z, y, *empty, v, torch.tensor([0, 1]), temperature=1.0, target_weight=1.0)
    >>> round(loss.item(), 4)  # 2 (ln(2 e + 1/e) − 1)
    1.5172
    """
    to_self = (z * z).sum(dim=1, keepdim=True)
    log_p = torch.log_softmax(torch.cat([to_self, z @ queue.T, z @ vertices.T], dim=1) / temperature, dim=1)
    own, to_queue, to_vertices = torch.split(log_p, [1, len(queue), len(vertices)], dim=1)
    mates = y[:, None] == labels[None, :]
    n = 2 + mates.sum(dim=1, keepdim=True)
    pulled = own + torch.where(mates, to_queue, 0).sum(dim=1, keepdim=True)
    to_target = to_vertices.gather(1, assignment[y][:, None])
    return -((pulled + target_weight * to_target) / n + own).mean()


@dataclass(frozen=True)
class Targeted:
    """Settings of the targeted term. The defaults are those of CFR's published code.

    Parameters
    ----------
    queue_size : int, default=1280
        Rows K that the queue holds, at least 0.
    momentum : float, default=0.9
        m of the class centroids, at least 0 and below 1.
    temperature : float, default=0.07
        τ, above 0.
    target_weight : float, default=0.2
        Weight w of the target, at least 0.
    random_queue : bool, default=False
        True fills the queue with random unit vectors of no class at first, as the published code does; False
        starts with an empty queue.

    Raises
    ------
    EvenhandError
        If a value is out of its range.
    """

    queue_size: int = 1280
    momentum: float = 0.9
    temperature: float = 0.07
    target_weight: float = 0.2
    random_queue: bool = False

    def __post_init__(self) -> None:
        check(self, queue_size=WHOLE, momentum=BELOW_ONE, temperature=POSITIVE, target_weight=NOT_NEGATIVE)


class TargetedMemory:
    """State of the targeted term between steps: class centroids, and a queue of recent rows.

    Parameters
    ----------
    vertices : Tensor [C, D]
        Targets. Centroids and queue take their dtype and device.
    settings : Targeted
        K, m, τ and w.
    seed : int, default=0
        Seed of the rows of a random queue.

    Attributes
    ----------
    centroids : Tensor [C, D]
        μ_c, zero before the first row of the class.
    queue, labels : Tensor [K, D], int64 Tensor [K]
        A ring buffer of the latest rows and their class codes. Only the first min(seen, K) are filled, or all
        of a random queue, whose first rows have code −1.
    seen : int
        Rows so far; the next row goes to position seen mod K.
    """

    def __init__(self, vertices: Tensor, settings: Targeted, seed: int = 0) -> None:
        self.vertices = vertices
        self.settings = settings
        self.centroids = torch.zeros_like(vertices)
        self.queue = vertices.new_zeros(settings.queue_size, vertices.shape[1])
        self.labels = torch.full((settings.queue_size,), -1, device=vertices.device)
        if settings.random_queue:
            drawn = torch.randn(self.queue.shape, generator=torch_stream(seed, "targeted-queue"))
            self.queue = unit(drawn).to(vertices)
        self.seen = 0

    def step(self, z: Tensor, y: Tensor) -> Tensor:
        """Return the loss of a batch, and add the batch to the queue.

        The order is that of the published code: centroids, assignment, loss; then the batch replaces the
        oldest rows. Neither centroids nor queue carry a gradient.

        Parameters
        ----------
        z : Tensor [B, D]
            Unit embeddings.
        y : int64 Tensor [B]
            Class codes.

        Returns
        -------
        Tensor []
        """
        settings = self.settings
        self.centroids = update_centroids(self.centroids, z, y, settings.momentum)
        filled = settings.queue_size if settings.random_queue else min(self.seen, settings.queue_size)
        loss = targeted_loss(
            z,
            y,
            # A copy, since the backward pass needs these rows after the batch has replaced some.
            self.queue[:filled].clone(),
            self.labels[:filled],
            self.vertices,
            assign_targets(self.centroids, self.vertices),
            settings.temperature,
            settings.target_weight,
        )
        self._remember(z.detach(), y)
        return loss

    def _remember(self, z: Tensor, y: Tensor) -> None:
        size = self.settings.queue_size
        newest = torch.arange(max(0, len(z) - size), len(z), device=z.device)
        places = (self.seen + newest) % size
        self.queue[places] = z[newest]
        self.labels[places] = y[newest]
        self.seen += len(z)
