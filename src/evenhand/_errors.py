"""The error and the warning of evenhand."""

from __future__ import annotations


class EvenhandError(ValueError):
    """An expected failure, reported in one sentence: the argument, what came, what is allowed, what to do.

    The command line prints the sentence and exits with 1; no traceback is shown.
    """


class EvenhandWarning(UserWarning):
    """Something the user should know that does not stop the work."""
