"""Parameters of a method's constructor, read from its source because importing it imports torch."""

from __future__ import annotations

import ast
import builtins
import typing
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from evenhand import _ranges
from evenhand._ranges import Each, Range

_PLAIN = {**vars(builtins), **vars(typing), "Mapping": Mapping, "Sequence": Sequence}
"""Names of hints that mean the same in every module."""


class OnlyPython:
    """Placeholder in a hint for a class whose objects cannot be written as text."""


@dataclass(frozen=True)
class Parameter:
    """Type, default and allowed values of one parameter.

    Attributes
    ----------
    hint : object
        Its type, with `OnlyPython` in place of evenhand's classes.
    default : object
        Its default if that is a literal, otherwise None.
    range : Range, Each or None
        The numbers that are allowed; None if the class names none.
    """

    hint: Any
    default: Any
    range: Range | Each | None

    @property
    def names(self) -> tuple[str, ...]:
        """The strings that are allowed, if the parameter takes names."""
        parts = (self.hint, *get_args(self.hint))
        return tuple(name for part in parts if get_origin(part) is Literal for name in get_args(part))


def parameters_of(place: str) -> dict[str, Parameter] | None:
    """Return the parameters of a constructor in alphabetical order, as scikit-learn has them.

    Parameters
    ----------
    place : str
        "module:class".

    Returns
    -------
    dict of str to Parameter or None
        None if the module's source is missing, or the class has no constructor of its own.

    Examples
    --------
    >>> erm = parameters_of("evenhand.methods.erm:ERM")
    >>> list(erm), str(erm["epochs"].range)
    (['batch_size', 'epochs', 'head', 'learning_rate', 'random_state'], 'at least 1')
    """
    module, inner = place.partition(":")[0], _class_body(place)
    makes = next(
        (step for step in inner if isinstance(step, ast.FunctionDef) and step.name == "__init__"), None
    )
    if makes is None:
        return None
    ranges = _evaluated(_assigned(inner, "ranges") or ast.Dict([], []), vars(_ranges))
    written = zip(makes.args.args[1:], makes.args.defaults, strict=True)
    found = {
        each.arg: Parameter(_hint(module, each.annotation), _literal(default), ranges.get(each.arg))
        for each, default in written
    }
    return dict(sorted(found.items()))


def constant_of(place: str, name: str) -> Any:
    """Return a literal class attribute of a class of evenhand, such as `streams`; None if it has none.

    Parameters
    ----------
    place : str
        "module:class".
    name : str
        The class attribute.

    Examples
    --------
    >>> constant_of("evenhand.methods.erm:ERM", "streams")
    True
    """
    written = _assigned(_class_body(place), name)
    return None if written is None else _literal(written)


def _class_body(place: str) -> list[ast.stmt]:
    module, _, name = place.partition(":")
    found = (step for step in _body(module) if isinstance(step, ast.ClassDef) and step.name == name)
    owner = next(found, None)
    return owner.body if owner else []


class _Names(dict[str, Any]):
    """What the names in a module's hints mean; aliases are followed, classes are `OnlyPython`."""

    def __init__(self, module: str) -> None:
        super().__init__(_PLAIN)
        self._module = module

    def __missing__(self, name: str) -> Any:
        body = _body(self._module)
        if alias := _assigned(body, name):
            return _hint(self._module, alias)
        for step in body:
            if isinstance(step, ast.ImportFrom) and name in [each.name for each in step.names]:
                return _Names(str(step.module))[name]
        return OnlyPython


def _hint(module: str, written: ast.expr | None) -> Any:
    return Any if written is None else _evaluated(written, _Names(module))


def _evaluated(written: ast.expr, names: Mapping[str, Any]) -> Any:
    code = compile(ast.fix_missing_locations(ast.Expression(written)), "<parameters>", "eval")
    return eval(code, {}, names)  # noqa: S307 - it is evenhand's own source


def _literal(written: ast.expr) -> Any:
    with suppress(ValueError):
        return ast.literal_eval(written)
    return None


def _assigned(body: Sequence[ast.stmt], name: str) -> ast.expr | None:
    """Return the value that `name: … = …` assigns, or None."""
    for step in body:
        if isinstance(step, ast.AnnAssign) and isinstance(step.target, ast.Name) and step.target.id == name:
            return step.value
    return None


def _body(module: str) -> list[ast.stmt]:
    """Return the statements of a module of evenhand; none for another module, or without its source."""
    spec = find_spec(module) if module.startswith("evenhand.") else None
    if spec is None or spec.origin is None or not Path(spec.origin).is_file():
        return []
    return ast.parse(Path(spec.origin).read_bytes()).body
