"""Modules whose weights are about to be loaded, without drawing random ones first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

_DRAWS = frozenset(
    {Tensor.normal_, Tensor.uniform_, nn.init.normal_, nn.init.uniform_, nn.init.kaiming_uniform_}
)
"""Functions that draw initial weights: `nn.init` calls these for its other distributions."""


class Undrawn(TorchFunctionMode):
    """While active, a tensor that would be filled with random numbers stays as it is.

    Drawing the weights of a ViT-B/32 takes 0.7 s, and all are overwritten by the checkpoint: open_clip loads
    it strictly, so a weight that it lacks is an error.

    Examples
    --------
    >>> import torch
    >>> from evenhand.backbones.undrawn import Undrawn
    >>> with Undrawn():
    ...     weights = torch.zeros(2).normal_()
    >>> weights
    tensor([0., 0.])
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the tensor of a draw unchanged, and otherwise torch's result."""
        given = dict(kwargs or {})
        if func in _DRAWS:
            return args[0] if args else given["tensor"]
        return func(*args, **given)
