"""A torch device that is not there is refused in one sentence, before any work for it."""

from __future__ import annotations

import torch

from evenhand._errors import EvenhandError


def check_torch_device(device: str) -> None:
    """Refuse a device that torch does not know, or that this machine lacks.

    Raises
    ------
    EvenhandError
        If no tensor can be made there.
    """
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, TypeError) as error:
        reason = str(error).splitlines()[0]
        raise EvenhandError(
            f"device: {device!r} cannot be used ({reason}); give one of this machine, such as cpu or cuda"
        ) from error
