"""Parameters out of range are refused in one sentence, by methods and by what they are composed of."""

from collections.abc import Callable
from math import inf, nan
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evenhand import CFR, ERM, EvenhandError
from evenhand._ranges import COUNT, INSIDE, SHARE, Each, or_none
from evenhand.functional.targeted import Targeted
from evenhand.methods._draws.negatives import NearestNegatives, RandomNegatives
from evenhand.methods._draws.positives import Centroid, DrawnRows
from evenhand.methods._training.loop import SGD
from evenhand.methods.cfr.calibration_set import Misclassified
from evenhand.methods.cfr.loss_terms import (
    AnchorCrossEntropy,
    BatchCrossEntropy,
    Calibration,
    Similarity,
    TargetedContrast,
)
from evenhand.methods.cfr.presets import STABLE
from evenhand.methods.cfr.recipe import Recipe
from evenhand.methods.cfr.references import CrossFittedErm
from evenhand.methods.registry import METHODS, make, method_class
from evenhand.selection.erm_guard import Evidence
from evenhand.selection.probe_check import ProbeSanityCheck

X = np.random.default_rng(0).standard_normal((40, 6)).astype(np.float32)
Y = np.arange(40) % 2

OBJECTS: list[tuple[Callable[..., Any], str, Any, str]] = [
    (Misclassified, "fallback", 0.0, "above 0 and below 1, but it is 0.0; the default is 0.05"),
    (
        Misclassified,
        "fallback",
        nan,
        "a finite number, above 0 and below 1, but it is nan; the default is 0.05",
    ),
    (DrawnRows, "k", 0, "at least 1, but it is 0; the default is 16"),
    (Centroid, "k", 1.5, "a whole number, at least 1, but it is 1.5; the default is 16"),
    (RandomNegatives, "k", 0, "at least 1, but it is 0; the default is 16"),
    (NearestNegatives, "k", 0, "at least 1, but it is 0; the default is 16"),
    (Calibration, "temperature", 0, "above 0, but it is 0; the default is 1"),
    (Calibration, "weight", -1, "at least 0, but it is -1; the default is 1"),
    (AnchorCrossEntropy, "weight", inf, "a finite number, at least 0, but it is inf; the default is 1"),
    (BatchCrossEntropy, "weight", -1, "at least 0, but it is -1; the default is 1"),
    (Similarity, "weight", -1, "at least 0, but it is -1; the default is 1"),
    (TargetedContrast, "weight", -1, "at least 0, but it is -1; the default is 1"),
    (Targeted, "queue_size", -1, "at least 0, but it is -1; the default is 1280"),
    (Targeted, "momentum", 1, "at least 0 and below 1, but it is 1; the default is 0.9"),
    (Targeted, "temperature", 0, "above 0, but it is 0; the default is 0.07"),
    (Targeted, "target_weight", -1, "at least 0, but it is -1; the default is 0.2"),
    (CrossFittedErm, "folds", 1, "at least 2, but it is 1; the default is 5"),
    (Evidence, "confidence", 1.0, "above 0 and below 1, but it is 1.0; the default is 0.95"),
    (Evidence, "max_loss", 1.1, "at least 0 and at most 1, but it is 1.1; the default is 0.1"),
    (Evidence, "n_resamples", 0, "at least 1, but it is 0; the default is 1000"),
    (ProbeSanityCheck, "legibility", -0.1, "at least 0 and at most 1, but it is -0.1; the default is 0.2"),
    (ProbeSanityCheck, "support", 2, "at least 0 and at most 1, but it is 2; the default is 0.95"),
]


@pytest.mark.parametrize(("make_one", "name", "value", "sentence"), OBJECTS)
def test_objects_refuse_what_is_out_of_range(
    make_one: Callable[..., Any], name: str, value: Any, sentence: str
) -> None:
    with pytest.raises(EvenhandError) as refused:
        make_one(**{name: value})
    assert str(refused.value) == f"{name} must be {sentence}"


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("learning_rate", -1.0, "at least 0, but it is -1.0"),
        ("learning_rate", nan, "a finite number, at least 0, but it is nan"),
        ("epochs", True, "a whole number, at least 1, but it is True"),
        ("batch_size", 0, "at least 1, but it is 0; the default is 128"),
        ("momentum", 1, "at least 0 and below 1, but it is 1; the default is 0.9"),
        ("weight_decay", -1, "at least 0, but it is -1; the default is 1e-05"),
    ],
)
def test_sgd_refuses_what_is_out_of_range(name: str, value: Any, sentence: str) -> None:
    with pytest.raises(EvenhandError) as refused:
        SGD(**{"learning_rate": 0.1, "epochs": 1, name: value})
    assert str(refused.value) == f"{name} must be {sentence}"


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("dropout", 1, "dropout must be at least 0 and below 1, but it is 1; the default is 0"),
        ("schedule", 2, "schedule must be at least 0 and at most 1, but it is 2; the default is 0"),
        ("terms", (), "terms: it is empty; give at least one loss term, such as Calibration()"),
    ],
)
def test_a_recipe_refuses_what_is_out_of_range(name: str, value: Any, sentence: str) -> None:
    with pytest.raises(EvenhandError) as refused:
        Recipe(**{"terms": STABLE.terms, "sgd": STABLE.sgd, name: value})
    assert str(refused.value) == sentence


WRONG = {
    "Cs": (),
    "ks": (),
    "dropout": 1,
    "early": 0,
    "contrast": -0.5,
    "folds": 1,
    "batch_size": 0,
}
"""Out of range where a parameter goes by this name; any other refuses −1."""
PARAMETERS = [(method, name) for method in METHODS for name in method_class(method).ranges]


@pytest.mark.parametrize(("method", "name"), PARAMETERS)
@pytest.mark.parametrize("value", [None, nan, "a"])
def test_every_numeric_parameter_of_every_method_is_in_range(method: str, name: str, value: Any) -> None:
    wrong = WRONG.get(name, -1) if value is None else value
    with pytest.raises(EvenhandError, match=rf"^{name} must be .*(at least|above) .*, but it is"):
        make(method, **{name: wrong})
    with pytest.raises(EvenhandError, match=f"^{name} must be "):
        method_class(method)(**{name: wrong}).fit(X, Y)


@pytest.mark.parametrize("method", METHODS)
def test_every_number_that_a_method_takes_has_a_range(method: str) -> None:
    cls = method_class(method)
    defaults = cls().get_params(deep=False)
    numbers = {
        name
        for name, value in defaults.items()
        if isinstance(value, (int, float)) or (isinstance(value, tuple) and name in ("Cs", "ks"))
    }
    assert numbers - {"random_state"} <= set(cls.ranges)
    assert set(cls.ranges) <= set(defaults)


@pytest.mark.parametrize("method", METHODS)
def test_a_negative_random_state_is_refused(method: str) -> None:
    with pytest.raises(
        EvenhandError, match=r"^random_state must be at least 0, but it is -1; the default is 0$"
    ):
        make(method, random_state=-1)


def test_a_wrong_number_of_a_grid_is_told() -> None:
    with pytest.raises(EvenhandError) as refused:
        make("dfr", Cs=[1.0, -1.0])
    assert str(refused.value).startswith(
        "Cs must be a list of numbers, at least one and each above 0, but it is [1.0, -1.0]; the default is ("
    )


def test_no_recipes_are_refused() -> None:
    with pytest.raises(EvenhandError, match="recipes: it is empty; give at least one Recipe, or leave"):
        CFR(recipes=()).fit(X, Y)


def test_training_that_diverges_is_told() -> None:
    with pytest.raises(EvenhandError, match=r"learning_rate 1e\+30 is too large: training diverged in epoch"):
        ERM(learning_rate=1e30).fit(X, Y)


@pytest.mark.parametrize("value", [1e308, 10**400, 3.5e38])
def test_numbers_past_32_bits_are_refused(value: float) -> None:
    with pytest.raises(
        EvenhandError, match=r"learning_rate must be above 0 and at most 3\.4e\+38, but it is"
    ):
        ERM(learning_rate=value).fit(X, Y)
    assert COUNT.objection(10**400) == "at least 1 and at most 9.22337e+18"


@pytest.mark.parametrize("factor", [1e20, 1e30, 1e-25, 1e-40])
def test_features_whose_squares_leave_float32_are_refused(factor: float) -> None:
    with pytest.raises(EvenhandError, match=r"largest number of the features is .* divide all rows by one"):
        ERM().fit((X * np.float64(factor)).astype(np.float32), Y)


def test_features_that_are_mapped_for_reading_give_no_warning(
    tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    fitted = ERM(epochs=1, random_state=0).fit(mapped, Y)
    np.testing.assert_array_equal(
        fitted.predict_proba(mapped), ERM(epochs=1, random_state=0).fit(X, Y).predict_proba(X)
    )
    assert not [one for one in recwarn.list if "writable" in str(one.message)]


def test_bounds_belong_to_a_range_or_not() -> None:
    assert [SHARE.objection(value) is None for value in (0, 1, -1e-9)] == [True, True, False]
    assert [INSIDE.objection(value) is None for value in (0, 1, 0.5)] == [False, False, True]
    assert COUNT.objection(np.int64(3)) is None
    assert COUNT.objection(None) == "a whole number, at least 1"
    assert or_none(COUNT).objection(None) is None
    assert Each(COUNT).objection(np.array([1, 2])) is None
    assert Each(COUNT).objection("12") is not None
