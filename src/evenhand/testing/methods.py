"""Public checks of a method, for ours and for third parties'."""

from __future__ import annotations

import numpy as np
from sklearn.base import clone
from sklearn.utils.estimator_checks import check_estimator

from evenhand._errors import EvenhandError
from evenhand._typing import Floats, Ints
from evenhand.methods._model import Model
from evenhand.methods.base import Method


def check_method(method: Method) -> None:
    """Run every check; raise AssertionError, or scikit-learn's own error, on the first that fails.

    Parameters
    ----------
    method : Method
        Unfitted.
    """
    if method.group_labels_used != "none":
        # scikit-learn's own checks hand no groups over.
        check_groups_are_needed(method)
        return
    check_estimator(method)
    check_group_invariance(method)
    check_same_seed_same_bytes(method)


def check_group_invariance(method: Method) -> None:
    """A method that declares `none` gives bit-identical weights whatever groups it is handed."""
    X, y, groups = _toy()
    first = clone(method).fit(X, y, groups=groups).model_
    shuffled = np.random.default_rng(1).permutation(groups)
    second = clone(method).fit(X, y, groups=shuffled).model_
    assert _bytes(first) == _bytes(second), "the weights depend on the groups"


def check_groups_are_needed(method: Method) -> None:
    """A method that declares that it uses group labels lists them as needed, and says so without them."""
    assert "groups" in method.needs, "the method uses group labels but does not list them in `needs`"
    X, y, _ = _toy()
    try:
        clone(method).fit(X, y)
    except EvenhandError as error:
        if "group" not in str(error):
            raise AssertionError("the refusal does not name the groups") from error
    else:
        raise AssertionError("the method declares group labels but fits without them")


def check_same_seed_same_bytes(method: Method) -> None:
    """Two fits with one seed give the same bytes."""
    X, y, _ = _toy()
    first, second = (clone(method).fit(X, y).model_ for _ in range(2))
    assert _bytes(first) == _bytes(second), "two fits with one seed differ"


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
