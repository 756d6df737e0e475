"""Correct-N-Contrast: what is drawn, by slow loops over ERM's predictions, and the loss in float64."""

from math import exp, log

import numpy as np
import pytest
import torch

from evenhand import ERM, EvenhandError, Head
from evenhand.methods import cnc
from evenhand.methods._draws.by_prediction import ContrastDraw, RowsByPrediction
from evenhand.methods.cnc import CnC

WIDTH, SCALE = 6, 10.0


def problem(classes: int, n: int = 240) -> tuple[np.ndarray, np.ndarray, Head]:
    generator = np.random.default_rng(classes)
    y = np.arange(n) % classes
    attribute = np.where(generator.random(n) < 0.8, y, generator.integers(0, classes, n))
    X = generator.normal(size=(n, WIDTH))
    X[np.arange(n), y] += 1
    X[np.arange(n), WIDTH - 1 - attribute] += 2
    names = tuple("abc"[:classes])
    eye = np.eye(WIDTH, dtype=np.float32)
    return X.astype(np.float32), y, Head(eye, None, names, eye[:classes], SCALE)


def logits_and_codes(classes: int = 3, n: int = 200) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    y = torch.randint(classes, (n,), generator=generator)
    logits = torch.randn(n, classes, generator=generator)
    logits[torch.arange(n), y] += 1
    return logits, y


def drawn(parts: RowsByPrediction, k: int = 8) -> list[tuple[int, list[int], list[int], bool]]:
    """Return (anchor, positives, negatives, is first side) of one step over all anchors."""
    found = []
    for number, side in enumerate(parts.draw(torch.cat(parts.anchors), k, torch.Generator().manual_seed(1))):
        for place, anchor in enumerate(side.anchors.tolist()):
            positives = side.positives[side.positive_draw[place]].tolist()
            negatives = side.negatives[side.negative_draw[place]].tolist()
            assert len(positives) == len(negatives) == k
            found.append((anchor, positives, negatives, number == 0))
    return found


def test_anchors_positives_and_negatives_are_those_of_the_paper() -> None:
    logits, codes = logits_and_codes()
    y, predicted = codes.tolist(), logits.argmax(dim=1).tolist()
    for anchor, positives, negatives, first in drawn(RowsByPrediction.of(logits, codes)):
        assert (predicted[anchor] == y[anchor]) == first
        for p in positives:
            assert y[p] == y[anchor]
            assert (predicted[p] == y[p]) != first
        for n in negatives:
            assert y[n] != y[anchor]
            assert predicted[n] == predicted[anchor]


def test_every_right_row_is_an_anchor_and_every_eligible_row_is_drawn() -> None:
    logits, codes = logits_and_codes()
    y, predicted = codes.tolist(), logits.argmax(dim=1).tolist()
    parts = RowsByPrediction.of(logits, codes)
    for code, anchors in enumerate(parts.anchors):
        assert anchors.tolist() == [i for i in range(len(y)) if predicted[i] == y[i] == code]
    generator = torch.Generator().manual_seed(0)
    first, _ = parts.draw(parts.anchors[0][:1], 2000, generator)
    code = 0
    assert set(first.positives.flatten().tolist()) == {
        i for i in range(len(y)) if y[i] == code != predicted[i]
    }
    assert set(first.negatives.flatten().tolist()) == {
        i for i in range(len(y)) if predicted[i] == code != y[i]
    }


def test_an_epoch_has_as_many_anchors_of_each_predicted_class_and_ends_with_the_shortest() -> None:
    logits, codes = logits_and_codes()
    logits[codes == 2] -= 3 * torch.eye(3)[2]  # class 2 is rarely predicted
    parts = RowsByPrediction.of(logits, codes)
    sizes = [len(rows) for rows in parts.anchors]
    generator = torch.Generator().manual_seed(0)
    first, second = parts.deal(generator), parts.deal(generator)
    assert parts.shortest == min(sizes) < max(sizes)
    for dealt in (first, second):
        assert dealt.shape == (min(sizes), 3)
        for code, (column, anchors) in enumerate(zip(dealt.T.tolist(), parts.anchors, strict=True)):
            assert len(set(column)) == len(column)
            assert set(column) <= set(anchors.tolist())
            assert all(int(codes[row]) == code for row in column)
    assert not torch.equal(first, second), "every epoch shuffles anew"


def test_a_class_that_erm_never_gets_right_has_no_anchor() -> None:
    y = torch.arange(30) % 3
    logits = torch.eye(3)[torch.where(y == 2, 0, y)]
    assert [set(y[rows].tolist()) for rows in RowsByPrediction.of(logits, y).anchors] == [{0}, {1}]


@pytest.mark.parametrize(("batch_size", "sizes"), [(10, [5, 5, 5, 5, 4]), (3, [1] * 24), (1, [1] * 24)])
def test_every_step_has_its_share_of_each_class(
    batch_size: int, sizes: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 120 and 24 rows, drawn together, five anchors of class a would come with one of class b."""
    X, y, head = problem(2, 240)
    kept = np.flatnonzero((y == 0) | (np.arange(240) % 10 == 1))
    seen: list[list[int]] = []
    draw = RowsByPrediction.draw

    def recorded(self: RowsByPrediction, anchors: torch.Tensor, *rest: object) -> object:
        seen.append(torch.bincount(self.y[anchors], minlength=2).tolist())
        return draw(self, anchors, *rest)

    monkeypatch.setattr(cnc.RowsByPrediction, "draw", recorded)
    monkeypatch.setattr(cnc.RowsByPrediction, "of", _of_truth)
    CnC(head, k=2, epochs=1, batch_size=batch_size).fit(X[kept], np.array(head.classes)[y[kept]])
    assert seen == [[size, size] for size in sizes]


def _of_truth(_logits: torch.Tensor, y: torch.Tensor) -> RowsByPrediction:
    """Return the rows of a model that classifies all rows correctly but one of class a."""
    logits = torch.eye(2)[y]
    logits[int((y == 0).nonzero()[0])] = torch.eye(2)[1]
    return ROWS_OF(logits, y)


ROWS_OF = RowsByPrediction.of


def test_where_erm_has_all_right_rows_stand_in_and_it_is_said() -> None:
    y = torch.arange(30) % 3
    logits = 5 * torch.eye(3)[y] + torch.rand(30, 3, generator=torch.Generator().manual_seed(0))
    parts = RowsByPrediction.of(logits, y)
    assert parts.notes == ("ERM misclassifies no row of 3 of 3 classes: their correct rows are used",)
    for anchor, positives, negatives, _ in drawn(parts):
        assert {int(y[p]) for p in positives} == {int(y[anchor])}
        assert int(y[anchor]) not in {int(y[n]) for n in negatives}


def test_where_erm_has_all_wrong_every_row_is_an_anchor() -> None:
    y = torch.arange(20) % 2
    parts = RowsByPrediction.of(torch.eye(2)[1 - y], y)
    assert [rows.tolist() for rows in parts.anchors] == [list(range(20))]
    assert all(int(y[p]) == int(y[a]) for a, positives, _, _ in drawn(parts) for p in positives)


@pytest.mark.parametrize("classes", [2, 3])
def test_the_loss_is_that_of_the_equations(classes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    X, y, head = problem(classes)
    sides: list[tuple[ContrastDraw, ContrastDraw]] = []

    def recorded(self: RowsByPrediction, *arguments: object) -> tuple[ContrastDraw, ContrastDraw]:
        sides.append(draw(self, *arguments))
        return sides[-1]

    draw = RowsByPrediction.draw
    monkeypatch.setattr(cnc.RowsByPrediction, "draw", recorded)
    method = CnC(head, temperature=0.2, k=5, epochs=1, batch_size=len(y))
    method.fit(X, np.array(head.classes)[y])

    z = (X / np.linalg.norm(X, axis=1, keepdims=True)).astype(np.float64)
    contrasts, entropies = [], []
    for side in sides[0]:
        anchors, negatives = side.anchors.tolist(), side.negatives.flatten().tolist()
        losses = []
        for place, a in enumerate(anchors):
            own = [exp(z[a] @ z[p] / 0.2) for p in side.positives[side.positive_draw[place]].tolist()]
            rest = [exp(z[a] @ z[n] / 0.2) for n in side.negatives[side.negative_draw[place]].tolist()]
            losses += [-log(part / (sum(own) + sum(rest))) for part in own]
        contrasts.append(np.mean(losses))
        entropies += [np.mean([entropy(z[i], y[i], classes) for i in rows]) for rows in (anchors, negatives)]
    expected = 0.75 * np.mean(contrasts) + 0.25 * np.mean(entropies)
    assert method.history_[-1]["loss"] == pytest.approx(expected, rel=1e-5)
    assert [entry["stage"] for entry in method.history_].count(2) == 1


def entropy(z: np.ndarray, code: int, classes: int) -> float:
    parts = [exp(SCALE * z[c]) for c in range(classes)]
    return -log(parts[code] / sum(parts))


def test_it_asks_the_erm_that_the_method_erm_trains() -> None:
    X, y, head = problem(2)
    names = np.array(head.classes)[y]
    asked = CnC(head, epochs=1).fit(X, names).erm_
    assert np.array_equal(asked.logits(X), ERM(head).fit(X, names).model_.logits(X))


def test_without_contrast_nothing_of_it_is_left() -> None:
    X, y, head = problem(2)
    names = np.array(head.classes)[y]
    first, second = (CnC(head, contrast=0.0, temperature=t).fit(X, names).model_ for t in (0.1, 5.0))
    assert np.array_equal(first.logits(X), second.logits(X))


@pytest.mark.parametrize("contrast", [-0.1, 1.1])
def test_a_share_beyond_its_bounds_is_refused(contrast: float) -> None:
    X, y, head = problem(2)
    with pytest.raises(
        EvenhandError, match=r"contrast must be at least 0 and at most 1, but it is .*; the default is 0\.75"
    ):
        CnC(head, contrast=contrast).fit(X, np.array(head.classes)[y])
