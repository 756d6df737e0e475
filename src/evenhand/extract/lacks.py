"""What a finished store lacks: images, images of a class, prompts that tell classes apart."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np

from evenhand._counts import number_of
from evenhand._errors import EvenhandError, EvenhandWarning
from evenhand.data.head import Head
from evenhand.data.store import read_skipped
from evenhand.data.table import FeatureTable


def check_none_skipped(out: Path) -> None:
    """Refuse a store from which an earlier run, without `strict`, left images out."""
    skipped = read_skipped(out)
    if skipped.num_rows:
        (first,) = skipped.slice(0, 1).to_pylist()
        raise EvenhandError(
            f"store {out} lacks {number_of(skipped.num_rows, 'image')}, the first is {first['path']}: "
            f"{first['reason']}; repair them and name another `out`, or leave out `strict=True`"
        )


def warn_of_lost_classes(table: FeatureTable) -> None:
    """Warn of classes without a training image that can be read."""
    trained = set(table.labels(table.rows("train")))
    lost = [name for name in table.classes if name not in trained]
    if lost:
        warnings.warn(
            f"no training image of {', '.join(lost)} can be read; repair some before fitting",
            EvenhandWarning,
            stacklevel=3,
        )


def warn_of_same_text(head: Head) -> None:
    """Warn of classes whose prompts are equal to the text tower: zero-shot cannot separate them."""
    first: dict[bytes, str] = {}
    for name, row in zip(head.classes, () if head.text is None else head.text, strict=False):
        other = first.setdefault(row.astype(np.float16).tobytes(), name)
        if other != name:
            warnings.warn(
                f"the prompts of classes {other!r} and {name!r} are the same to the text tower "
                f"({head.prompts[other][0]!r} and {head.prompts[name][0]!r}), so that words cannot tell them "
                "apart; give other `class_names` or `templates`",
                EvenhandWarning,
                stacklevel=3,
            )
            return
