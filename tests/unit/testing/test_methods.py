"""The public checks fail where a method breaks its promise."""

from typing import Any

import numpy as np
import pytest

from evenhand import DFR, ERM, EvenhandError
from evenhand.methods._training.model import Model
from evenhand.methods._training.problem import Problem
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


class Wordless(Method):
    """Lists words as a need and fits without them."""

    needs = ("text", "words")

    def __init__(self, head: Any = None, concepts: Any = None, random_state: Any = 0) -> None:
        self.head, self.concepts, self.random_state = head, concepts, random_state

    def _learn(self, problem: Problem) -> Model:
        if self.head is None:
            raise EvenhandError("head: there is no text")
        return Model.of_state(problem, problem.start)


class Curt(Wordless):
    """Does not say what is missing."""

    def _learn(self, problem: Problem) -> Model:
        if self.head is not None and self.concepts is None:
            raise EvenhandError("something is missing")
        return super()._learn(problem)


class Meddler(Curt):
    """Changes its own parameters."""

    def _learn(self, problem: Problem) -> Model:
        model = super()._learn(problem)
        self.concepts = None
        return model


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


def test_a_method_that_needs_words_must_say_so() -> None:
    with pytest.raises(AssertionError, match="lists words in `needs` but fits without them"):
        checks.check_method(Wordless())
    with pytest.raises(AssertionError, match="the refusal does not name the words"):
        checks.check_method(Curt())


def test_needs_are_known_by_name() -> None:
    method = Wordless()
    method.needs = ("prompts",)  # type: ignore[misc]
    with pytest.raises(AssertionError, match=r"`needs` holds \{'prompts'\}; the allowed values are"):
        checks.check_needs_are_named(method)


def test_a_method_that_changes_its_parameters_is_caught() -> None:
    with pytest.raises(AssertionError, match="fit changes a parameter"):
        checks.check_conventions(Meddler())


@pytest.mark.parametrize(
    ("configurations", "sentence"),
    [
        ((), "the method has 0 configurations; 1 to 5 are allowed"),
        (({"epochs": 1}, {"epochs": 1}), "a configuration comes twice"),
    ],
)
def test_configurations_are_few_and_different(configurations: Any, sentence: str) -> None:
    method = ERM()
    method.configurations = configurations  # type: ignore[misc]
    with pytest.raises(AssertionError, match=sentence):
        checks.check_configurations(method)


def test_configurations_are_parameters() -> None:
    method = ERM()
    method.configurations = ({"depth": 3},)  # type: ignore[misc]
    with pytest.raises(ValueError, match="Invalid parameter 'depth'"):
        checks.check_configurations(method)
