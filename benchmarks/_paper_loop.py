"""A step as the paper's code makes it: both of its batches go through the trunk again."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from evenhand.backbones import OpenClipBackbone
from evenhand.functional import calibration_loss, cosine_logits, project, similarity_loss

DRAWN = 16
"""Positives and negatives of each anchor, k_p and k_n."""


class PaperLoop:
    """The published loop, less than it does: pixels lie decoded in memory, and no augmentation is made.

    Positives and negatives come from stored features, as the published code has them.

    Parameters
    ----------
    backbone : OpenClipBackbone
        Frozen; the projection alone learns.
    pixels : Tensor [N, 3, H, W]
        All training images.
    y : int64 Tensor [N]
        Codes.
    """

    def __init__(self, backbone: OpenClipBackbone, pixels: Tensor, y: Tensor, batch_size: int = 128) -> None:
        self._backbone, self._pixels, self._y, self._batch = backbone, pixels, y, batch_size
        head = backbone.head(["a", "b"], {"a": ["a"], "b": ["b"]})
        self._weight = torch.from_numpy(head.weight).clone().requires_grad_()
        self._text = torch.as_tensor(head.text)
        self._scale = head.logit_scale
        self._optimiser = torch.optim.SGD([self._weight], lr=1e-4, momentum=0.9, weight_decay=1e-5)
        self._stored = torch.randn(len(y), len(head.weight), generator=torch.Generator().manual_seed(0))
        self.images_per_step = 2 * batch_size

    def step(self) -> None:
        """Draw a batch and anchors, embed both, and move the projection."""
        rows, anchors = (torch.randint(len(self._y), (self._batch,)) for _ in range(2))
        z_b, z_a = self._embed(rows), self._embed(anchors)
        drawn = self._stored[torch.randint(len(self._y), (self._batch, 2 * DRAWN))]
        contrast = project(drawn.flatten(0, 1), self._weight, None).view(self._batch, 2 * DRAWN, -1)
        loss = calibration_loss(z_a, contrast[:, :DRAWN], contrast[:, DRAWN:])
        loss = loss + cross_entropy(cosine_logits(z_a, self._text, self._scale), self._y[anchors])
        loss = loss + similarity_loss(z_b, self._y[rows])
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimiser.step()

    def _embed(self, rows: Tensor) -> Tensor:
        # A copy: what inference made cannot take part in a gradient.
        features = self._backbone.trunk(self._pixels[rows]).clone()
        return project(features, self._weight, None)
