"""What users of scikit-learn guess works: names, presets, nested parameters, saved files."""

from pathlib import Path
from typing import Any, get_type_hints

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import evenhand
from evenhand import EvenhandError, Head
from evenhand.methods import CFR, ERM, JTT, PRESETS, SGD, LinearProbe, Recipe, make, names
from evenhand.methods.cfr.references import REFERENCES
from evenhand.methods.constructors import parameters_of
from evenhand.methods.registry import (
    METHODS,
    built_in_parameters,
    check_name,
    check_parameters,
    declares,
    method_class,
    registered_name,
)
from evenhand.methods.self_ import CRITERIA
from evenhand.selection.rules import RULES

QUICK = SGD(learning_rate=0.01, epochs=2)
NAMES = np.array(["left", "right"])


def world(classes: int = 2, seed: int = 0) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    generator = np.random.default_rng(seed)
    y = np.arange(30 * classes) % classes
    X = generator.normal(size=(len(y), 6)) + 2 * np.eye(classes, 6)[y]
    return X.astype(np.float32), y


def test_names_come_from_where_users_look_for_them() -> None:
    from evenhand import load_backbone
    from evenhand.functional import calibration_loss

    assert evenhand.Recipe is Recipe
    assert evenhand.CFR is CFR
    assert callable(load_backbone)
    assert callable(calibration_loss)


def test_every_registered_class_is_exported() -> None:
    for name in METHODS:
        cls = method_class(name)
        assert getattr(evenhand, cls.__name__) is cls
        assert getattr(evenhand.methods, cls.__name__) is cls


def test_a_preset_gives_the_parameters_that_are_left_out() -> None:
    X, y = world()
    by_name = CFR(preset="published-code", erm=QUICK).fit(X, y, validation=(X, y))
    by_hand = CFR(**{**PRESETS["published-code"], "erm": QUICK}).fit(X, y, validation=(X, y))
    assert by_name.settings_ == by_hand.settings_
    assert by_name.model_.prototypes.tobytes() == by_hand.model_.prototypes.tobytes()
    assert (
        by_name.model_.projection.weight.numpy().tobytes()
        == by_hand.model_.projection.weight.numpy().tobytes()
    )
    assert "TargetedContrast" in by_name.settings_["recipes"]
    assert by_name.settings_["erm"] == repr(QUICK)


def test_a_parameter_that_is_given_goes_before_the_preset() -> None:
    X, y = world()
    model = CFR(preset="published-similarity", reference="zero_shot", erm=QUICK).fit(X, y, validation=(X, y))
    assert model.settings_["reference"] == "ZeroShotReference()"


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_is_accepted(preset: str) -> None:
    assert make(f"cfr:{preset}").get_params()["preset"] == preset


def test_an_unknown_preset_or_reference_is_refused_with_the_known_ones() -> None:
    with pytest.raises(EvenhandError, match=r"preset.*'papre'.*default.*published-code"):
        CFR(preset="papre").fit(*world())
    with pytest.raises(EvenhandError, match=r"reference.*'emr'.*zero_shot, erm, cross_fitted_erm"):
        CFR(reference="emr").fit(*world())
    with pytest.raises(EvenhandError, match=r"erm.*preset"):
        make("erm:paper")


def test_a_reference_goes_by_name() -> None:
    X, y = world()
    recipe = Recipe(evenhand.methods.STABLE.terms, QUICK)
    kinds = {
        "shortcut_probe": evenhand.methods.ShortcutReference(),
        "zero_shot": evenhand.methods.ZeroShotReference(),
        "erm": evenhand.methods.ErmReference(),
        "cross_fitted_erm": evenhand.methods.CrossFittedErm(),
    }
    for name, instance in kinds.items():
        model = CFR(reference=name, recipes=recipe, erm=QUICK).fit(X, y, validation=(X, y))
        assert model.settings_["reference"] == repr(instance)


def test_presets_can_be_searched() -> None:
    X, y = world()
    found = GridSearchCV(CFR(erm=QUICK), {"preset": ["default", "stable"]}, cv=2).fit(X, y)
    assert found.best_params_["preset"] in {"default", "stable"}
    assert found.score(X, y) > 0.8


def test_a_field_of_a_parameter_is_set_by_a_double_underscore() -> None:
    method = CFR(erm=QUICK).set_params(erm__epochs=3, folds=4)
    assert method.erm == SGD(learning_rate=0.01, epochs=3)
    assert method.folds == 4
    assert QUICK.epochs == 2, "the object that was given is not changed"


def test_a_field_of_a_parameter_that_is_none_starts_from_the_usual_object() -> None:
    X, y = world()
    method = JTT().set_params(erm__epochs=5)
    by_hand = JTT(erm=SGD(learning_rate=1e-2, epochs=5)).fit(X, y)
    assert method.fit(X, y).history_ == by_hand.history_
    searched = GridSearchCV(JTT(), {"erm__epochs": [1, 5]}, cv=2).fit(X, y)
    assert searched.best_estimator_.erm.epochs in (1, 5)


def test_fields_of_fields_are_set_too() -> None:
    method = CFR(recipes=Recipe(evenhand.methods.STABLE.terms, QUICK)).set_params(recipes__sgd__epochs=7)
    assert isinstance(method.recipes, Recipe)
    assert method.recipes.sgd == SGD(learning_rate=0.01, epochs=7)


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"erm__epoch": 3}, "erm has no field 'epoch'; it has batch_size, epochs, learning_rate"),
        ({"eerm__epochs": 3}, "eerm"),
        ({"folds__k": 3}, "folds has no field 'k'; it has none"),
        ({"nope": 3}, "nope"),
    ],
)
def test_unknown_parameters_and_fields_are_refused(params: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        CFR().set_params(**params)


def test_a_clone_keeps_nested_parameters() -> None:
    assert clone(CFR(erm=QUICK)).set_params(erm__momentum=0.5).erm.momentum == 0.5  # type: ignore[union-attr]


@pytest.mark.parametrize("classes", [2, 3])
def test_the_decision_function_is_the_logits_or_of_two_classes_their_difference(classes: int) -> None:
    X, y = world(classes)
    model = ERM(epochs=2).fit(X, y)
    logits = model.model_.logits(X)
    decision = model.decision_function(X)
    if classes == 2:
        assert decision.shape == (len(X),)
        assert np.array_equal(decision, logits[:, 1] - logits[:, 0])
        assert np.array_equal(model.predict(X), model.classes_[(decision > 0).astype(int)])
    else:
        assert np.array_equal(decision, logits)


def test_transformed_columns_have_names() -> None:
    X, y = world()
    model = ERM(epochs=1).fit(X, y)
    assert model.get_feature_names_out().tolist() == [f"erm{k}" for k in range(model.transform(X).shape[1])]
    chain = make_pipeline(StandardScaler(), ERM(epochs=1)).set_output(transform="default").fit(X, y)
    assert chain.predict_proba(X).shape == (len(X), 2)


@pytest.mark.parametrize("name", ["erm", "balanced_probe", "zero_shot"])
def test_a_saved_model_is_loaded_and_predicts_the_same(name: str, tmp_path: Path) -> None:
    X, y = world(3)
    head = Head(np.eye(6, dtype=np.float32), None, ("a", "b", "c"))
    labels = np.array(head.classes)[y]
    model = make(name, head=head).fit(X, labels)
    model.save(tmp_path / "model.safetensors")
    run = evenhand.load_run(tmp_path / "model.safetensors")
    assert np.array_equal(run.predict(X), model.predict(X))
    assert np.allclose(run.predict_proba(X), model.predict_proba(X))
    assert list(run.classes_) == list(model.classes_)


def test_a_model_without_a_head_is_saved_too(tmp_path: Path) -> None:
    X, y = world()
    model = ERM(epochs=1).fit(X, NAMES[y])
    model.save(str(tmp_path / "model.safetensors"))
    assert evenhand.load_run(tmp_path / "model.safetensors").predict(X).tolist() == model.predict(X).tolist()


def test_what_is_not_fitted_is_neither_saved_nor_asked(tmp_path: Path) -> None:
    from sklearn.exceptions import NotFittedError

    for call in (
        lambda: ERM().save(tmp_path / "m"),
        ERM().get_feature_names_out,
        lambda: ERM().predict([[1.0]]),
    ):
        with pytest.raises(NotFittedError):
            call()
    assert list(tmp_path.iterdir()) == []


def test_save_makes_the_folders_above(tmp_path: Path) -> None:
    model = ERM(epochs=1).fit(*world())
    model.save(tmp_path / "new" / "m.safetensors")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["m.safetensors"]


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    model = ERM(epochs=1).fit(*world())
    (tmp_path / "file").write_text("kept")
    for place in (tmp_path, tmp_path / "file" / "m.safetensors"):
        with pytest.raises(EvenhandError, match="cannot"):
            model.save(place)
    assert (tmp_path / "file").read_text() == "kept"


def test_two_names_of_one_class_are_told_apart() -> None:
    balanced, unknown = make("balanced_probe", Cs=(1.0,)), ("balanced_probe", ["Cs", "class_weight"])
    assert isinstance(balanced, LinearProbe)
    assert balanced.class_weight == "balanced"
    assert registered_name(balanced) == "balanced_probe"
    assert registered_name(LinearProbe()) == "linear_probe"
    assert registered_name(CFR()) == "cfr"
    assert {"balanced_probe", "linear_probe"} <= set(names())
    for refuse in (lambda: make("balanced_probe", class_weight=None), lambda: check_parameters(*unknown)):
        with pytest.raises(EvenhandError, match="balanced_probe takes no parameter 'class_weight'"):
            refuse()
    with pytest.raises(EvenhandError, match=r"^class_weight: 'even' is unknown"):
        make("linear_probe", class_weight="even")


@pytest.mark.parametrize("name", METHODS)
def test_parameters_are_read_from_the_source_as_scikit_learn_has_them(name: str) -> None:
    read, cls = parameters_of(METHODS[name]), method_class(name)
    assert read is not None
    assert list(read) == cls._get_param_names()
    assert {key: one.range for key, one in read.items() if one.range is not None} == cls.ranges
    hints, defaults = get_type_hints(cls.__init__), cls().get_params(deep=False)
    for key, one in read.items():
        assert one.default in (None, defaults[key])
        if "OnlyPython" not in str(one.hint):
            assert one.hint == hints[key]


def test_the_names_that_hints_tell_are_all() -> None:
    told = {
        (method, key): one.names
        for method in ("cfr", "self", "wise_ft")
        for key, one in (built_in_parameters(method) or {}).items()
        if one.names
    }
    assert told == {
        ("cfr", "preset"): tuple(PRESETS),
        ("cfr", "reference"): tuple(REFERENCES),
        ("self", "criterion"): tuple(CRITERIA),
        ("wise_ft", "rule"): tuple(name for name, rule in RULES.items() if rule.group_labels_used == "none"),
    }


def test_parameters_that_no_source_tells_are_left_to_make() -> None:
    for place in (
        "evenhand.methods.gone:X",
        "evenhand.methods.erm:Gone",
        "evenhand._errors:EvenhandError",
        "sys:X",
    ):
        assert parameters_of(place) is None
    check_parameters("no_method_of_evenhand", ["any"])
    check_parameters("cfr:nearest", ["folds"])
    assert built_in_parameters("no_method_of_evenhand") is None
    assert list(built_in_parameters("balanced_probe") or ()) == ["Cs", "head", "random_state"]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("cfr:wild", "^preset: 'wild' is unknown; the allowed values are default, grid, nearest"),
        ("erm:wild", "^preset: erm has no presets; leave out :wild$"),
    ],
)
def test_unknown_presets_are_refused_by_name_alone(name: str, sentence: str) -> None:
    for refuse in (check_name, make):
        with pytest.raises(EvenhandError, match=sentence):
            refuse(name)


@pytest.mark.parametrize("name", METHODS)
def test_what_a_method_declares_is_read_without_importing_it(name: str) -> None:
    for what in ("group_labels_used", "streams"):
        assert declares(name, what) == getattr(method_class(name), what)
