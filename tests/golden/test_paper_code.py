"""Our losses give the values that the paper's published code gives."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from evenhand.functional.contrastive import calibration_loss, similarity_loss
from evenhand.functional.targeted import Targeted, TargetedMemory

GOLDEN: dict[str, Any] = json.loads((Path(__file__).parent / "paper_code_losses.json").read_text())


@pytest.mark.parametrize("case", GOLDEN["calibration_loss"])
def test_calibration_loss(case: dict[str, Any]) -> None:
    anchor, positive, negative, weight = (
        torch.tensor(case[name], dtype=torch.float64) for name in ("anchor", "positive", "negative", "weight")
    )
    value = calibration_loss(anchor, positive, negative, case["tau"], weight)
    assert float(value) == pytest.approx(case["value"], abs=1e-12)


@pytest.mark.parametrize("case", GOLDEN["similarity_loss"])
def test_similarity_loss(case: dict[str, Any]) -> None:
    value = similarity_loss(torch.tensor(case["z"]), torch.tensor(case["label"]))
    per_row = torch.tensor(case["per_row"])
    assert float(value) == pytest.approx(float(per_row.mean()), abs=1e-6)


@pytest.mark.parametrize("case", GOLDEN["targeted_supervised_contrastive"])
def test_targeted_loss_and_what_it_remembers(case: dict[str, Any]) -> None:
    settings = Targeted(
        queue_size=len(case["queue"]), temperature=case["temperature"], target_weight=case["target_weight"]
    )
    memory = TargetedMemory(torch.tensor(case["targets"]), settings)
    memory.centroids = torch.tensor(case["centroid"])
    memory.queue = torch.tensor(case["queue"])
    memory.labels = torch.tensor(case["queue_label"])
    memory.seen = len(case["queue"])
    value = memory.step(torch.tensor(case["z"]), torch.tensor(case["label"]))
    assert float(value) == pytest.approx(case["value"], abs=1e-6)
    assert torch.allclose(memory.centroids, torch.tensor(case["centroid_after"]), rtol=0, atol=1e-6)
    assert torch.allclose(memory.queue, torch.tensor(case["queue_after"]), rtol=0, atol=1e-6)
