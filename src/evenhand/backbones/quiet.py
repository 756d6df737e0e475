"""Keep the output of loaders off the screen, and give no answer to their prompts."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from typing import Any


@contextmanager
def quiet() -> Iterator[None]:
    """Keep open_clip off the user's screen: it logs to the root logger, which sets that up to print.

    Nor does it get an answer: transformers, which it uses, asks whether to run a stranger's code.
    """
    root, handler, level = logging.getLogger(), logging.NullHandler(), logging.root.manager.disable
    stdin, sys.stdin = sys.stdin, StringIO()
    root.addHandler(handler)
    logging.disable(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        sys.stdin = stdin
        logging.disable(level)
        root.removeHandler(handler)


@contextmanager
def quiet_transformers(transformers: Any) -> Iterator[None]:
    """Keep transformers off the user's screen: its logger has a handler of its own, and it draws bars."""
    logger, bars = logging.getLogger("transformers"), transformers.utils.logging.is_progress_bar_enabled()
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    transformers.utils.logging.disable_progress_bar()
    try:
        yield
    finally:
        logger.setLevel(level)
        if bars:
            transformers.utils.logging.enable_progress_bar()
