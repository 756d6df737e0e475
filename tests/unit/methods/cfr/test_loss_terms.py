"""Every term is its formula on what a step has projected, and no other part of the step."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from evenhand import EvenhandError
from evenhand.functional.contrastive import calibration_loss, similarity_loss
from evenhand.functional.geometry import unit
from evenhand.functional.simplex import simplex_vertices
from evenhand.functional.targeted import Targeted, TargetedMemory
from evenhand.methods.cfr.loss_terms import (
    AnchorCrossEntropy,
    BatchCrossEntropy,
    Calibration,
    CentroidContrast,
    Similarity,
    Step,
    TargetedContrast,
    Term,
)

TERMS: tuple[Term, ...] = (
    Calibration(temperature=0.3),
    AnchorCrossEntropy(),
    BatchCrossEntropy(),
    Similarity(),
    TargetedContrast(),
    CentroidContrast(),
)
READS = {
    "Calibration": {"to_positives", "to_negatives"},
    "AnchorCrossEntropy": {"anchors", "scale", "prototypes"},
    "BatchCrossEntropy": {"batch_dropped", "scale", "prototypes"},
    "Similarity": {"batch"},
    "TargetedContrast": {"batch"},
    "CentroidContrast": {"anchors"},
}
DRAW = torch.Generator().manual_seed(0)
ANCHORS, POSITIVES, NEGATIVES, BATCH, DROPPED, PROTOTYPES = (
    unit(torch.randn(*shape, 4, generator=DRAW)) for shape in ((3,), (3, 2), (3, 6), (5,), (5,), (3,))
)
STEP = Step(
    anchors=ANCHORS,
    anchors_y=torch.tensor([0, 2, 2]),
    to_positives=torch.einsum("ad,apd->ap", ANCHORS, POSITIVES),
    to_negatives=torch.einsum("ad,akd->ak", ANCHORS, NEGATIVES),
    batch=BATCH,
    batch_y=torch.tensor([0, 1, 2, 1, 0]),
    batch_dropped=DROPPED,
    prototypes=PROTOTYPES,
    scale=torch.tensor(5.0),
)


def value(term: Term, step: Step = STEP) -> float:
    return float(term.begin(PROTOTYPES, 0)(step))


def cross_entropy(z: Tensor, y: Tensor) -> float:
    p = torch.exp(5 * z.double() @ PROTOTYPES.double().T)
    return float(-(p[torch.arange(len(y)), y] / p.sum(dim=1)).log().mean())


def test_calibration_is_its_loss_at_its_temperature() -> None:
    for temperature in (0.1, 1.0):
        expected = float(calibration_loss(ANCHORS, POSITIVES, NEGATIVES, temperature))
        assert value(Calibration(temperature=temperature)) == pytest.approx(expected, rel=1e-6)


def test_cross_entropies_are_those_of_the_anchors_and_of_the_dropped_batch() -> None:
    assert value(AnchorCrossEntropy()) == pytest.approx(cross_entropy(ANCHORS, STEP.anchors_y), rel=1e-5)
    assert value(BatchCrossEntropy()) == pytest.approx(cross_entropy(DROPPED, STEP.batch_y), rel=1e-5)


def test_similarity_is_its_loss_on_the_whole_batch() -> None:
    assert value(Similarity()) == float(similarity_loss(BATCH, STEP.batch_y))


def test_targeted_contrast_remembers_within_a_fit_and_forgets_between_two() -> None:
    settings = Targeted(queue_size=7, temperature=0.2, target_weight=0.5)
    term = TargetedContrast(settings=settings)
    memory = TargetedMemory(simplex_vertices(3, 4, seed=8), settings)
    expected = [float(memory.step(BATCH, STEP.batch_y)) for _ in range(3)]
    for _ in range(2):
        of_fit = term.begin(PROTOTYPES, 8)
        assert [float(of_fit(STEP)) for _ in range(3)] == expected
    assert float(term.begin(PROTOTYPES, 9)(STEP)) != expected[0]


def test_anchors_are_contrasted_with_the_running_centroids_of_all_classes() -> None:
    of_fit = CentroidContrast(temperature=0.5, momentum=0.8).begin(PROTOTYPES, 0)
    centroids = torch.zeros(3, 4)
    for _ in range(2):
        for c in range(3):
            batch = unit(BATCH[STEP.batch_y == c].mean(dim=0))
            centroids[c] = unit(0.8 * centroids[c] + 0.2 * batch)
        slow = 0.0
        for anchor, code in zip(ANCHORS, STEP.anchors_y, strict=True):
            p = torch.exp(torch.stack([anchor @ centroid for centroid in centroids]).double() / 0.5)
            slow -= float((p[code] / p.sum()).log()) / 3
        assert float(of_fit(STEP)) == pytest.approx(slow, rel=1e-5)
    assert float(of_fit(replace(STEP, batch=BATCH.flip(1)))) != pytest.approx(slow, rel=1e-3)


def test_a_queue_of_length_zero_is_allowed() -> None:
    of_fit = TargetedContrast(settings=Targeted(queue_size=0)).begin(PROTOTYPES, 0)
    losses = [float(of_fit(STEP)) for _ in range(2)]
    assert all(loss > 0 for loss in losses)


def test_targets_need_a_width_of_one_less_than_the_classes() -> None:
    TargetedContrast().begin(PROTOTYPES[:, :2], 0)
    with pytest.raises(EvenhandError, match="an embedding of width 1 holds no simplex of 3 classes"):
        TargetedContrast().begin(PROTOTYPES[:, :1], 0)


@pytest.mark.parametrize("term", TERMS, ids=lambda term: type(term).__name__)
def test_gradients_reach_what_the_term_reads_and_nothing_else(term: Term) -> None:
    names = ("anchors", "to_positives", "to_negatives", "batch", "batch_dropped", "prototypes", "scale")
    leaves = {name: getattr(STEP, name).clone().requires_grad_() for name in names}
    term.begin(PROTOTYPES, 0)(replace(STEP, **leaves)).backward()
    moved = {name for name, leaf in leaves.items() if leaf.grad is not None and bool(leaf.grad.any())}
    assert moved == READS[type(term).__name__]


def test_the_schedule_is_that_of_the_published_total() -> None:
    scheduled = {type(term).__name__ for term in TERMS if term.scheduled}
    assert scheduled == {"Calibration", "AnchorCrossEntropy", "CentroidContrast"}
    assert all(term.weight == 1 for term in TERMS)


def test_balanced_cross_entropy_is_the_mean_over_classes_of_a_class_s_mean() -> None:
    value = BatchCrossEntropy(balanced=True).begin(PROTOTYPES, 0)(STEP)
    logs = (STEP.scale * DROPPED @ PROTOTYPES.T).log_softmax(dim=1)
    slow = [
        sum(-logs[row, code] for row in range(5) if STEP.batch_y[row] == code) / (STEP.batch_y == code).sum()
        for code in range(3)
    ]
    assert torch.allclose(value, torch.stack(slow).mean())
