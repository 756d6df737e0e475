"""The pieces of `auto`: samples, held-out figures, and a head handed over as a projection."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from tests.made_features import head, world

from evenhand import Head
from evenhand._random import numpy_stream
from evenhand.data.head import POOL
from evenhand.functional.row_products import BLOCK
from evenhand.functional.within_class import leads, mean_margins
from evenhand.methods._training.problem import Problem, build_problem
from evenhand.methods.auto import cross_fit
from evenhand.methods.auto import part as parts
from evenhand.methods.auto.candidates import balanced_heads, erm_heads, refit
from evenhand.methods.auto.cross_fit import chosen_erm, usual_repeats
from evenhand.methods.auto.hand_over import as_state
from evenhand.methods.auto.held_out import FoldModels, held_out
from evenhand.methods.auto.part import Part, all_rows, most_rows, sampled
from evenhand.methods.auto.penalties import WITH_TEXT, WITHOUT_TEXT, WORK
from evenhand.methods.auto.projected import ProjectedRows, scaled_to_unit, unit_rows
from evenhand.methods.auto.rows import Rows
from evenhand.methods.auto.shortcut_probe import probe_head


def test_a_sample_has_as_many_of_every_class_as_it_can_and_stands_for_all() -> None:
    y = np.repeat([0, 1, 2], [1000, 90, 10])
    rows = np.arange(len(y))
    numbers, weights = sampled(y, rows, 300, np.random.default_rng(0))
    assert np.bincount(y[numbers]).tolist() == [200, 90, 10]
    assert np.all(np.diff(numbers) > 0)
    assert np.bincount(y[numbers], weights) == pytest.approx([1000, 90, 10])


def test_few_rows_are_all_taken() -> None:
    numbers, weights = sampled(np.array([0, 1, 1]), np.array([0, 2]), 2, np.random.default_rng(0))
    assert (numbers.tolist(), weights.tolist()) == ([0, 2], [1.0, 1.0])


def test_every_class_keeps_a_row_where_there_are_more_classes_than_rows_allowed() -> None:
    y = np.arange(50) // 5
    numbers, _ = sampled(y, np.arange(50), 4, np.random.default_rng(0))
    assert set(y[numbers]) == set(range(10))


def test_held_out_figures_are_those_of_the_models_of_a_rows_fold(monkeypatch: pytest.MonkeyPatch) -> None:
    from evenhand.methods.auto import held_out as module

    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(9, 4)).astype(np.float32), np.arange(9) % 3
    folds = [np.arange(9) % 2, np.arange(9) // 5]
    folds[0][8] = folds[1][8] = -1
    models = [
        [
            FoldModels.of(center, [rng.normal(size=(4, 3)).astype(np.float32) for _ in range(2)])
            for center in (None, np.full(4, 0.1, dtype=np.float32))
        ]
        for _ in folds
    ]
    monkeypatch.setattr(module, "VALUES", 12)  # two rows at a time
    found = held_out(x, y, folds, models)
    loss = np.zeros(2)
    for row in range(8):
        each = np.stack(
            [
                unit_rows(x[[row]], m.center)[0] @ m.heads.reshape(4, -1)
                for fold, repeat in zip(folds, models, strict=True)
                for m in [repeat[fold[row]]]
            ]
        ).reshape(2, 2, 3)
        mean = each.mean(axis=0)
        assert found.codes[:, row].tolist() == mean.argmax(axis=1).tolist()
        assert found.right[:, row] == pytest.approx((each.argmax(axis=2) == y[row]).mean(axis=0))
        for k in range(2):
            assert found.margins[k, row] == pytest.approx(mean_margins(mean[[k]], y[[row]])[0], abs=1e-5)
            assert found.leads[k, row] == pytest.approx(leads(mean[[k]])[0], abs=1e-5)
            loss[k] += np.log(np.exp(mean[k]).sum()) - mean[k, y[row]]
    assert found.loss == pytest.approx(loss / 8, abs=1e-5)


def problem_of(site: str, *, text: bool = True, classes: int = 3) -> Problem:
    """Return a problem at a linear site with a bias, or at an attention pool."""
    rng = np.random.default_rng(1)
    plain = head(classes, text=text)
    X, y, _ = world(120, 0, classes)
    if site == "linear":
        bias = (0.3 * rng.normal(size=12)).astype(np.float32)
        weight = (np.eye(12) + 0.2 * rng.normal(size=(12, 12))).astype(np.float32)
        given = Head(weight, bias, plain.classes, plain.text, 100.0)
    else:
        shapes = {
            "positional_embedding": (5, 3),
            "query_weight": (3, 2, 4),
            "query_bias": (2, 4),
            "key_weight": (3, 2, 4),
            "value_weight": (3, 2, 4),
            "value_bias": (2, 4),
        }
        assert set(shapes) == set(POOL)
        pool = {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
        weight, bias = (rng.normal(size=shape).astype(np.float32) for shape in ((8, 12), (12,)))
        given = Head(weight, bias, plain.classes, plain.text, 100.0, pool=pool)
    return build_problem(X, y, X[:0], y[:0], classes, given, 0)


@pytest.mark.parametrize("site", ["linear", "pool"])
@pytest.mark.parametrize("text", [True, False])
def test_what_is_handed_over_orders_the_classes_as_the_head_does(site: str, text: bool) -> None:
    problem = problem_of(site, text=text)
    projected = ProjectedRows(problem.start.projection, problem.h)
    y, prototypes = problem.y.numpy(), problem.prototypes.numpy()
    whole = Part.of(
        projected, y, np.arange(len(y)), prototypes, numpy_stream(0), has_text=text, centered=True
    )
    assert np.allclose(whole.z, problem.start.embed_all(problem.h).numpy(), atol=1e-5)
    fits = [
        *erm_heads(whole, [10.0, 0.1], has_text=text),
        *balanced_heads(whole, np.linspace(0.1, 1, len(y)), [1.0], has_text=text),
    ]
    for fitted in fits:
        state = as_state(problem, fitted.projection(), whole.z)
        own = whole.z @ fitted.head()
        logits = state.logits_of_all(problem.h, problem.prototypes).numpy()
        assert (logits.argmax(axis=1) == own.argmax(axis=1)).all()
        # On average the scale is that of the head.
        spread = [np.abs(mean_margins(values, y)).mean() for values in (logits, own)]
        assert 0.5 < spread[0] / spread[1] < 2


def test_the_probe_sees_no_direction_of_the_class_names() -> None:
    problem = problem_of("linear")
    y, prototypes = problem.y.numpy(), problem.prototypes.numpy()
    projected = ProjectedRows(problem.start.projection, problem.h)
    whole = Part.of(projected, y, np.arange(len(y)), prototypes, numpy_stream(0), has_text=True)
    probe = probe_head(whole, 1.0, has_text=True)
    assert np.abs((prototypes - prototypes.mean(axis=0)) @ probe).max() < 1e-5
    assert np.abs(probe).max() > 0.01


def test_without_text_a_part_has_its_own_center_and_centroids() -> None:
    problem = problem_of("linear", text=False)
    y, prototypes = problem.y.numpy(), problem.prototypes.numpy()
    projected = ProjectedRows(problem.start.projection, problem.h)[:]
    rows = np.arange(0, 120, 2)
    part = Part.of(projected, y, rows, prototypes, numpy_stream(0), has_text=False)
    z = unit_rows(projected[rows] - projected[rows].mean(axis=0))
    assert np.allclose(part.z, z, atol=1e-5)
    assert np.allclose(part.prototypes[1], unit_rows(z[y[rows] == 1].sum(axis=0)[None])[0], atol=1e-5)


@pytest.mark.parametrize("text", [True, False])
def test_a_part_leaves_the_rows_that_it_is_taken_from_as_they_are(text: bool) -> None:
    problem = problem_of("linear", text=text)
    projected = ProjectedRows(problem.start.projection, problem.h)[:]
    before = projected.copy()
    every = np.arange(len(before))
    part = Part.of(
        projected, problem.y.numpy(), every, problem.prototypes.numpy(), numpy_stream(0), has_text=text
    )
    assert (projected == before).all()
    taken = part.z[:].copy()
    probe_head(part, 1.0, has_text=text)
    assert (part.z == taken).all()


def test_rows_are_scaled_in_their_own_memory() -> None:
    x = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    wanted, center = unit_rows(x, x[0]), x[0].copy()
    assert wanted[0].tolist() == [0, 0, 0]
    assert np.shares_memory(scaled_to_unit(x, center), x)
    assert (x == wanted).all()


def test_a_head_of_a_sample_is_fitted_on_to_that_of_all_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = problem_of("linear")
    y, prototypes = problem.y.numpy(), problem.prototypes.numpy()
    projected = ProjectedRows(problem.start.projection, problem.h)
    every = np.arange(len(y))
    full = Part.of(projected, y, every, prototypes, numpy_stream(0), has_text=True)
    (wanted,) = erm_heads(full, [1.0], has_text=True)
    monkeypatch.setattr(parts, "most_rows", lambda _classes: 60)
    sample = Part.of(projected, y, every, prototypes, numpy_stream(0), has_text=True)
    assert len(sample.y) == 60
    (rough,) = erm_heads(sample, [1.0], has_text=True)
    found = refit(rough, all_rows(projected, y, sample), np.ones(len(y)), 1.0, has_text=True)
    logits = [full.z @ fitted.head() for fitted in (wanted, rough, found)]
    far, near = (np.abs(one - logits[0]).mean() for one in logits[1:])
    assert near < far / 50
    assert torch.equal(problem.y, torch.from_numpy(y))


def test_a_row_of_a_sample_weighs_as_much_as_all_that_it_stands_for() -> None:
    problem = problem_of("linear")
    y, prototypes = problem.y.numpy(), problem.prototypes.numpy()
    projected = ProjectedRows(problem.start.projection, problem.h)
    part = Part.of(projected, y, np.arange(len(y)), prototypes, numpy_stream(0), has_text=True)
    own, stands_for = np.linspace(0.1, 1, len(y)), np.linspace(5, 1, len(y))
    (found,) = balanced_heads(replace(part, weights=stands_for), own, [1.0], has_text=False)
    (wanted,) = balanced_heads(part, own * stands_for, [1.0], has_text=False)
    np.testing.assert_allclose(found.g, wanted.g)


@pytest.mark.parametrize(("more", "repeats"), [(0, 2), (-1, 1)])
def test_many_rows_times_classes_are_cross_fitted_once(
    more: int, repeats: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = problem_of("linear")
    monkeypatch.setattr(cross_fit, "REPEATED", problem.y.numel() * len(problem.prototypes) + more)
    assert len(cross_fit.cross_fit_references(Rows.of(problem), WITH_TEXT.thin(), 2, 2).dealt) == repeats


def test_many_rows_times_classes_try_fewer_penalties() -> None:
    assert WORK == 1e9
    assert WITH_TEXT.bounded(WORK) is WITH_TEXT
    few = WITH_TEXT.bounded(WORK + 1)
    assert (few.erm, few.balanced) == ((300.0, 10.0, 0.1), (300.0, 10.0, 0.1))
    without = WITHOUT_TEXT.bounded(WORK + 1)
    assert (without.erm, without.balanced, without.reference) == ((100.0, 1.0, 0.1), (30.0, 0.1), 1.0)


def test_a_cross_fit_trains_on_fewer_rows_of_many_classes() -> None:
    assert [most_rows(classes) for classes in (2, 100, 200, 1000, 10_000)] == [
        *[200_000] * 2,
        100_000,
        *[20_000] * 2,
    ]


def test_erm_is_that_of_least_loss_whatever_zero_shot_and_the_probe_have() -> None:
    references = SimpleNamespace(loss=np.array([0.1, 0.5, 0.4, 0.6, 0.2]))
    assert chosen_erm(references) == 2


def test_few_rows_are_cross_fitted_more_often() -> None:
    assert [usual_repeats(n) for n in (10, 750, 1000, 3000, 10**6)] == [8, 8, 6, 2, 2]


def test_rows_beside_memory_are_read_block_by_block() -> None:
    y, sizes = np.arange(20_000) % 2, []
    rows = unit_rows(np.random.default_rng(0).normal(size=(len(y), 4)).astype(np.float32))

    class Watched:
        shape = rows.shape

        def __getitem__(self, wanted: slice) -> np.ndarray:
            sizes.append(len(rows[wanted]))
            return rows[wanted]

    prototypes = np.eye(2, 4, dtype=np.float32)
    every = Part(Watched(), y, np.ones(len(y)), np.arange(len(y)), None, prototypes)
    (read,) = erm_heads(every, [1.0], has_text=True)
    (held,) = erm_heads(replace(every, z=rows), [1.0], has_text=True)
    assert max(sizes) <= BLOCK < len(y)
    np.testing.assert_array_equal(read.head(), held.head())
