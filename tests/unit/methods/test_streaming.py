"""Rows of a store are read where they lie; for one order of rows the fit is the same to the bit."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from evenhand import CFR, ERM, EvenhandError, Head, ZeroShot, load_store
from evenhand.data.store_write import StoreWriter
from evenhand.data.table import FeatureTable
from evenhand.methods import base
from evenhand.methods._training import rows as _rows
from evenhand.methods._training.loop import SGD
from evenhand.methods._training.order import BlockOrder
from evenhand.methods._training.problem import Problem, build_problem
from evenhand.methods._training.rows import RowView
from evenhand.methods.cfr.presets import NEAREST, STABLE
from evenhand.methods.registry import METHODS, make, method_class
from evenhand.selection.erm_guard import Evidence
from evenhand.selection.rules import WORST_CLUSTER

N, WIDTH = 240, 6
SMALL = BlockOrder(rows=8, window=5)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> FeatureTable:
    """A store of float16 parts that holds one class after the other, as a tree of class folders gives it."""
    rng = np.random.default_rng(0)
    y = np.arange(N) // (N // 2)
    place = np.where(rng.random(N) < 0.85, y, 1 - y)
    X = rng.normal(size=(N, WIDTH)) + 3
    X[:, 0] += 2.0 * y
    X[:, 1] += 3.0 * place
    text = np.eye(WIDTH, dtype=np.float32)[:2]
    head = Head(np.eye(WIDTH, dtype=np.float32), None, ("a", "b"), text)
    path = tmp_path_factory.mktemp("streaming") / "x.store"
    with StoreWriter(path, identity={}, head=head, width=WIDTH, dtype="float16") as writer:
        for start in range(0, N, 50):
            rows = np.arange(start, min(N, start + 50))
            columns = {
                "id": [str(k) for k in rows],
                "path": ["" for _ in rows],
                "label": np.asarray(head.classes)[y[rows]],
                "split": np.where(rows % 6 == 0, "test", "train"),
                "place": place[rows].astype(str),
            }
            writer.write_part(X[rows], columns)
        writer.finish()
    return load_store(path)


def fitted(method: str, table: FeatureTable, X: Any, *, head: Head | None, **params: Any) -> Any:
    rows = table.rows("train")
    cls = method_class(method)
    groups = None if cls.group_labels_used == "none" else table.groups("place", rows)
    return make(method, head=head, random_state=2, **params).fit(X, table.labels(rows), groups=groups)


TRAINED = ["auto", "zero_shot", "erm", "cfr", "jtt", "group_dro"]


@pytest.mark.parametrize("text", [True, False])
@pytest.mark.parametrize("method", TRAINED)
def test_streaming_gives_what_memory_gives_for_the_same_order_of_rows(
    method: str, text: bool, table: FeatureTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = table.head if text else None
    rows = table.rows("train")

    def in_blocks(*args: Any) -> Problem:
        problem = build_problem(*args)
        return replace(problem, h=replace(problem.h, order=SMALL))

    monkeypatch.setattr(base, "build_problem", in_blocks)
    monkeypatch.setattr(_rows, "BLOCK", 64)
    read = fitted(method, table, table.stored(rows), head=head)
    held = fitted(method, table, table.features(rows), head=head)
    for name, tensor in held.model_.projection.tensors().items():
        assert torch.equal(read.model_.projection.tensors()[name], tensor), name
    assert read.model_.logit_scale == held.model_.logit_scale
    assert np.array_equal(read.model_.prototypes, held.model_.prototypes)
    assert read.history_ == held.history_
    assert read.kept_ == held.kept_
    test = table.rows("test")
    assert np.array_equal(read.predict_proba(table.stored(test)), held.predict_proba(table.features(test)))
    assert np.array_equal(read.transform(table.stored(test)), held.transform(table.features(test)))


def test_all_methods_that_stream_are_compared() -> None:
    words = ["orth_cal", "roboshot"]  # no row of training is used
    assert [name for name in METHODS if method_class(name).streams] == [*TRAINED, *words]


def test_rows_in_memory_are_shuffled_together_and_rows_of_a_store_in_blocks(table: FeatureTable) -> None:
    rows = table.rows("train")
    assert RowView.of(table.features(rows)).order is None
    assert RowView.of(table.stored(rows)).order == BlockOrder()


def test_what_lies_sorted_by_class_is_learned_as_well(
    table: FeatureTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_rows, "BlockOrder", lambda: SMALL)
    rows, right = table.rows("train"), []
    for X in (table.stored(rows), table.features(rows)):
        model = fitted("erm", table, X, head=table.head)
        right.append((model.predict(X) == table.labels(rows)).mean())
    assert right[0] == pytest.approx(right[1], abs=0.02)


def test_no_more_rows_than_a_block_or_a_step_are_in_memory(
    table: FeatureTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    gather = FeatureTable.features
    monkeypatch.setattr(_rows, "VALUES", 30 * WIDTH)

    def counted(self: FeatureTable, rows: Any) -> Any:
        asked.append(len(rows))
        return gather(self, rows)

    monkeypatch.setattr(FeatureTable, "features", counted)
    rows, erm = table.rows("train"), SGD(1e-2, 2, 16)
    ERM(table.head, batch_size=16).fit(table.stored(rows), table.labels(rows))
    assert max(asked) == 30
    recipe = replace(STABLE, sgd=replace(STABLE.sgd, batch_size=8))
    CFR(table.head, recipes=recipe, erm=erm).fit(table.stored(rows), table.labels(rows))
    assert max(asked) == 8 + 8 + 2 * 2 * 16  # batch, anchors, positives and negatives of two classes
    assert len(rows) == 200


@pytest.mark.parametrize("method", [name for name in METHODS if not method_class(name).streams])
def test_a_method_that_does_not_stream_says_so(method: str, table: FeatureTable) -> None:
    with pytest.raises(EvenhandError, match="takes its features as an array in memory, not as rows"):
        fitted(method, table, table.stored(table.rows("train")), head=table.head)


def test_nearest_negatives_and_clusters_take_all_rows_at_once(table: FeatureTable) -> None:
    rows = table.rows("train")
    for params, what in (
        ({"recipes": NEAREST}, "a search of nearest rows"),
        ({"evidence": Evidence(rule=WORST_CLUSTER)}, "worst_cluster"),
    ):
        with pytest.raises(EvenhandError, match=f"{what} takes all .* rows of features at once"):
            CFR(table.head, **params).fit(table.stored(rows), table.labels(rows))


def test_features_of_another_width_and_too_few_labels_are_refused(table: FeatureTable) -> None:
    rows = table.rows("train")
    narrow = np.zeros((4, WIDTH - 1), np.float32)
    erm = ERM().fit(narrow + np.arange(4)[:, None], ["a", "b", "a", "b"])
    with pytest.raises(EvenhandError, match=f"X has {WIDTH} columns but ERM was fitted on {WIDTH - 1}"):
        erm.predict(table.stored(rows))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        ZeroShot().fit(table.stored(rows), ["a", "b"])
