"""The public checks fail where a method breaks its promise."""

from typing import Any

import numpy as np
import pytest

from evenhand import DFR, ERM
from evenhand.methods._model import Model
from evenhand.methods._problem import Problem
from evenhand.methods.base import Method
from evenhand.testing import methods as checks


class Groupless(Method):
    """Declares groups, lists them as no need and fits without them."""

    group_labels_used = "validation"

    def __init__(self, head: Any = None, random_state: Any = 0) -> None:
        self.head, self.random_state = head, random_state

    def _learn(self, problem: Problem) -> Model:
        return Model.of_state(problem, problem.start)


class Needy(Groupless):
    needs = ("groups",)


class Restless(ERM):
    """Its seed changes from fit to fit."""

    def _seed(self) -> int:
        return int(np.random.SeedSequence().entropy % 2**31)  # type: ignore[operator]


def test_methods_that_use_groups_must_need_them() -> None:
    checks.check_method(DFR())
    with pytest.raises(AssertionError, match="does not list them in `needs`"):
        checks.check_method(Groupless())
    with pytest.raises(AssertionError, match="lists groups in `needs` but fits without them"):
        checks.check_method(Needy())


def test_a_method_that_changes_from_fit_to_fit_is_caught() -> None:
    checks.check_same_seed_same_bytes(ERM())
    with pytest.raises(AssertionError, match="two fits with one seed differ"):
        checks.check_same_seed_same_bytes(Restless())
