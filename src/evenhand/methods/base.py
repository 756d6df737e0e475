"""The contract of a method: a scikit-learn classifier on cached features."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import replace
from math import ceil
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from scipy.special import softmax
from sklearn.base import ClassifierMixin, TransformerMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, check_random_state
from typing_extensions import Self

from evenhand._device_check import check_torch_device
from evenhand._ranges import WHOLE, Ranges, check
from evenhand._typing import Floats, PathLike
from evenhand.data.head import Head
from evenhand.methods._training.model import Model as Model
from evenhand.methods._training.problem import Problem as Problem
from evenhand.methods._training.problem import build_problem
from evenhand.methods._training.train_erm import ERM_SGD
from evenhand.methods._training.trained_state import State
from evenhand.methods.bundle import write_bundle
from evenhand.methods.checked_inputs import CheckedInputs
from evenhand.methods.label_codes import class_codes, group_codes, unit_codes
from evenhand.methods.nested_params import NestedParams

CHECKPOINTS = 18
"""Most states of an iterative fit to choose among, including the last: as many as for CFR."""


class Method(ClassifierMixin, TransformerMixin, CheckedInputs, NestedParams, ABC):  # type: ignore[misc]
    """Base class of all methods: a scikit-learn classifier on frozen features.

    A subclass stores its parameters in `__init__`, as scikit-learn asks, and implements `_learn`, which
    receives validated input and returns a `Model`.

    Attributes
    ----------
    group_labels_used : "none", "validation" or "train"
        Where the method uses group labels. A method that declares "none" never receives any.
    needs : tuple of str
        What a store must hold beyond features and labels: "text", "words" or "groups".
    selection : str
        The rule that chooses among the models of one fit; "none" if a fit trains one model.
    configurations : tuple of dict
        Parameters that `compare` tries, the usual ones first.
    paper : str
        Source of the method; empty if there is no single one.
    ranges : dict of str to Range or Each
        Allowed values of the numeric parameters.
    streams : bool
        Whether `fit` accepts `StoredRows` as X and reads them block by block. Other methods need an array.
    usual : dict of str to object
        What a parameter means if it is None; `set_params` starts from it.
    classes_ : array [C]
        Labels in the order of the class codes.
    model_ : Model
        The fitted projection and linear head.
    history_ : list of dict
        One entry per epoch.
    kept_ : dict or None
        Which candidate a fit kept, and on what evidence; None if there are no candidates.

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
    _on_checkpoint: Callable[[int, Model], None] | None = None

    def fit(
        self,
        X: Any,
        y: Any,
        *,
        groups: Any = None,
        validation: tuple[Any, ...] | None = None,
        on_checkpoint: Callable[[int, Model], None] | None = None,
        device: str = "cpu",
        units: Any = None,
    ) -> Self:
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
            (X_val [M, D_in], y_val [M]) or (X_val, y_val, groups_val [M]): rows to choose a model on.
            Without them, a method that has to choose holds out training rows.
        on_checkpoint : callable or None, default=None
            Called at most 17 times during the last training of a method that trains by epochs, with the
            number of finished epochs and the model at that point. Other methods never call it.
        device : str, default="cpu"
            Torch device of the features and of the products with them, such as "cuda". The fitted model is on
            the CPU.
        units : array [N] or None, default=None
            Unit of each row, such as a patient, or an image and its copies. A method that holds out training
            rows holds out all rows of a unit together. None or "" makes the row its own unit.

        Returns
        -------
        self

        Raises
        ------
        EvenhandError
            If a parameter is out of its range, the device is not there, widths or labels do not fit the head,
            fewer than two classes have rows, or X is rows of a store and the method does not stream.
        """
        check_torch_device(device)
        self.check_ranges()
        features, labels = self._training(X, y)
        check_classification_targets(labels)
        self.classes_, codes = class_codes(labels, self.head, self.n_features_in_)
        X_val, y_val, groups_val = self._validation(validation)
        problem = build_problem(
            features, codes, X_val, y_val, len(self.classes_), self.head, self._seed(), device
        )
        problem = replace(problem, units=unit_codes(units, len(codes)))
        if self.group_labels_used != "none":
            codes_of = group_codes(groups, groups_val)
            problem = replace(problem, groups=codes_of(groups), groups_val=codes_of(groups_val))
        self.history_: list[dict[str, float]] = []
        self.kept_: dict[str, Any] | None = None
        self._on_checkpoint = on_checkpoint
        try:
            self.model_ = self._learn(problem)
        finally:
            self._on_checkpoint = None
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

    def _show(self, epoch: int, epochs: int, model: Callable[[], Model]) -> None:
        """Pass the model after `epoch` of `epochs` to `on_checkpoint`, except after the last epoch."""
        if self._on_checkpoint is not None and epoch < epochs and epoch % ceil(epochs / CHECKPOINTS) == 0:
            self._on_checkpoint(epoch, model())

    def _shows(self, problem: Problem, epochs: int) -> Callable[[int, State], None]:
        """Return the function that shows the state after an epoch."""
        return lambda epoch, state: self._show(epoch, epochs, lambda: Model.of_state(problem, state.frozen()))

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
            [N] for two classes, as in scikit-learn.
        """
        check_is_fitted(self)
        logits = self.model_.logits(self._features(X))
        return logits[:, 1] - logits[:, 0] if logits.shape[1] == 2 else logits

    def save(self, path: PathLike) -> None:
        """Write the fitted model to one safetensors file, which `evenhand.load_run` reads.

        Parameters
        ----------
        path : str or Path
            The file to write. An existing file is replaced, and missing folders are created. The page
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

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        return tags

    def _seed(self) -> int:
        if isinstance(self.random_state, (int, np.integer)):
            return int(self.random_state)
        return int(check_random_state(self.random_state).randint(2**31))
