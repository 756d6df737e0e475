"""Whether the values of `--param` are of the kinds that a method takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from evenhand._errors import EvenhandError

_KINDS = {int: "a whole number", float: "a number", bool: "true or false", str: "text", NoneType: "null"}
_SET_ELSEWHERE = {"head": "the store", "random_state": "--seed"}


def check_params(method: str, params: Mapping[str, Any]) -> None:
    """Refuse values that JSON texts gave and the method's constructor does not take.

    Unknown names and presets are left to `evenhand.methods.registry.make`.

    Raises
    ------
    EvenhandError
        If the method is unknown, or a value is of another kind than its parameter, or is given elsewhere.
    """
    from evenhand.methods.registry import method_class

    hints = get_type_hints(method_class(method).__init__)
    for name, value in params.items():
        if name in _SET_ELSEWHERE:
            raise EvenhandError(f"--param: {name} is given by {_SET_ELSEWHERE[name]}; leave it out")
        if name in hints and not _fits(value, hints[name]):
            kinds = " or ".join(dict.fromkeys(_kinds(hints[name])))
            raise EvenhandError(f"--param: {name} got {value!r}, but {method} takes {kinds} there")


def chosen_by(method: str, metric: str) -> dict[str, str]:
    """Return the parameter that has a method choose by a metric; empty where it has none for it.

    Accuracy is what such methods choose by anyway.
    """
    from evenhand.methods.registry import method_class

    hint = get_type_hints(method_class(method).__init__).get("metric")
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
    if hint is float:
        return type(value) in (int, float)
    return hint is Any or (hint in _KINDS and type(value) is hint)


def _kinds(hint: Any) -> list[str]:
    origin, inside = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return [kind for member in inside for kind in _kinds(member)]
    if origin is Literal:
        return [repr(value) for value in inside]
    if origin is Sequence:
        return [f"a list, each {kind}" for kind in _kinds(inside[0])]
    return [_KINDS.get(hint, "an object that only Python can give")]
