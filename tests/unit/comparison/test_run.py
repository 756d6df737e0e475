"""A comparison is fair, complete and honest about what is missing."""

import dataclasses
import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import jsonschema
import numpy as np
import pytest

from evenhand import EvenhandError, EvenhandWarning, FeatureTable, LinearProbe, compare
from evenhand.comparison.job import Job, predict_held_out, run_job
from evenhand.data.partition import held_out, shown_to
from evenhand.evaluation.results import ResultRow, Results, results_schema
from evenhand.methods import registry
from evenhand.methods._training.model import Model
from evenhand.methods._training.problem import Problem
from evenhand.methods.base import Method
from evenhand.methods.registry import make
from evenhand.selection.rules import find_rule


class Spy(Method):
    """Zero-shot that keeps what it was given; it wants no more than a switch."""

    given: ClassVar[list[dict[str, Any]]] = []
    configurations = ({}, {"fault": "first"}, {"fault": "second"}, {"fault": "third"})

    def __init__(self, head: Any = None, fault: str | None = None, random_state: Any = 0) -> None:
        self.head, self.fault, self.random_state = head, fault, random_state

    def fit(self, X: Any, y: Any, **more: Any) -> Any:
        self.given.append({"X": X, "y": y, "fault": self.fault, **more})
        return super().fit(X, y, **more)

    def _learn(self, problem: Problem) -> Model:
        return Model.of_state(problem, problem.start)


class Broken(Spy):
    def _learn(self, problem: Problem) -> Model:
        raise ZeroDivisionError("the loss\nis not finite")


class HalfBroken(Spy):
    def _learn(self, problem: Problem) -> Model:
        if self.fault is None:
            raise EvenhandError("without a fault there is no fit")
        warnings.warn("the anchors are few", EvenhandWarning, stacklevel=1)
        warnings.warn("did not converge\nsee the manual", RuntimeWarning, stacklevel=1)
        return super()._learn(problem)


class Oracle(Spy):
    group_labels_used = "validation"
    needs = ("groups",)


class Trained(Oracle):
    group_labels_used = "train"


class Turned(Spy):
    """With a fault it predicts the other class."""

    def _learn(self, problem: Problem) -> Model:
        model = super()._learn(problem)
        return model if self.fault is None else dataclasses.replace(model, prototypes=-model.prototypes)


class Odd(Spy):
    needs = ("rain",)


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, type[Method]], None]:
    Spy.given.clear()

    def register(name: str, cls: type[Method]) -> None:
        monkeypatch.setitem(registry.METHODS, name, f"{__name__}:{cls.__name__}")

    return register


def rows_of(results: Results, method: str) -> list[ResultRow]:
    return [row for row in results.rows if row.method == method]


def test_every_method_and_seed_has_a_row(table: FeatureTable) -> None:
    results = compare(table, methods=["zero_shot", "erm", "linear_probe"], seeds=[3, 5])
    assert [(row.method, row.seed, row.status) for row in results.rows] == [
        (method, seed, "ok") for method in ("zero_shot", "erm", "linear_probe") for seed in (3, 5)
    ]
    written = json.loads(results.model_dump_json(by_alias=True))
    jsonschema.validate(written, results_schema())
    for row in rows_of(results, "erm"):
        assert row.difference_to_erm is not None
        assert row.difference_to_erm.value == 0
    for one in results.summary:
        assert one.worst_group is not None
        assert one.over_test_rows is not None
        assert one.over_test_rows.worst_group is not None
        assert one.worst_group.mean == pytest.approx(one.over_test_rows.worst_group.value)
        assert one.plain is not None
        assert one.plain.mean == pytest.approx(one.over_test_rows.plain.value)
    assert [one.seed for one in results.kept_method] == [3, 5]
    assert results.provenance["selection"] == "shortcut_cell"


def test_erm_is_always_there_and_a_single_configuration_wastes_no_training_row(table: FeatureTable) -> None:
    results = compare(table, methods=["linear_probe"], seeds=[1], budget=1)
    assert [row.method for row in results.rows] == ["zero_shot", "erm", "linear_probe"]
    train, test = table.rows("train"), table.rows("test")
    probe = LinearProbe(table.head, Cs=(1.0,)).fit(table.features(train), table.labels(train))
    right = probe.predict(table.features(test)) == table.labels(test)
    assert results.rows[2].fitted_on == "all 400 training rows"
    assert results.rows[2].averages.plain == pytest.approx(right.mean())


def test_label_free_methods_see_the_training_part_alone_until_one_configuration_is_picked(
    table: FeatureTable, register: Callable[[str, type[Method]], None]
) -> None:
    register("spy", Spy)
    register("other", Spy)
    compare(table, methods=["spy", "other"], seeds=[0, 1], budget=2)
    assert len(Spy.given) == 12
    for number, (given, seed) in enumerate(zip(Spy.given, np.repeat([0, 0, 1, 1], 3), strict=True)):
        rows = held_out(table, int(seed)).train if number % 3 < 2 else table.rows("train")
        assert np.array_equal(given["X"], table.features(rows))
        assert given["validation"] is None
        assert "groups" not in given
        assert given["fault"] == ("first" if number % 3 == 1 else None)
    assert len(held_out(table, 0).validation) == 80
    assert held_out(table, 0).validation.tolist() != held_out(table, 1).validation.tolist()


def test_methods_that_declare_groups_get_them(
    table: FeatureTable, register: Callable[[str, type[Method]], None]
) -> None:
    register("oracle", Oracle)
    register("trained", Trained)
    results = compare(table, methods=["oracle", "trained"], seeds=[0], budget=2)
    rows = held_out(table, 0)
    for given in Spy.given[:4]:
        assert given["groups"].tolist() == table.groups("place", rows.train).tolist()
    assert all(given["validation"] is None for given in Spy.given[2:])
    (again,) = Spy.given[4:]
    assert again["groups"].tolist() == table.groups("place", table.rows("train")).tolist()
    for given in Spy.given[:2]:
        X, y, groups = given["validation"]
        assert np.array_equal(X, table.features(rows.validation))
        assert y.tolist() == table.labels(rows.validation).tolist()
        assert groups.tolist() == table.groups("place", rows.validation).tolist()
    (oracle,) = rows_of(results, "oracle")
    assert oracle.group_labels_used == "validation"
    assert oracle.fitted_on == "320 training rows; the other 80 are its validation rows"
    assert oracle.notes == [
        "it was fitted on the 80 held-out training rows, since there is no validation split",
        "its configurations were scored on the held-out training rows, on which it was also fitted",
    ]
    assert results.kept_method[0].among == ["zero_shot"]


def test_methods_of_validation_groups_get_the_stores_own_validation_split(
    table: FeatureTable, register: Callable[[str, type[Method]], None]
) -> None:
    register("oracle", Oracle)
    split = table.split.copy().astype("<U10")
    split[400:450] = "validation"
    (row,) = rows_of(
        compare(dataclasses.replace(table, split=split), methods=["oracle"], seeds=[0], budget=2), "oracle"
    )
    for given, trained in zip(Spy.given, [held_out(table, 0).train] * 2 + [table.rows("train")], strict=True):
        assert np.array_equal(given["validation"][0], table.features(np.arange(400, 450)))
        assert given["validation"][2].tolist() == table.groups("place", np.arange(400, 450)).tolist()
        assert np.array_equal(given["X"], table.features(trained))
    assert row.fitted_on == "all 400 training rows"
    assert row.notes == ["it was fitted on the 50 rows of the given validation split"]
    assert row.worst_group is not None
    # What is tested on is not shown, whatever it is called.
    Spy.given.clear()
    split[450:] = "validation"
    compare(dataclasses.replace(table, split=split), methods=["oracle"], seeds=[0], budget=1)
    (given,) = Spy.given
    assert np.array_equal(given["validation"][0], table.features(held_out(table, 0).validation))


def test_a_preset_is_a_method_of_its_own(table: FeatureTable, tmp_path: Path) -> None:
    names = ["zero_shot", "cfr:grid", "cfr:stable"]
    results = compare(table, methods=names, seeds=[0], out=tmp_path / "c")
    assert [row.method for row in results.rows] == ["erm", *names]
    for name in names[1:]:
        (row,) = rows_of(results, name)
        preset = make("cfr", preset=name.partition(":")[2], head=table.head, random_state=0)
        train, test = table.rows("train"), table.rows("test")
        fitted = preset.fit(table.features(train), table.labels(train))
        right = fitted.predict(table.features(test)) == table.labels(test)
        assert row.averages.plain == pytest.approx(right.mean())
        assert row.kept == fitted.kept_
    assert compare(table, methods=names, seeds=[0], out=tmp_path / "c").rows == results.rows


def test_the_budget_is_the_first_configurations_and_the_best_is_picked(
    table: FeatureTable, register: Callable[[str, type[Method]], None]
) -> None:
    register("turned", Turned)
    results = compare(table, methods=["turned"], seeds=[0], budget=3)
    (row,) = rows_of(results, "turned")
    assert [trial["params"] for trial in row.grid] == [{}, {"fault": "first"}, {"fault": "second"}]
    assert [trial["picked"] for trial in row.grid] == [True, False, False]
    assert row.grid[0]["score"] > 0.5 > row.grid[1]["score"]
    assert row.selection == "shortcut_cell on held-out training rows"
    assert row.fit_seconds is not None
    assert row.fit_seconds > sum(trial["fit_seconds"] for trial in row.grid)
    alone = compare(table, methods=["turned"], seeds=[0], budget=1)
    assert rows_of(alone, "turned")[0].selection == "none"


class Stepped(Spy):
    """Shows an inverted state and two of zero-shot before its end, which is as `fault` says."""

    configurations = ({}, {"fault": "inverted"})

    def _learn(self, problem: Problem) -> Model:
        right = Model.of_state(problem, problem.start)
        wrong = dataclasses.replace(right, prototypes=-right.prototypes)
        for epoch, model in ((1, wrong), (2, right), (3, right)):
            self._show(epoch, 4, lambda model=model: model)
        return wrong if self.fault else right


def test_the_states_along_a_fit_are_candidates_and_the_latest_of_equal_ones_wins(
    table: FeatureTable, register: Callable[[str, type[Method]], None]
) -> None:
    register("stepped", Stepped)
    results = compare(table, methods=["stepped"], seeds=[0])
    (row,) = rows_of(results, "stepped")
    assert [(trial["epoch"], trial["states"]) for trial in row.grid] == [(None, 4), (3, 4)]
    assert row.grid[0]["score"] == row.grid[1]["score"] > 0.5
    (usual,) = rows_of(results, "zero_shot")
    assert row.worst_group == usual.worst_group
    alone = compare(table, methods=["stepped"], seeds=[0], budget=1)
    assert rows_of(alone, "stepped")[0].selection == "shortcut_cell on held-out training rows"
    jsonschema.validate(json.loads(results.model_dump_json(by_alias=True)), results_schema())


class OnceStepped(Stepped):
    """Its best state is not its end."""

    configurations = ({"fault": "inverted"},)


class OnceFitted(Spy):
    def _learn(self, problem: Problem) -> Model:
        if len(problem.y) == 400:
            raise EvenhandError("these rows are too many")
        return super()._learn(problem)


def test_a_pick_that_cannot_be_fitted_again_says_why(
    table: FeatureTable, register: Callable[[str, type[Method]], None]
) -> None:
    register("stepped", OnceStepped)
    register("once", OnceFitted)
    results = compare(table, methods=["stepped", "once"], seeds=[0], budget=1)
    (stepped,), (once,) = rows_of(results, "stepped"), rows_of(results, "once")
    assert stepped.fitted_on == "320 training rows; its checkpoint after epoch 3 was chosen on the others"
    assert once.fitted_on == "320 training rows; a second fit, on all rows, failed: these rows are too many"
    (usual,) = rows_of(results, "zero_shot")
    assert stepped.worst_group == once.worst_group == usual.worst_group


def test_the_winner_is_picked_by_predictions_of_rows_that_did_not_train(table: FeatureTable) -> None:
    rows = held_out(table, 0)
    known = predict_held_out(table, (0, rows, "shortcut_cell"))
    cells = find_rule("shortcut_cell").partition(known)
    params = ({"Cs": (1.0,)},)
    job = Job("linear_probe", 0, params, rows, shown_to(table, rows, "none"), "shortcut_cell", cells)
    probe = LinearProbe(table.head, Cs=(1.0,)).fit(table.features(rows.train), table.labels(rows.train))
    logits = probe.model_.logits(table.features(rows.validation))
    assert run_job(table, job).held_out == logits.argmax(axis=1).tolist()


def test_of_equal_scores_the_usual_parameters_win(
    table: FeatureTable, register: Callable[[str, type[Method]], None]
) -> None:
    register("spy", Spy)
    (row,) = rows_of(compare(table, methods=["spy"], seeds=[0]), "spy")
    assert [trial["picked"] for trial in row.grid] == [True, False, False, False]


def test_a_method_that_fails_is_a_row(
    table: FeatureTable, register: Callable[[str, type[Method]], None]
) -> None:
    register("broken", Broken)
    register("half", HalfBroken)
    results = compare(table, methods=["broken", "half", "zero_shot"], seeds=[0], budget=2)
    (broken,) = rows_of(results, "broken")
    assert (broken.status, broken.reason) == ("failed", "ZeroDivisionError: the loss is not finite")
    assert [trial["error"] for trial in broken.grid] == [broken.reason] * 2
    (half,) = rows_of(results, "half")
    assert half.status == "ok"
    assert [trial["error"] for trial in half.grid] == ["without a fault there is no fit", None]
    assert half.notes == ["the anchors are few", "RuntimeWarning: did not converge"]
    assert rows_of(results, "zero_shot")[0].status == "ok"
    assert results.kept_method[0].among == ["half", "zero_shot"]
    jsonschema.validate(json.loads(results.model_dump_json(by_alias=True)), results_schema())


def test_what_a_store_lacks_is_named(
    table: FeatureTable, register: Callable[[str, type[Method]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, cls in (("oracle", Oracle), ("odd", Odd)):
        register(name, cls)
    kept = {name: registry.METHODS[name] for name in ("zero_shot", "erm", "oracle", "odd", "roboshot")}
    monkeypatch.setattr(registry, "METHODS", {**kept, "gone": "no_such_module:Method"})
    bare = dataclasses.replace(table, attributes={})

    def reasons(of: FeatureTable, **more: Any) -> dict[str, str | None]:
        return {row.method: row.reason for row in compare(of, methods=["all"], seeds=[0], **more).rows}

    found = reasons(table)
    assert found["zero_shot"] is None
    assert found["oracle"] == "it uses group labels (validation); add `oracles=True` or name it in `methods`"
    assert found["odd"] == "it needs 'rain', which this version does not know"
    assert found["roboshot"] == "it needs concept words; give `concepts`"
    assert found["gone"] == "ModuleNotFoundError: No module named 'no_such_module'"
    assert reasons(table, oracles=True)["oracle"] is None
    assert reasons(bare, oracles=True)["oracle"] == "it needs groups, but the store has no attribute"
    blank = dataclasses.replace(table, attributes={"place": np.where(table.split == "train", "", "sea")})
    told = "it needs groups, but 'place' is unknown for every training row"
    assert reasons(blank, oracles=True)["oracle"] == told
    silent = dataclasses.replace(table, head=dataclasses.replace(table.head, text=None))
    assert reasons(silent)["roboshot"] == "it needs text prototypes, but the store has none"


def test_the_oracle_rule_is_declared(table: FeatureTable) -> None:
    with pytest.raises(EvenhandError, match=r"selection: worst_group .*; add `oracles=True`"):
        compare(table, methods=["erm"], selection="worst_group")
    results = compare(table, methods=["erm", "zero_shot"], selection="worst_group", oracles=True, seeds=[0])
    assert results.kept_method[0].group_labels_used == "validation"
    uses = {row.method: (row.group_labels_used, len(row.grid)) for row in results.rows}
    assert all(use == ("validation" if tried > 1 else "none") for use, tried in uses.values())


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"methods": ["nope"]}, "methods: 'nope' is unknown; the allowed values are auto"),
        ({"methods": ["nope:paper"]}, "methods: 'nope:paper' is unknown; the allowed values are auto"),
        ({"methods": ["cfr:nope"]}, "preset: 'nope' is unknown; the allowed values are default, grid"),
        ({"methods": ["erm:nope"]}, "preset: erm has no presets; leave out :nope"),
        ({"selection": "nope"}, "selection: 'nope' is unknown"),
        ({"budget": 0}, "budget: there must be at least 1, but there are 0"),
        ({"seeds": []}, "seeds: there must be at least 1, but there are 0"),
        ({"group_by": "colour"}, "group_by: 'colour' is not an attribute of this store; it has: place"),
    ],
)
def test_wrong_arguments_are_told(table: FeatureTable, arguments: dict[str, Any], told: str) -> None:
    with pytest.raises(EvenhandError, match=told):
        compare(table, **{"methods": ["erm"], **arguments})


def test_a_class_in_one_split_alone_is_named(table: FeatureTable) -> None:
    jays = table.y == 1
    few = dataclasses.replace(table, split=np.where(jays & (np.arange(600) > 6), "test", table.split))
    (note,) = compare(few, methods=["zero_shot"], seeds=[0]).notes
    assert note == "the class jay has too few training rows to hold one out: the choice does not see it"
    untested = dataclasses.replace(table, split=np.where(jays, "train", table.split))
    results = compare(untested, methods=["zero_shot"], seeds=[0])
    assert results.notes == [
        "no test row has the class jay: its accuracy stays unknown",
        "no test row is in the group jay / sea, jay / wood: averages over groups stay unknown",
    ]
    assert results.rows[0].averages.class_mean is None
    with pytest.raises(EvenhandError, match="class 'jay' has no training rows"):
        compare(dataclasses.replace(table, split=np.where(jays, "test", "train")))


def test_too_few_training_rows_to_hold_any_out_are_refused(table: FeatureTable) -> None:
    scarce = dataclasses.replace(table, split=np.where(np.arange(600) < 8, "train", "test"))
    with pytest.raises(EvenhandError, match="no class has 5 training rows, the least from which one can be"):
        compare(scarce, methods=["erm"])


def test_unknown_attributes_and_a_missing_test_split_are_noted(table: FeatureTable) -> None:
    place = np.where(np.arange(600) >= 590, "", table.attributes["place"])
    split = np.where(table.split == "test", "validation", table.split)
    found = compare(
        dataclasses.replace(table, attributes={"place": place}, split=split), methods=["zero_shot"], seeds=[0]
    )
    assert found.notes == [
        "the store has no test split: the validation split is evaluated",
        "'place' is unknown for 10 of 200 validation rows: they are in no group",
    ]
    assert sum(group.n for group in found.rows[0].groups) == 190


def test_a_folder_of_something_else_is_left_alone(table: FeatureTable, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(EvenhandError, match=r"out: .* exists and holds no comparison; name a new one"):
        compare(table, methods=["erm"], out=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]
