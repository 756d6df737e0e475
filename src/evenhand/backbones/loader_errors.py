"""Why a model could not be loaded, in one sentence: loaders report it on pages, and each in its own terms."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager

from evenhand._errors import EvenhandError

_LONGEST = 300
_GET = "download it on a machine with a network, with: hf download ORG/NAME --local-dir FOLDER, then name"
_REASONS = (
    (
        r"gated|awaiting a review|\b40[13]\b|unauthori[sz]ed|must be authenticated|access to model",
        "the Hub denies access: accept the terms on the model's page and log in with hf auth login, or name "
        "a folder that holds the model",
    ),
    (
        r"offline|couldn't connect|connection ?error|connecterror|max retries|name or service not known|"
        r"name resolution|network is unreachable|localentrynotfound|in the (local|disk) cache|urlopen|"
        r"timed out|connection refused|proxyerror|sslerror",
        f"it is not on this machine, and the Hub cannot be reached; {_GET} hf:FOLDER for a model of "
        "transformers or local-dir:FOLDER for one of open_clip",
    ),
    (
        r"repository ?not ?found|\b404\b|not a valid model identifier|repo id must|hfvalidationerror",
        "the hub has no model of that name, or a private one; check the spelling, and log in with hf "
        "auth login if it is private",
    ),
    (
        r"has no attribute 'trunk'",
        "it is a checkpoint of big_vision, which this architecture cannot load; name the one that it was "
        "trained with, such as a ViT-…-SigLIP",
    ),
    (
        r"can't allocate memory|out of memory|memoryerror|bad_alloc",
        "it needs more memory than there is; use a smaller model or another machine",
    ),
)
_EXTRA = re.compile(r"No module named '([\w.]+)'|requires? (?:the )?`?(\w+)`? (?:library|backend|to be inst)")
_MISMATCH = re.compile(
    r"size mismatch for ([\w.]+): .*?shape (?:torch\.Size\()?(\[[\d, ]*\]).*?(?:model|module) is "
    r"(?:torch\.Size\()?(\[[\d, ]*\])",
    re.DOTALL,
)
_KEYS = re.compile(r'(Missing|Unexpected) key\(s\) in state_dict: "([^"]+)"((?:, "[^"]+")*)')


@contextmanager
def told(what: str) -> Iterator[None]:
    """Turn every failure in the context into one sentence that begins with `what`.

    open_clip, transformers, the hub's client and torch raise different errors for the same cause.

    Raises
    ------
    EvenhandError
        In place of any other error.
    """
    try:
        yield
    except EvenhandError:
        raise
    except Exception as error:
        logging.getLogger(__name__).debug("%s", what, exc_info=True)
        raise EvenhandError(f"{what}: {reason_of(error)}") from error


def reason_of(error: BaseException) -> str:
    """Return the reason, and what to do if it is a known one; otherwise the error's first sentences."""
    causes = list(_causes(error))
    text = "\n".join(f"{type(cause).__name__}: {cause}" for cause in causes)
    different = _different(text)
    if different:
        return different
    absent = _EXTRA.search(text)
    if absent:
        name = absent[1] or absent[2]
        return f"it needs the package {name}, which is not installed; install it with: pip install {name}"
    for pattern, reason in _REASONS:
        if re.search(pattern, text, re.IGNORECASE):
            return reason
    if isinstance(error, FileNotFoundError) and error.filename:
        return f"there is no file {error.filename}"
    return _first_sentences(str(error)) or type(error).__name__


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _different(text: str) -> str | None:
    """Return how weights differ from the named model; None if something else failed."""
    shapes = _MISMATCH.findall(text)
    if shapes:
        name, there, here = shapes[0]
        more = f", and {len(shapes) - 1} more differ" if len(shapes) > 1 else ""
        return (
            f"its weights are of another architecture: {name} has the shape {there} in the file and {here} "
            f"in the model{more}; name the architecture that they were trained with"
        )
    keys = {kind: (first, 1 + rest.count(', "')) for kind, first, rest in _KEYS.findall(text)}
    if not keys:
        return None
    if keys.keys() == {"Missing"}:
        first, n = keys["Missing"]
        more = f" and {n - 1} more" if n > 1 else ""
        return (
            f"it lacks weights of the model: {first}{more}; name the architecture it was trained with, or "
            "a checkpoint of the whole model, text tower included"
        )
    lists = [
        f"{kind.lower()} are {first}" + (f" and {n - 1} more" if n > 1 else "")
        for kind, (first, n) in keys.items()
    ]
    return (
        f"its weights have other names than the model's: {', '.join(lists)}; name the architecture that they "
        "were trained with, or use hf:FOLDER for a model that transformers saved"
    )


def _first_sentences(text: str) -> str:
    """Return as many whole sentences as are short enough, on one line, without the last stop."""
    line = " ".join(text.split())
    if len(line) > _LONGEST:
        end = line.rfind(". ", 0, _LONGEST)
        line = line[:end] if end > 0 else line[: line.rfind(" ", 0, _LONGEST - 2)] + " …"
    return line.rstrip(".")
