"""The matrix products of a computation, recorded as it runs and repeated bare."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

aten = torch.ops.aten
BARE = {aten.mm.default: 0, aten.bmm.default: 0, aten.addmm.default: 1, aten.baddbmm.default: 1}
"""Products, and how many arguments precede the two factors."""

Layout = tuple[tuple[int, ...], tuple[int, ...], torch.dtype]


class Products(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Record the layout of the factors of every product, forward and backward, while active.

    Attributes
    ----------
    calls : list of (Layout, Layout)
        In their order; shape, strides and type of either factor.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.calls: list[tuple[Layout, Layout]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in BARE:
            a, b = args[BARE[func] : BARE[func] + 2]
            self.calls.append((_layout(a), _layout(b)))
        return func(*args, **(kwargs or {}))


def record(run: Callable[[], object]) -> Products:
    """Run once and return its products.

    Raises
    ------
    RuntimeError
        If they are not all that FlopCounterMode counts.
    """
    products, counter = Products(), FlopCounterMode(display=False)
    with counter, products:
        run()
    flops = operations(products)
    if flops != counter.get_total_flops():
        raise RuntimeError(f"recorded {flops} operations, but FlopCounterMode {counter.get_total_flops()}")
    return products


def replay(products: Products, device: str = "cpu") -> Callable[[], None]:
    """Return a function that does the same products on made-up factors of the same layouts, and no more.

    On a GPU it ends when the last product is there.
    """
    factors: dict[tuple[Layout, Layout], tuple[Tensor, Tensor, Tensor]] = {}
    for a, b in set(products.calls):
        left, right = _made(a, device), _made(b, device)
        factors[a, b] = left, right, left @ right
    sequence = [factors[call] for call in products.calls]

    @torch.inference_mode()
    def run() -> None:
        for left, right, out in sequence:
            torch.matmul(left, right, out=out)
        if device.startswith("cuda"):
            torch.cuda.synchronize(device)

    return run


def operations(products: Products) -> int:
    """Return the floating-point operations of all products, two for each multiplication."""
    return sum(2 * _volume(a) * b[0][-1] for a, b in products.calls)


def _layout(tensor: Tensor) -> Layout:
    return tuple(tensor.shape), tuple(tensor.stride()), tensor.dtype


def _volume(layout: Layout) -> int:
    size = 1
    for length in layout[0]:
        size *= length
    return size


def _made(layout: Layout, device: str) -> Tensor:
    shape, strides, dtype = layout
    # Strides of 0, which a broadcast has, let elements share memory: filled before it is laid out.
    size = 1 + sum((length - 1) * stride for length, stride in zip(shape, strides, strict=True))
    return torch.rand(size, dtype=dtype, device=device).as_strided(shape, strides)
