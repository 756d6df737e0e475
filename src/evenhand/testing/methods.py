"""Checks of a method."""

from __future__ import annotations

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import check_estimator

from evenhand._errors import EvenhandError
from evenhand._typing import Floats, Ints
from evenhand.data.concepts import Concepts, ConceptWords
from evenhand.data.head import Head
from evenhand.methods._training.model import Model
from evenhand.methods.base import Method


def check_method(method: Method) -> None:
    """Run all checks of a method, including scikit-learn's `check_estimator`.

    The checks of scikit-learn pass neither groups, nor a head with text, nor words. A method that needs any
    of them must refuse to fit without it, and is then checked on a toy problem that has it.

    Parameters
    ----------
    method : Method
        An unfitted method.

    Raises
    ------
    AssertionError
        If a check fails; scikit-learn's checks raise errors of their own.
    """
    check_configurations(method)
    if method.group_labels_used != "none":
        check_groups_are_needed(method)
    else:
        check_group_invariance(method)
    if method.needs:
        check_needs_are_named(method)
        check_conventions(method)
    else:
        check_estimator(method)
    check_same_seed_same_bytes(method)


def check_configurations(method: Method) -> None:
    """`configurations` holds one to five different mappings of parameters that the method takes."""
    tried = [dict(parameters) for parameters in method.configurations]
    assert 1 <= len(tried) <= 5, f"the method has {len(tried)} configurations; 1 to 5 are allowed"
    assert all(tried.count(parameters) == 1 for parameters in tried), "a configuration comes twice"
    for parameters in tried:
        clone(method).set_params(**parameters)


def check_group_invariance(method: Method) -> None:
    """A method that declares "none" gives bit-identical weights for all groups."""
    groups = _toy()[2]
    shuffled = np.random.default_rng(1).permutation(groups)
    first, second = (_fitted(method, groups=given) for given in (groups, shuffled))
    assert _bytes(first.model_) == _bytes(second.model_), "the weights depend on the groups"


def check_groups_are_needed(method: Method) -> None:
    """A method that uses group labels lists them in `needs`, and refuses to fit without them."""
    assert "groups" in method.needs, "the method uses group labels but does not list them in `needs`"
    _check_refusal(_prepared(method), "groups", group_labels=False)


def check_needs_are_named(method: Method) -> None:
    """A method refuses to fit without the text or the words that it lists in `needs`, and names them."""
    known = {"text", "words", "groups"}
    assert set(method.needs) <= known, (
        f"`needs` holds {set(method.needs) - known}; the allowed values are {known}"
    )
    if "text" in method.needs:
        _check_refusal(_prepared(method).set_params(head=None), "text")
    if "words" in method.needs:
        _check_refusal(_prepared(method).set_params(concepts=None), "words")


def check_conventions(method: Method) -> None:
    """The main conventions of scikit-learn hold on a toy problem that has all that the method needs."""
    X = _toy()[0]
    before = X.copy()
    try:
        _prepared(method).predict(X)
    except NotFittedError:
        pass
    else:
        raise AssertionError("the method predicts before it is fitted")
    asked = _prepared(method)
    parameters = asked.get_params(deep=False)
    fitted = _fit(asked, X)
    after = fitted.get_params(deep=False)
    assert all(after[name] is value for name, value in parameters.items()), "fit changes a parameter"
    assert np.array_equal(X, before), "fit changes X"
    probabilities = fitted.predict_proba(X)
    assert probabilities.shape == (len(X), 2), "predict_proba is not [N, C]"
    assert np.allclose(probabilities.sum(axis=1), 1), "probabilities do not sum to 1"
    assert np.array_equal(fitted.predict(X), fitted.classes_[probabilities.argmax(axis=1)]), (
        "predict and predict_proba disagree"
    )
    assert np.allclose(np.linalg.norm(fitted.transform(X), axis=1), 1), "transform gives no unit vectors"
    try:
        fitted.predict(X[:, 1:])
    except ValueError:
        pass
    else:
        raise AssertionError("the method predicts on features of another width")


def check_same_seed_same_bytes(method: Method) -> None:
    """Two fits with one seed give the same bytes."""
    first, second = (_fitted(method) for _ in range(2))
    assert _bytes(first.model_) == _bytes(second.model_), "two fits with one seed differ"


def _check_refusal(method: Method, need: str, *, group_labels: bool = True) -> None:
    """Fit without something that the method needs; it must refuse and name it."""
    word = need.removesuffix("s")
    try:
        _fit(method, _toy()[0], group_labels=group_labels)
    except EvenhandError as error:
        if word not in str(error):
            raise AssertionError(f"the refusal does not name the {need}") from error
    else:
        raise AssertionError(f"the method lists {need} in `needs` but fits without them")


def _fitted(method: Method, *, groups: Ints | None = None) -> Method:
    return _fit(_prepared(method), _toy()[0], groups=groups)


def _prepared(method: Method) -> Method:
    """Return an unfitted copy that has the head and the concepts that it needs."""
    made: Method = clone(method)
    if {"text", "words"} & set(method.needs):
        made.set_params(head=_HEAD)
    if "words" in method.needs:
        made.set_params(concepts=_CONCEPTS)
    return made


def _fit(method: Method, X: Floats, *, groups: Ints | None = None, group_labels: bool = True) -> Method:
    """Fit on the toy problem, with group labels where the method uses them."""
    _, y, known = _toy()
    labels = y if method.head is None else np.array(_HEAD.classes)[y]
    if method.group_labels_used == "none":
        return method.fit(X, labels, groups=groups)
    if not group_labels:
        return method.fit(X, labels)
    return method.fit(X, labels, groups=known, validation=(X, labels, known))


def _bytes(model: Model) -> bytes:
    tensors = [*model.projection.tensors().values()]
    return b"".join([*(t.numpy().tobytes() for t in tensors), model.prototypes.tobytes()])


def _toy() -> tuple[Floats, Ints, Ints]:
    generator = np.random.default_rng(0)
    y = generator.integers(0, 2, 200)
    attribute = np.where(generator.random(200) < 0.9, y, 1 - y)
    X = generator.normal(size=(200, 8))
    X[:, 0] += 1.5 * (2 * y - 1)
    X[:, 1] += 3 * (2 * attribute - 1)
    return X.astype(np.float32), y, 2 * y + attribute


def _direction(*parts: tuple[int, float]) -> Floats:
    row = np.zeros(8, dtype=np.float32)
    for axis, length in parts:
        row[axis] = length
    unit: Floats = row / np.linalg.norm(row)
    return unit


_CLASSES, _VALUES = (("left", -1.0), ("right", 1.0)), (-1.0, 1.0)
_HEAD = Head(
    np.eye(8, dtype=np.float32),
    None,
    tuple(name for name, _ in _CLASSES),
    # The text is as biased as the rows: axis 0 is the class, axis 1 the attribute.
    np.stack([_direction((0, core), (1, core / 2), (2, 1.0)) for _, core in _CLASSES]),
)
_CONCEPTS = Concepts(
    ConceptWords({"side": ("below", "above")}, (("this", "that"),)),
    _HEAD.classes,
    {"side": np.stack([_direction((1, value), (3, 1.0)) for value in _VALUES])},
    {
        "side": np.stack(
            [
                np.stack([_direction((0, core), (1, value), (3, 1.0)) for value in _VALUES])
                for _, core in _CLASSES
            ]
        )
    },
    np.stack([np.stack([_direction((0, -1.0), (4, 1.0)), _direction((0, 1.0), (4, 1.0))])]),
)
