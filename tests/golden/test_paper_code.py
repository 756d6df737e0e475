"""Our losses give the values that the paper's published code gives."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from evenhand.functional.contrastive import calibration_loss, similarity_loss

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
