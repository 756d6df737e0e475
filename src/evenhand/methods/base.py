"""The contract of a method: a scikit-learn classifier on cached features."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    check_consistent_length,
    check_is_fitted,
    check_random_state,
    column_or_1d,
    validate_data,
)
from typing_extensions import Self

from evenhand._errors import EvenhandError
from evenhand._ranges import WHOLE, Ranges, check
from evenhand._typing import Floats, Ints, PathLike
from evenhand.data.head import Head
from evenhand.data.table import StoredRows, check_scale
from evenhand.methods._training.model import Model as Model
from evenhand.methods._training.problem import Problem as Problem
from evenhand.methods._training.problem import build_problem
from evenhand.methods._training.train_erm import ERM_SGD
from evenhand.methods.bundle import write_bundle


class Method(ClassifierMixin, TransformerMixin, BaseEstimator, ABC):  # type: ignore[misc]
    """Base class of all methods: a scikit-learn classifier on frozen features.

    A subclass stores its parameters in `__init__`, as scikit-learn asks, and implements `_learn`, which
    receives validated input and returns a `Model`.

    Attributes
    ----------
    group_labels_used : "none", "validation" or "train"
        Where group labels enter. A method that declares "none" never receives any.
    needs : tuple of str
        What a store must hold beyond features and labels: "text", "words" or "groups".
    selection : str
        The rule that chooses among the models of one fit; "none" where a fit trains one model.
    configurations : tuple of dict
        Parameters that `compare` tries, the usual ones first.
    paper : str
        Source of the method; empty where there is no single one.
    ranges : dict of str to Range or Each
        Allowed values of the numeric parameters.
    streams : bool
        Whether `fit` accepts `StoredRows` as X and reads them block by block. Other methods need an array.
    usual : dict of str to object
        The object that a parameter stands for where it is None; `set_params` starts from it.
    classes_ : array [C]
        Labels in the order of the class codes.
    model_ : Model
        The fitted projection and linear head.
    history_ : list of dict
        One entry per epoch.
    kept_ : dict or None
        Which candidate a fit kept, and on what evidence; None where there are no candidates.

    Examples
    --------
    >>> import numpy as np
    >>> from evenhand.methods import ERM
    >>> X, y = np.array([[0.0, 1], [0, 2], [1, 0], [2, 0]] * 5), ["left", "left", "right", "right"] * 5
    >>> model = ERM(epochs=2).fit(X, y)
    >>> model.predict([[0, 3], [3, 0]]).tolist(), model.transform(X).shape
    (['left', 'right'], (20, 2))
    """

    group_labels_used: ClassVar[Literal["none", "validation", "train"]] = "none"
    needs: ClassVar[tuple[str, ...]] = ()
    selection: ClassVar[str] = "none"
    configurations: ClassVar[tuple[Mapping[str, Any], ...]] = ({},)
    paper: ClassVar[str] = ""
    streams: ClassVar[bool] = False

    ranges: ClassVar[Ranges] = {}
    usual: ClassVar[Mapping[str, Any]] = {"erm": ERM_SGD}

    head: Head | None
    random_state: Any

    def fit(self, X: Any, y: Any, *, groups: Any = None, validation: tuple[Any, ...] | None = None) -> Self:
        """Fit the method.

        Parameters
        ----------
        X : array [N, D_in] or StoredRows
            Finite features before the projection.
        y : array [N]
            Labels; with a `head`, names among `head.classes`.
        groups : array [N] or None, default=None
            Group labels; None or "" is unknown. A method that declares "none" does not see them.
        validation : tuple or None, default=None
            (X_val [M, D_in], y_val [M]) or (X_val, y_val, groups_val [M]): rows to choose a model on. Where
            there are none, a method that chooses holds training rows out.

        Returns
        -------
        self

        Raises
        ------
        EvenhandError
            If a parameter is out of its range, widths or labels do not fit the head, fewer than two classes
            have rows, or X lies in a store and the method does not stream.
        """
        self.check_ranges()
        features, labels = self._training(X, y)
        check_classification_targets(labels)
        self.classes_, codes = self._encode(labels)
        X_val, y_val, groups_val = self._validation(validation)
        problem = build_problem(features, codes, X_val, y_val, len(self.classes_), self.head, self._seed())
        if self.group_labels_used != "none":
            codes_of = _group_codes(groups, groups_val)
            problem = replace(problem, groups=codes_of(groups), groups_val=codes_of(groups_val))
        self.history_: list[dict[str, float]] = []
        self.kept_: dict[str, Any] | None = None
        self.model_ = self._learn(problem)
        return self

    def check_ranges(self) -> None:
        """Check the parameters, without data.

        Raises
        ------
        EvenhandError
            If a parameter is out of its range in `ranges`, or `random_state` is negative.
        """
        check(self, **self.ranges)
        if isinstance(self.random_state, (int, np.integer)):
            check(self, random_state=WHOLE)

    @abstractmethod
    def _learn(self, problem: Problem) -> Model:
        """Return the model for validated input; may also set `history_`, `kept_` and other attributes."""

    def transform(self, X: Any) -> Floats:
        """Return the unit embeddings of features.

        Parameters
        ----------
        X : array [N, D_in] or StoredRows
            Features before the projection.

        Returns
        -------
        float32 [N, D_out]
            z, rows of norm 1.
        """
        check_is_fitted(self)
        return self.model_.embed(self._features(X))

    def predict_proba(self, X: Any) -> Floats:
        """Return class probabilities, the softmax of the logits.

        Parameters
        ----------
        X : array [N, D_in] or StoredRows
            Features before the projection.

        Returns
        -------
        float64 [N, C]
            In the order of `classes_`.
        """
        check_is_fitted(self)
        probabilities: Floats = softmax(self.model_.logits(self._features(X)).astype(np.float64), axis=1)
        return probabilities

    def predict(self, X: Any) -> Any:
        """Return the label with the largest logit.

        Parameters
        ----------
        X : array [N, D_in] or StoredRows
            Features before the projection.

        Returns
        -------
        array [N]
            Labels among `classes_`.
        """
        check_is_fitted(self)
        return self.classes_[self.model_.logits(self._features(X)).argmax(axis=1)]

    def decision_function(self, X: Any) -> Floats:
        """Return the logits; for two classes, the logit of the second minus that of the first.

        Parameters
        ----------
        X : array [N, D_in] or StoredRows
            Features before the projection.

        Returns
        -------
        float32 [N, C] or [N]
            [N] where there are two classes, as in scikit-learn.
        """
        check_is_fitted(self)
        logits = self.model_.logits(self._features(X))
        return logits[:, 1] - logits[:, 0] if logits.shape[1] == 2 else logits

    def save(self, path: PathLike) -> None:
        """Write the fitted model to one safetensors file, which `evenhand.load_run` reads.

        Parameters
        ----------
        path : str or Path
            The file to write. It replaces an existing file, and missing folders are made. The page
            docs/reference/bundle.md specifies the format.

        Raises
        ------
        EvenhandError
            If the path is a folder or cannot be written.
        """
        check_is_fitted(self)
        write_bundle(Path(path), self.model_, [str(label) for label in self.classes_])

    def get_feature_names_out(self, input_features: Any = None) -> Any:  # noqa: ARG002
        """Return the names of the columns of `transform`, such as "erm0".

        Parameters
        ----------
        input_features : object, default=None
            Ignored; scikit-learn passes it.

        Returns
        -------
        array of str [D_out]
        """
        check_is_fitted(self)
        name = type(self).__name__.lower()
        return np.array([f"{name}{k}" for k in range(self.model_.width)], dtype=object)

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

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        return tags

    def _training(self, X: Any, y: Any) -> tuple[Floats | StoredRows, Any]:
        if not isinstance(X, StoredRows):
            features, labels = validate_data(self, X, y, dtype=np.float32, order="C")
            check_scale(features)
            return features, labels
        if not self.streams:
            raise EvenhandError(
                f"X: {type(self).__name__} takes its features as an array in memory, not as rows of a store; "
                "give table.features(rows), or choose a method that streams, such as CFR or ERM"
            )
        check_consistent_length(X, y)
        self.n_features_in_ = X.shape[1]
        return X, column_or_1d(y)

    def _features(self, X: Any) -> Floats | StoredRows:
        if isinstance(X, StoredRows):
            # A store holds only finite numbers, so only the width can be wrong.
            if X.shape[1] != self.n_features_in_:
                raise EvenhandError(
                    f"X has {X.shape[1]} columns but {type(self).__name__} was fitted on "
                    f"{self.n_features_in_}; use features of one store"
                )
            return X
        features: Floats = validate_data(self, X, dtype=np.float32, order="C", reset=False)
        check_scale(features)
        return features

    def _validation(self, given: Any) -> tuple[Floats | StoredRows, Ints, Any]:
        """Return features [M, D_in], codes [M] and groups [M] or None; M = 0 where none are given."""
        if given is None:
            empty = np.zeros((0, self.n_features_in_), dtype=np.float32)
            return empty, np.zeros(0, dtype=np.int64), None
        X, y, *groups = given
        features, codes = self._features(X), _lookup(self.classes_, np.asarray(y))
        if len(features) != len(codes):
            raise EvenhandError(
                f"validation: {len(features)} rows of features but {len(codes)} labels; give one for each"
            )
        return features, codes, groups[0] if groups else None

    def _seed(self) -> int:
        if isinstance(self.random_state, (int, np.integer)):
            return int(self.random_state)
        return int(check_random_state(self.random_state).randint(2**31))

    def _encode(self, labels: Any) -> tuple[Any, Ints]:
        present = np.unique(labels)
        if len(present) < 2:
            raise EvenhandError(f"y: it holds {len(present)} class, but a classifier needs at least 2")
        if self.head is None:
            return present, np.searchsorted(present, labels).astype(np.int64)
        if self.head.width != self.n_features_in_:
            raise EvenhandError(
                f"X has {self.n_features_in_} columns but the head's projection takes "
                f"{self.head.width}; use features and head of one store"
            )
        classes = np.asarray(self.head.classes)
        absent = sorted(set(self.head.classes) - {str(label) for label in present})
        if absent:
            raise EvenhandError(
                f"y: class {absent[0]!r} has no training rows; every class of the head needs at least one"
            )
        return classes, _lookup(classes, labels)


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


def _lookup(classes: Any, labels: Any) -> Ints:
    codes = {label: code for code, label in enumerate(classes.tolist())}
    present, places = np.unique(labels, return_inverse=True)
    unknown = next((label for label in present.tolist() if label not in codes), None)
    if unknown is not None:
        raise EvenhandError(f"y: label {unknown!r} is not among the classes {', '.join(map(str, codes))}")
    return np.array([codes[label] for label in present.tolist()], dtype=np.int64)[places]


def _group_codes(*parts: Any) -> Callable[[Any], Ints | None]:
    """Return the function from group labels to codes, with one numbering for all parts; −1 is unknown."""
    known = {str(name) for part in parts if part is not None for name in part if name not in (None, "")}
    numbers = {name: code for code, name in enumerate(sorted(known))}

    def codes(part: Any) -> Ints | None:
        if part is None:
            return None
        return np.array([numbers.get(str(name), -1) for name in part], dtype=np.int64)

    return codes
