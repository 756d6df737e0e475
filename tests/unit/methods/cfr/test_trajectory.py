"""What one fit trains and looks at: terms it adds up, candidates it leaves, rows that judge them."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
import torch
from torch import Tensor

from evenhand import CFR, ERM
from evenhand._typing import Floats
from evenhand.methods._training.folds import stratified_folds
from evenhand.methods._training.loop import SGD
from evenhand.methods._training.problem import Problem, build_problem
from evenhand.methods.cfr import held_out
from evenhand.methods.cfr.calibrate import calibrate, class_balanced
from evenhand.methods.cfr.calibration_set import CalibrationSet, Misclassified
from evenhand.methods.cfr.candidates import cross_fitted
from evenhand.methods.cfr.loss_terms import Calibration, Similarity, Step, Value
from evenhand.methods.cfr.presets import PUBLISHED_CODE, STABLE
from evenhand.methods.cfr.recipe import Recipe
from evenhand.methods.cfr.references import ErmReference, ShortcutReference
from evenhand.methods.cfr.trajectory import CandidatePlan, Trajectory, follow
from evenhand.selection.rules import SHORTCUT_CELL, WORST_CLUSTER

Y = np.arange(40) % 2
X = (np.random.default_rng(0).normal(size=(40, 6)) + Y[:, None]).astype(np.float32)
VALIDATION = (X[:10], Y[:10])
QUICK = replace(STABLE, sgd=SGD(1e-3, epochs=2))


def every_fifth(logits: Tensor, y: Tensor) -> CalibrationSet:
    """Return a calibration set with every fifth row as an anchor."""
    return replace(Misclassified()(logits, y), anchors=torch.arange(0, len(y), 5))


@dataclass(frozen=True)
class Watch:
    """A term that is worth `worth` whatever the step, and keeps the steps."""

    worth: float = 0.0
    weight: float = 1.0
    scheduled: bool = False
    steps: list[Step] = field(default_factory=list)

    def begin(self, _prototypes: Tensor, _seed: int) -> Value:
        def value(step: Step) -> Tensor:
            self.steps.append(step)
            return self.worth + 0 * (step.batch.sum() + step.scale)

        return value


def problem() -> Problem:
    return build_problem(X, Y, *VALIDATION, 2, None, 0)


def path(*recipes: Recipe) -> Trajectory:
    return follow(problem(), CandidatePlan(SGD(1e-2, 2), ErmReference(), every_fifth, recipes), [])


def losses(model: CFR) -> list[float]:
    return [entry["loss"] for entry in model.history_ if entry["stage"] == 3]


def test_the_total_adds_weighted_terms_of_which_the_schedule_moves_some() -> None:
    terms = (Watch(3.0, weight=2.0, scheduled=True), Watch(1.0, weight=0.5))
    recipe = Recipe(terms, SGD(1e-3, epochs=4), schedule=0.5)
    model = CFR(recipes=recipe).fit(X, Y, validation=VALIDATION)
    assert losses(model) == pytest.approx([6 * a + 0.5 for a in (1.5, 1.0, 0.5, 1.0)])


def test_dropout_falls_on_anchors_and_on_the_batch_of_cross_entropy() -> None:
    watch = Watch()
    CFR(recipes=Recipe((watch,), SGD(1e-3, epochs=2), dropout=0.25)).fit(X, Y, validation=VALIDATION)
    for step in watch.steps:
        dropped = step.batch_dropped == 0
        assert bool((step.batch != 0).all())
        assert torch.allclose(torch.where(dropped, 0, step.batch / 0.75), step.batch_dropped)
    for name in ("anchors", "batch_dropped"):
        share = torch.cat([getattr(step, name).flatten() == 0 for step in watch.steps]).float()
        assert float(share.mean()) == pytest.approx(0.25, abs=5 * (0.25 * 0.75 / len(share)) ** 0.5)


def test_without_dropout_anchors_are_unit_and_the_batch_is_itself() -> None:
    watch = Watch()
    CFR(recipes=Recipe((watch,), SGD(1e-3, epochs=1))).fit(X, Y, validation=VALIDATION)
    (step,) = watch.steps
    assert torch.allclose(step.anchors.norm(dim=1), torch.ones(len(step.anchors)))
    assert step.batch_dropped is step.batch
    assert step.to_positives.shape == step.to_negatives.shape == (128, 16)


@pytest.mark.parametrize("preset", ["published-similarity", "published-code", "default"])
def test_a_fit_touches_no_global_generator(preset: str) -> None:
    before = torch.get_rng_state(), repr(np.random.get_state()), random.getstate()  # noqa: NPY002
    CFR(preset=preset).fit(X, Y, validation=VALIDATION)
    after = torch.get_rng_state(), repr(np.random.get_state()), random.getstate()  # noqa: NPY002
    assert torch.equal(before[0], after[0])
    assert before[1:] == after[1:]


@pytest.mark.parametrize("classes", [2, 3, 4, 5])
@pytest.mark.parametrize("spare", [0, 3])
def test_the_targeted_term_trains_any_number_of_classes(classes: int, spare: int) -> None:
    y = np.arange(40) % classes
    features = np.random.default_rng(1).normal(size=(40, classes - 1 + spare)).astype(np.float32)
    recipe = replace(PUBLISHED_CODE, sgd=SGD(1e-2, epochs=3))
    model = CFR(reference=ErmReference(), recipes=recipe).fit(features, y, validation=(features, y))
    assert np.isfinite(losses(model)).all()
    assert np.isfinite(model.predict_proba(features)).all()


def test_every_recipe_leaves_its_epochs_and_three_places_on_the_line() -> None:
    found = path(QUICK, replace(QUICK, sgd=SGD(1e-3, epochs=1)))
    line = [f"line {share}" for share in (0.25, 0.5, 0.75)]
    first, second = ["epoch 1", "epoch 2", *line], ["epoch 1", *line]
    assert found.names == [f"recipe 1, {n}" for n in first] + [f"recipe 2, {n}" for n in second]
    assert path(QUICK).names == first
    last = found.states[1].projection.weight
    for share, state in zip((0.25, 0.5, 0.75), found.states[2:5], strict=True):
        expected = (1 - share) * found.erm.projection.weight + share * last
        assert torch.allclose(state.projection.weight, expected, atol=1e-6)


@pytest.mark.parametrize(("epochs", "kept"), [(25, 25), (26, 13), (60, 20), (61, 21)])
def test_a_long_run_leaves_few_candidates_and_always_its_last(epochs: int, kept: int) -> None:
    posed = problem()
    chosen = path(QUICK).chosen
    found = calibrate(posed, posed.start, chosen, replace(QUICK, sgd=SGD(1e-3, epochs)), [])
    assert len(found) == kept
    assert found[-1][0] == epochs


def test_judges_see_the_validation_rows_and_no_training_row() -> None:
    posed, found = problem(), path(QUICK)
    predictions, judged = found.predict(posed, WORST_CLUSTER)
    assert judged.y.tolist() == VALIDATION[1].tolist()
    assert judged.z == pytest.approx(posed.start.embed_all(posed.h_val).numpy())
    assert found.predict(posed, SHORTCUT_CELL)[1].z is None
    assert predictions.shape == (len(found.names), 10)
    for state, codes in zip(found.states, predictions, strict=True):
        logits = state.logits_of_all(posed.h_val, posed.prototypes)
        assert codes.tolist() == logits.argmax(dim=1).tolist()


def test_cells_of_a_model_without_probe_are_its_classes() -> None:
    posed = build_problem(X[:, :1], Y, X[:10, :1], Y[:10], 2, None, 0)
    found = follow(posed, CandidatePlan(SGD(1e-2, 1), ShortcutReference(), every_fifth, [QUICK]), [])
    assert found.probe is None
    assert found.predict(posed, SHORTCUT_CELL)[1].shortcut.tolist() == Y[:10].tolist()


def test_many_rows_fit_the_probe_by_a_seeded_part_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    def probe(rows: int) -> Tensor:
        monkeypatch.setattr(held_out, "PROBE_ROWS", rows)
        found = path(QUICK).probe
        assert found is not None
        return found.weight

    assert held_out.PROBE_ROWS == 20_000
    whole, part = probe(40), probe(30)
    assert not torch.equal(whole, part)
    assert torch.equal(part, probe(30))


def evidence(model: CFR, *names: str) -> Sequence[object]:
    assert model.kept_ is not None
    return [model.kept_[name] for name in names]


def test_validation_rows_judge_once_and_folds_judge_every_row() -> None:
    once = CFR(recipes=QUICK).fit(X, Y, validation=VALIDATION)
    crossed = CFR(recipes=QUICK, folds=4).fit(X, Y)
    assert evidence(once, "rows", "looked_at") == [10, 5]
    assert evidence(crossed, "rows", "looked_at") == [40, 5]
    assert not any("fold" in entry for entry in once.history_)
    assert {entry["fold"] for entry in crossed.history_ if "fold" in entry} == {1, 2, 3, 4}


def test_candidates_are_the_mean_over_the_folds() -> None:
    whole = build_problem(X, Y, X[:0], Y[:0], 2, None, 0)
    plan = CandidatePlan(SGD(1e-2, 2), ErmReference(), every_fifth, (QUICK,))
    found = cross_fitted(whole, plan, SHORTCUT_CELL, 3, [])
    alone = [follow(fold.of(whole), plan, []) for fold in stratified_folds(whole.y, 3, 0)]
    assert len(alone) == 3
    for number, state in enumerate(found.states):
        weights = [one.states[number].projection.weight for one in alone]
        assert torch.allclose(state.projection.weight, torch.stack(weights).mean(dim=0), atol=1e-6)
        assert not torch.allclose(weights[0], weights[1], atol=1e-5)
        scales = [one.states[number].log_scale for one in alone]
        assert float(state.log_scale) == pytest.approx(float(torch.stack(scales).mean()), abs=1e-6)


@pytest.mark.parametrize("validation", [None, VALIDATION])
def test_stage_1_is_the_method_erm(validation: tuple[Floats, Floats] | None) -> None:
    model, erm = (m.fit(X, Y, validation=validation) for m in (CFR(recipes=QUICK), ERM()))
    assert np.array_equal(model.erm_.logits(X), erm.model_.logits(X))


def test_where_nothing_replaces_erm_the_model_is_erm_to_the_bit() -> None:
    model = CFR(recipes=replace(STABLE, sgd=SGD(0.0, epochs=1))).fit(X, Y)
    assert evidence(model, "candidate") == ["erm"]
    assert np.array_equal(model.model_.logits(X), model.erm_.logits(X))


def test_terms_without_cross_entropy_train_and_leave_the_logit_scale() -> None:
    recipe = Recipe((Calibration(), Similarity()), SGD(1e-2, epochs=2))
    found = path(recipe)
    assert found.states[1].log_scale == found.erm.log_scale
    assert not torch.equal(found.states[1].projection.weight, found.erm.projection.weight)


def test_balanced_anchors_come_from_every_class_alike_and_all_of_them_come() -> None:
    y = torch.tensor([0, 0, 0, 0, 0, 2, 2, 1, 0])
    rows = torch.tensor([0, 2, 3, 4, 8, 5, 6])
    balanced = class_balanced(rows, y)
    assert torch.bincount(y[balanced]).tolist() == [5, 0, 5]
    assert set(balanced.tolist()) == set(rows.tolist())


def test_the_grid_makes_one_choice_among_the_epochs_of_all_its_steps() -> None:
    generator = np.random.default_rng(0)
    y = np.arange(60) % 2
    X = generator.normal(size=(60, 4)).astype(np.float32) + y[:, None].astype(np.float32)
    model = CFR(preset="grid").fit(X, y, validation=(X, y))
    assert model.kept_ is not None
    assert model.kept_["looked_at"] == 3 * (15 + 3)
