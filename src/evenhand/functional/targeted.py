"""The targeted supervised contrastive loss of CFR's training, with its queue and its class centroids."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from evenhand._ranges import BELOW_ONE, NOT_NEGATIVE, POSITIVE, WHOLE, check
from evenhand.functional.geometry import class_centroids, unit


def moved_centroids(centroids: Tensor, z: Tensor, y: Tensor, momentum: float = 0.9) -> Tensor:
    """Move the centroids of the classes in a batch towards the batch.

    μ_c ← unit(m μ_c + (1−m) · unit(mean of z_i with y_i = c)); a class without rows stays where it is.

    Parameters
    ----------
    centroids : Tensor [C, D]
        μ_c: unit vectors, or zero before the class's first row.
    z : Tensor [B, D]
        Unit vectors.
    y : int64 Tensor [B]
        Class codes below C.
    momentum : float
        m; the published code uses 0.9.

    Returns
    -------
    Tensor [C, D]
        Without a gradient.
    """
    batch = class_centroids(z.detach(), y, len(centroids))
    seen = torch.bincount(y, minlength=len(centroids)) > 0
    return torch.where(seen[:, None], unit(momentum * centroids + (1 - momentum) * batch), centroids)


def assigned_targets(centroids: Tensor, vertices: Tensor) -> Tensor:
    """Return π, int64 [C]: the one-to-one assignment that maximises Σ_c μ_c · v_π(c) (Hungarian).

    Parameters
    ----------
    centroids, vertices : Tensor [C, D]
        μ_c and v_1 … v_C.
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
    """Pull each row to itself, to the queue's rows of its class and to its class's vertex.

    ℓ = log-softmax of [z_i·z_i, z_i·q_1 … z_i·q_K, z_i·v_1 … z_i·v_C] / τ,  n_i = 2 + #{j : y(q_j) = y_i},
    L = mean_i [ −(ℓ_self + Σ_{j: y(q_j) = y_i} ℓ_j) / n_i − w ℓ_π(y_i) / n_i − ℓ_self ]

    Parameters
    ----------
    z : Tensor [B, D]
        Unit vectors.
    y : int64 Tensor [B]
        Class codes.
    queue : Tensor [K, D]
        Unit vectors of earlier steps; K may be 0.
    labels : int64 Tensor [K]
        Their class codes.
    vertices : Tensor [C, D]
        The targets.
    assignment : int64 Tensor [C]
        π, a class's row of `vertices`.
    temperature : float
        τ; the published code uses 0.07.
    target_weight : float
        w; the published code uses 0.2.

    Returns
    -------
    Tensor []
        The mean over rows.

    References
    ----------
    T. Li et al., Targeted Supervised Contrastive Learning for Long-Tailed Recognition, CVPR 2022;
    the weights of the terms are those of CFR's published code.
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
    """Settings of the targeted term; the published code's by default.

    Attributes
    ----------
    queue_size : int
        K.
    momentum : float
        Of the class centroids.
    temperature : float
        τ.
    target_weight : float
        Weight of the pull to the class's vertex.
    """

    queue_size: int = 1280
    momentum: float = 0.9
    temperature: float = 0.07
    target_weight: float = 0.2

    def __post_init__(self) -> None:
        check(self, queue_size=WHOLE, momentum=BELOW_ONE, temperature=POSITIVE, target_weight=NOT_NEGATIVE)


class TargetedMemory:
    """What the targeted term remembers between steps: class centroids, and a queue of recent rows.

    Parameters
    ----------
    vertices : Tensor [C, D]
        The targets; centroids and queue take their precision and device.
    settings : Targeted
        K, momentum, τ, w.

    Attributes
    ----------
    centroids : Tensor [C, D]
        μ_c, zero before the class's first row.
    queue, labels : Tensor [K, D], int64 Tensor [K]
        A ring of the last rows and their class codes; only min(seen, K) of them are filled.
    seen : int
        Rows remembered so far; the next one goes to place seen mod K.
    """

    def __init__(self, vertices: Tensor, settings: Targeted) -> None:
        self.vertices = vertices
        self.settings = settings
        self.centroids = torch.zeros_like(vertices)
        self.queue = vertices.new_zeros(settings.queue_size, vertices.shape[1])
        self.labels = torch.zeros(settings.queue_size, dtype=torch.int64, device=vertices.device)
        self.seen = 0

    def step(self, z: Tensor, y: Tensor) -> Tensor:
        """Return the loss [] of a batch z [B, D], y [B], and remember it.

        In the published order: centroids, assignment, loss, then the batch replaces the oldest rows.
        Neither centroids nor queue carry a gradient.
        """
        settings = self.settings
        self.centroids = moved_centroids(self.centroids, z, y, settings.momentum)
        filled = min(self.seen, settings.queue_size)
        loss = targeted_loss(
            z,
            y,
            # A copy: the loss's backward pass still needs these rows after the batch replaced some.
            self.queue[:filled].clone(),
            self.labels[:filled],
            self.vertices,
            assigned_targets(self.centroids, self.vertices),
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
