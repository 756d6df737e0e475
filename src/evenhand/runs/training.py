"""Prepare a fit on a table: the unfitted estimator, and the arguments of its `fit`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sklearn.base import clone

from evenhand._errors import EvenhandError
from evenhand._typing import Ints
from evenhand.data.concepts import Concepts
from evenhand.data.partition import SplitRows
from evenhand.data.table import FeatureTable
from evenhand.methods.base import Method
from evenhand.methods.registry import make, method_class, registered_name
from evenhand.runs.group_use import groups_for
from evenhand.runs.streaming import streams


def unfitted(
    method: str | Method,
    table: FeatureTable,
    seed: int,
    params: Mapping[str, Any],
    concepts: Concepts | None,
) -> tuple[str, Method]:
    """Return the registry name and the unfitted estimator of a method, with the head of the table.

    Parameters
    ----------
    method : str or Method
        Registry name, with a preset as in `cfr:nearest`; or an estimator, which is cloned.
    table : FeatureTable
        The data; it gives the head.
    seed : int
        The estimator's `random_state`.
    params : mapping of str to object
        Other parameters of the estimator.
    concepts : Concepts or None
        Embedded concept words; only methods that need words receive them.

    Raises
    ------
    EvenhandError
        If the method or a parameter is unknown, a parameter is out of its range, or the concepts were
        embedded by another model.
    """
    if not isinstance(method, (str, Method)):
        raise EvenhandError(
            f"method: {method!r} is neither a name nor an estimator; give a name such as 'cfr', or CFR()"
        )
    name = method if isinstance(method, str) else registered_name(method)
    given = {"head": table.head, "random_state": seed, **_words(name, table.card, concepts), **params}
    if isinstance(method, str):
        return name, make(name, **given)
    try:
        estimator: Method = clone(method).set_params(**given)
    except ValueError as error:
        raise EvenhandError(f"params: {error}") from error
    estimator.check_ranges()
    return name, estimator


def _words(name: str, card: Mapping[str, Any], concepts: Concepts | None) -> dict[str, Concepts]:
    if concepts is None or "words" not in method_class(name).needs:
        return {}
    weights = card.get("weights_sha256", "")
    if concepts.weights != weights:
        raise EvenhandError(
            f"concepts: they were embedded by weights {concepts.weights[:12] or 'unknown'} but the store was "
            f"made by {weights[:12] or 'unknown'}; embed the words by the store's model"
        )
    return {"concepts": concepts}


def fit_arguments(
    table: FeatureTable,
    rows: SplitRows,
    estimator: Method,
    name: str,
    stream: bool | None = None,
) -> dict[str, Any]:
    """Return the arguments of `estimator.fit`: X, y, validation, units, and groups where they are declared.

    Parameters
    ----------
    table, rows : FeatureTable, SplitRows
        The data with its groups, and its training and validation rows.
    estimator, name : Method, str
        The unfitted estimator, and its registry name for messages.
    stream : bool, optional
        As in `streams`.

    Raises
    ------
    EvenhandError
        If the method uses group labels and the table has none, or as `streams`.
    """
    grouped = None if estimator.group_labels_used == "none" else groups_for(name, table.grouped)
    stream = streams(4 * len(rows.train) * table.width, estimator, name, stream)

    def read(numbers: Ints) -> tuple[Any, ...]:
        X = table.stored(numbers) if stream else table.features(numbers)
        groups = () if grouped is None else (grouped.of(numbers),)
        return X, table.labels(numbers), *groups

    X, y, *groups = read(rows.train)
    validation = read(rows.validation) if len(rows.validation) else None
    units = table.unit_codes(rows.train)
    return {
        "X": X,
        "y": y,
        "validation": validation,
        **({"groups": groups[0]} if groups else {}),
        **({} if units is None else {"units": units}),
    }


def off_cpu(device: str) -> dict[str, Any]:
    """Return `device` as a keyword, or nothing for the CPU, whose results stay the same to the last bit."""
    return {} if device == "cpu" else {"device": device}


def selection_of(estimator: Method, rows: SplitRows, validation_from: str) -> str:
    """Name the rule that chose among candidates of a fit, and the rows that it chose on."""
    if estimator.kept_:
        given = "the given validation split" if validation_from == "given" else "held-out training rows"
        chosen_on = given if len(rows.validation) else "cross-fitted training rows"
        return f"{estimator.kept_['rule']} on {chosen_on}"
    if estimator.selection == "none":
        return "none"
    return f"{estimator.selection}, validation from {validation_from}"
