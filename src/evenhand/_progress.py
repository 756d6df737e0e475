"""Progress as data: library code reports it, and the caller decides how to show it."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """A callable reported that `done` of `total` units of `stage` are finished."""

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Take one report."""


def silent(stage: str, done: int, total: int) -> None:
    """Report nothing."""
