"""Parameters of parameters: `erm__epochs=3` sets one field of the object that `erm` holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, ClassVar

from sklearn.base import BaseEstimator
from typing_extensions import Self


class NestedParams(BaseEstimator):  # type: ignore[misc]
    """A scikit-learn estimator whose `set_params` reaches the fields of dataclasses among its parameters."""

    usual: ClassVar[Mapping[str, Any]] = {}

    def set_params(self, **params: Any) -> Self:
        """Set parameters; `erm__epochs=3` replaces one field of the object that `erm` holds.

        A field of a parameter that is None starts from the usual object (see `usual`).

        Parameters
        ----------
        **params
            Parameters by name, or fields by `parameter__field`.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If a parameter or a field is unknown.

        Examples
        --------
        >>> from evenhand.methods import CFR
        >>> CFR().set_params(erm__epochs=3).erm.epochs
        3
        """
        nested: dict[str, dict[str, Any]] = {}
        for name in [name for name in params if "__" in name]:
            outer, _, inner = name.partition("__")
            nested.setdefault(outer, {})[inner] = params.pop(name)
        super().set_params(**params)
        for name, values in nested.items():
            if name not in self._get_param_names():
                super().set_params(**{name: None})  # raises scikit-learn's own sentence
            held = getattr(self, name)
            setattr(self, name, _replaced(self.usual.get(name) if held is None else held, name, values))
        return self


def _replaced(held: Any, name: str, values: Mapping[str, Any]) -> Any:
    """Return a copy of an object with new values of its fields; `a__b` names a field of field a."""
    known = {field.name for field in fields(held)} if is_dataclass(held) else set()
    for key, value in values.items():
        outer, _, inner = key.partition("__")
        if outer not in known:
            raise ValueError(f"{name} has no field {outer!r}; it has {', '.join(sorted(known)) or 'none'}")
        new = _replaced(getattr(held, outer), f"{name}__{outer}", {inner: value}) if inner else value
        held = replace(held, **{outer: new})
    return held
