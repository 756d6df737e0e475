"""The error and the warning of evenhand."""

from __future__ import annotations

from collections.abc import Iterable


class EvenhandError(ValueError):
    """An expected failure, reported in one sentence: the argument, what came, what is allowed, what to do.

    The command line prints the sentence and exits with 1, or with 2 for a value that is not allowed; no
    traceback is shown.
    """


class NotAllowedError(EvenhandError):
    """A value that is not among the allowed ones."""

    @classmethod
    def of(cls, argument: str, value: object, allowed: Iterable[str]) -> NotAllowedError:
        """Return the error of an argument that takes one of several words."""
        return cls(f"{argument}: {value!r} is unknown; the allowed values are {', '.join(allowed)}")


class EvenhandWarning(UserWarning):
    """Something the user should know that does not stop the work."""
