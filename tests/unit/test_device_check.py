from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evenhand import ERM, EvenhandError, FeatureTable, audit, compare, fit, load_backbone
from evenhand._device_check import check_torch_device

X, Y = np.random.default_rng(0).normal(size=(40, 3)), ["cat", "dog"] * 20


def test_the_cpu_is_there() -> None:
    check_torch_device("cpu")
    check_torch_device("cpu:0")


@pytest.mark.parametrize("device", ["gpu", "cuda:999", "", 1.5])
def test_what_is_no_device_here_is_refused(device: Any) -> None:
    with pytest.raises(EvenhandError, match=r"^device: .* cannot be used \(.+\); give one of this machine"):
        check_torch_device(device)


@pytest.mark.parametrize(
    "use",
    [
        lambda out: ERM().fit(X, Y, device="gpu"),
        lambda out: fit(FeatureTable.from_arrays(X, Y), method="erm", out=out, device="gpu"),
        lambda out: audit(X, Y, device="gpu"),
        lambda out: compare(X, Y, methods="erm", seeds=[0], out=out, device="gpu"),
        lambda out: load_backbone("tiny", device="gpu"),
    ],
    ids=["estimator", "fit", "audit", "compare", "model"],
)
def test_every_use_of_a_device_refuses_it_first(use: Callable[[Path], object], tmp_path: Path) -> None:
    with pytest.raises(EvenhandError, match=r"^device: 'gpu' cannot be used"):
        use(tmp_path / "out")
    assert not (tmp_path / "out").exists()
