"""Whether the values of `--param` are of the kinds, and in the ranges, that a method or benchmark takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from evenhand._errors import EvenhandError, NotAllowedError
from evenhand._ranges import check_value
from evenhand.methods.registry import built_in_parameters, check_parameters, method_class

_KINDS = {int: "a whole number", float: "a number", bool: "true or false", str: "text", NoneType: "null"}
_SET_ELSEWHERE = {"head": "the store", "random_state": "--seed"}


def check_params(method: str, params: Mapping[str, Any]) -> None:
    """Refuse JSON values that the method does not accept; a built-in method is not imported for this.

    Ranges of a plug-in's method are left to `evenhand.methods.registry.make`.

    Raises
    ------
    EvenhandError
        If a parameter is unknown or given elsewhere, or its value is of another kind or out of its range.
    """
    check_parameters(method, params)
    for name in params:
        if name in _SET_ELSEWHERE:
            raise EvenhandError(f"--param: {name} is set by {_SET_ELSEWHERE[name]}; leave it out")
    known = built_in_parameters(method)
    if known is None:
        check_kinds(method, params, get_type_hints(method_class(method).__init__))
        return
    check_kinds(method, params, {name: parameter.hint for name, parameter in known.items()})
    for name, value in params.items():
        if (allowed := known[name].range) is not None:
            check_value(name, value, allowed, known[name].default)


def check_kinds(owner: str, params: Mapping[str, Any], hints: Mapping[str, Any]) -> None:
    """Refuse values of another kind than the type hint of their parameter.

    Raises
    ------
    EvenhandError
        At the first of them; `owner` says who takes it.
    """
    for name, value in params.items():
        if name in hints and not _fits(value, hints[name]):
            kinds = dict.fromkeys(_kinds(hints[name]))
            if isinstance(value, str) and _has_words(hints[name]):
                raise NotAllowedError.of(f"--param: {name}", value, kinds)
            raise NotAllowedError(f"--param: {name} got {value!r}, but {owner} needs {' or '.join(kinds)}")


def chosen_by(method: str, metric: str) -> dict[str, str]:
    """Return the parameter that has a method choose by a metric; empty if it has none for it.

    Accuracy is what such methods choose by anyway.
    """
    known = built_in_parameters(method)
    hint = get_type_hints(method_class(method).__init__).get("metric") if known is None else None
    hint = known["metric"].hint if known and "metric" in known else hint
    takes = metric != "accuracy" and hint is not None and _fits(metric, hint)
    return {"metric": metric} if takes else {}


def _fits(value: Any, hint: Any) -> bool:
    origin, inside = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return any(_fits(value, member) for member in inside)
    if origin is Literal:
        return value in inside
    if origin is Sequence:
        return isinstance(value, list) and all(_fits(item, inside[0]) for item in value)
    if origin is Mapping:
        return isinstance(value, dict) and all(_fits(item, inside[1]) for item in value.values())
    if hint is float:
        return type(value) in (int, float)
    return hint is Any or (hint in _KINDS and type(value) is hint)


def _has_words(hint: Any) -> bool:
    return get_origin(hint) is Literal or any(map(_has_words, get_args(hint)))


def _kinds(hint: Any) -> list[str]:
    origin, inside = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return [kind for member in inside for kind in _kinds(member)]
    if origin is Literal:
        return [str(value) for value in inside]
    if origin is Sequence:
        return [f"a list, each {kind}" for kind in _kinds(inside[0])]
    if origin is Mapping:
        return [f"a mapping, each {kind}" for kind in _kinds(inside[1])]
    return [_KINDS.get(hint, "an object that only Python code can pass")]
