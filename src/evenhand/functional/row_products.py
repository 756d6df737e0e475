"""Products over all rows in the fit of a head: by NumPy on the CPU, or by torch on a device."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from evenhand._typing import Floats, Ints

BLOCK = 8192
"""Rows in memory at a time."""
VALUES = 2**26
"""Values of one block on a device, 256 MiB."""


class RowSource(Protocol):
    """Unit embeddings: an array, or an object that reads them slice by slice."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape (N, D)."""

    def __getitem__(self, rows: slice, /) -> Floats:
        """Return the rows of a slice, float32 [n, D]."""


class Products(Protocol):
    """Weighted sums over rows z_i [N, D] of classes y_i with shares w_i, which add up to 1."""

    def moment(self) -> Floats:
        """Return Σ_i w_i z_i z_iᵀ, [D, D]."""

    def cross_entropy(self, head: Floats, /) -> tuple[float, Floats]:
        """Return Σ_i w_i CE(z_i H, y_i) and its gradient in H [D, C]."""


@dataclass(frozen=True)
class HostProducts:
    """`Products` by NumPy, block by block.

    Attributes
    ----------
    z : RowSource [N, D]
        The rows.
    y : int64 [N]
        Class codes.
    share : float [N]
        w_i.
    """

    z: RowSource
    y: Ints
    share: Floats

    def moment(self) -> Floats:
        """Return Σ_i w_i z_i z_iᵀ, [D, D]."""
        total = np.zeros((self.z.shape[1], self.z.shape[1]))
        for start, block in numbered(self.z):
            share = self.share[start : start + len(block), None].astype(block.dtype)
            total += (block * share).T @ block
        return total

    def cross_entropy(self, head: Floats) -> tuple[float, Floats]:
        """Return Σ_i w_i CE(z_i H, y_i) and its gradient in H [D, C]."""
        value, gradient = 0.0, np.zeros_like(head)
        for start, block in numbered(self.z):
            place = slice(start, start + len(block))
            codes, weight, rows = self.y[place], self.share[place], np.arange(len(block))
            logits = block @ head
            top = logits.max(axis=1)
            odds = np.exp(logits - top[:, None])
            sums = odds.sum(axis=1)
            value += float(weight @ (np.log(sums) + top - logits[rows, codes]))
            odds /= sums[:, None]
            odds[rows, codes] -= 1
            gradient += block.T @ (odds * weight[:, None].astype(block.dtype))
        return value, gradient


@dataclass(frozen=True)
class DeviceProducts:
    """`Products` by torch. Each product moves no more data to the device and back than the size of the head.

    Attributes
    ----------
    z : Tensor [N, D] or RowSource
        The rows, on the device; rows that are not in memory are moved block by block for each product.
    y : int64 Tensor [N]
        Codes, on the device.
    share : float32 Tensor [N]
        w_i, on the device.
    """

    z: Tensor | RowSource
    y: Tensor
    share: Tensor

    @classmethod
    def of(cls, z: RowSource, y: Ints, share: Floats, device: str) -> DeviceProducts:
        """Return the products of rows on the CPU, made on a device."""
        moved = torch.from_numpy(z).to(device) if isinstance(z, np.ndarray) else z
        return cls(moved, torch.from_numpy(y).to(device), torch.from_numpy(share).float().to(device))

    def moment(self) -> Floats:
        """Return Σ_i w_i z_i z_iᵀ, [D, D]."""
        blocks = [(block * share[:, None]).T @ block for block, _, share in self._blocks()]
        total: Floats = torch.stack(blocks).sum(dim=0).cpu().numpy().astype(np.float64)
        return total

    def cross_entropy(self, head: Floats) -> tuple[float, Floats]:
        """Return Σ_i w_i CE(z_i H, y_i) and its gradient in H [D, C]."""
        moved = torch.from_numpy(np.ascontiguousarray(head)).to(self.y.device)
        value, gradient = torch.zeros((), device=self.y.device), torch.zeros_like(moved)
        for block, codes, share in self._blocks(moved.shape[1]):
            log_p = torch.log_softmax(block @ moved, dim=1)
            value = value - log_p.gather(1, codes[:, None])[:, 0] @ share
            error = log_p.exp().scatter_add(1, codes[:, None], -torch.ones_like(share)[:, None])
            gradient = gradient + block.T @ (error * share[:, None])
        return float(value), gradient.cpu().numpy()

    def _blocks(self, width: int = 1) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        device, size = self.y.device, max(1, VALUES // max(width, self.z.shape[1]))
        for start in range(0, len(self.y), size):
            place = slice(start, start + size)
            block = self.z[place]
            yield (
                block if isinstance(block, Tensor) else torch.from_numpy(block).to(device),
                self.y[place],
                self.share[place],
            )


def numbered(z: RowSource) -> Iterator[tuple[int, Floats]]:
    """Yield the rows in order, block by block, with the number of each block's first row."""
    for start in range(0, z.shape[0], BLOCK):
        yield start, z[start : start + BLOCK]
