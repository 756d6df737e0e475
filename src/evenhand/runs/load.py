"""`evenhand.load_run`: read a run folder, or a saved model, as a fitted scikit-learn estimator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from typing_extensions import Self

from evenhand.evaluation.results import ResultRow
from evenhand.methods._training.model import Model
from evenhand.methods._training.problem import Problem
from evenhand.methods.base import Method
from evenhand.methods.bundle import read_bundle, read_run_bundle
from evenhand.runs.card import read_card, read_records, read_result
from evenhand.runs.contents import HISTORY


class FittedRun(Method):
    """A fitted method, read from a run folder; like scikit-learn's `FrozenEstimator` it never refits.

    `fit` and `clone` return the object itself. It can be used in pipelines, searches and cross-validation as
    a classifier, or as a transformer to the calibrated features.

    Parameters
    ----------
    run : str or Path
        Run folder that `evenhand.fit` wrote, or a file that `Method.save` wrote.

    Attributes
    ----------
    classes_ : str [C]
        Class names in the order of the codes.
    model_ : Model
        Projection, prototypes, intercept and logit scale.
    history_ : list of dict
        One entry per epoch of the fit; empty for a saved model.
    kept_ : dict or None
        The candidate that the fit kept, and the evidence; None for a saved model.
    card_, result_ : dict
        The card of the run, and its row of results; empty for a saved model.
    method_ : str
        Registry name of the method; empty for a saved model.

    Raises
    ------
    EvenhandError
        If the path is neither a run nor a saved model, or is of another version.
    """

    def __init__(self, run: Path | str) -> None:
        self.run = run
        path = Path(run)
        saved = path.is_file()
        self.card_, self.result_ = ({}, {}) if saved else (read_card(path), read_result(path))
        self.model_, classes = (
            read_bundle(path) if saved else (read_run_bundle(path, self.card_), self.card_["classes"])
        )
        self.classes_ = np.asarray(classes)
        self.n_features_in_ = self.model_.projection.width
        self.history_ = [] if saved else _history(path / HISTORY)
        self.method_, self.kept_ = str(self.card_.get("method", "")), self.result_.get("kept")
        # A method declares these as class attributes; a run has its own.
        self.__dict__ |= {
            "group_labels_used": self.result_.get("group_labels_used", "none"),
            "needs": tuple(self.result_.get("needs", ())),
        }

    def fit(self, X: Any, y: Any = None, **_: Any) -> Self:  # noqa: ARG002
        """Return the estimator unchanged."""
        return self

    def __sklearn_clone__(self) -> Self:
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        """Return what a notebook shows, in place of scikit-learn's diagram: a run is fitted already."""
        return {"text/plain": repr(self), "text/html": self._repr_html_inner()}

    def _repr_html_inner(self) -> str:
        if not self.result_:
            return f"<p>a saved model of {len(self.classes_)} classes</p>"
        return ResultRow.model_validate(self.result_)._repr_html_()

    def _learn(self, problem: Problem) -> Model:  # noqa: ARG002  a run is fitted already
        return self.model_


def load_run(run: Path | str) -> FittedRun:
    """Read a run folder, or a saved model, as a fitted estimator.

    Parameters
    ----------
    run : str or Path
        Run folder that `evenhand.fit` wrote, or a file that `Method.save` wrote.

    Raises
    ------
    EvenhandError
        If the path is neither a run nor a saved model, or is of another version.

    Examples
    --------
    >>> import evenhand, tempfile
    >>> X, y = np.eye(4, dtype=np.float32), ["cat", "dog", "cat", "dog"]
    >>> path = Path(tempfile.mkdtemp()) / "probe.safetensors"
    >>> evenhand.LinearProbe().fit(X, y).save(path)
    >>> load_run(path).predict(X).tolist()
    ['cat', 'dog', 'cat', 'dog']
    """
    return FittedRun(run)


def _history(path: Path) -> list[dict[str, Any]]:
    rows = read_records(path)
    return [{name: value for name, value in row.items() if value is not None} for row in rows]
