"""Which parameters a method's constructor takes: read from its source, since importing it imports torch."""

from __future__ import annotations

import ast
from importlib.util import find_spec
from pathlib import Path


def parameters_of(place: str) -> list[str] | None:
    """Return the names of a constructor's parameters in alphabetical order, as scikit-learn has them.

    Parameters
    ----------
    place : str
        "module:class".

    Returns
    -------
    list of str or None
        None if the module's source is not there, or the class has no constructor of its own.

    Examples
    --------
    >>> parameters_of("evenhand.methods.zero_shot:ZeroShot")
    ['head', 'random_state']
    """
    module, _, name = place.partition(":")
    spec = find_spec(module)
    if spec is None or spec.origin is None or not Path(spec.origin).is_file():
        return None
    for step in ast.parse(Path(spec.origin).read_bytes()).body:
        if isinstance(step, ast.ClassDef) and step.name == name:
            for inner in step.body:
                if isinstance(inner, ast.FunctionDef) and inner.name == "__init__":
                    return sorted(each.arg for each in (*inner.args.args[1:], *inner.args.kwonlyargs))
    return None
