"""Sentences of the library, which name Python arguments, in the words of the running command's options.

The library writes two forms: a leading `name:` is the argument that the sentence is about, and backticks
mark one that it advises on.

    group_by: 'x' is not an attribute      →  --group-by: 'x' is not an attribute
    use a smaller `batch_size`         →  use a smaller --batch-size
    give `dtype='float32'`             →  give --dtype float32
    choose `stream=False`              →  choose --no-stream
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from shlex import quote
from types import MappingProxyType
from typing import Any

from typer.core import TyperArgument

ALIASES = {
    "benchmark": "name",
    "bounds": "fail_under",
    "confidence": "calibrate_confidence",
    "method": "methods",
    "params": "param",
    "run": "against",
}
"""Arguments whose option has another name; they stand for it in commands that have none of their own name."""
_QUOTE = "'"
_LEADING = re.compile(r"\A(\w+)(?=:\s)")
_ADVISED = re.compile(r"`(\w+)(?:=([^`]*))?`")

_parameters: ContextVar[Mapping[str, Any]] = ContextVar("parameters", default=MappingProxyType({}))


@contextmanager
def naming(parameters: Iterable[Any]) -> Iterator[None]:
    """Have `in_options` name the options of one command, given its parameters."""
    token = _parameters.set({parameter.name: parameter for parameter in parameters})
    try:
        yield
    finally:
        _parameters.reset(token)


def in_options(sentence: str) -> str:
    """Return a sentence of the library with its arguments as options; other words stay as they are."""
    sentence = _LEADING.sub(lambda found: _option(found[1]) or found[0], sentence)
    return _ADVISED.sub(lambda found: _option(found[1], found[2]) or found[0], sentence)


def _option(name: str, value: str | None = None) -> str | None:
    """Return how the command line calls an argument: --name, or NAME for one without dashes."""
    known = _parameters.get()
    parameter = known.get(name) or known.get(ALIASES.get(name, name))
    if parameter is None:
        return None
    if isinstance(parameter, TyperArgument):
        return value or str(parameter.name).upper()
    if value == "False":
        return str(parameter.secondary_opts[0]) if parameter.secondary_opts else None
    shown = str(parameter.opts[0])
    return shown if value in (None, "True") else f"{shown} {quote(value.strip(_QUOTE))}"
