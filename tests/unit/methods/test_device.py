"""Fits on a device: torch's lazy device is apart from the CPU as a GPU is, and refuses to mix with it."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from tests.made_features import WIDTH, head, world

from evenhand import CFR, ERM, Auto, FeatureTable, audit, compare, fit
from evenhand.functional import row_products
from evenhand.functional.row_products import DeviceProducts, HostProducts
from evenhand.methods import Calibration, GroupDRO, LinearProbe, Recipe
from evenhand.methods._training.loop import SGD
from evenhand.methods._training.problem import build_problem
from evenhand.methods._training.rows import RowView
from evenhand.runs import models
from evenhand.runs.contents import read_contents

TOLERANCE = 1e-3
"""Largest difference of logits to those of the CPU, as a share of the largest."""
STEP = SGD(learning_rate=1e-2, epochs=1)
METHODS = {
    "auto": lambda own: Auto(own, repeats=1, folds=2),
    "erm": lambda own: ERM(own, epochs=1),
    "cfr": lambda own: CFR(own, erm=STEP, folds=2, recipes=Recipe((Calibration(),), STEP)),
    "linear_probe": LinearProbe,
    "group_dro": lambda own: GroupDRO(own, epochs=1),
}


@pytest.fixture(scope="module")
def lazy() -> str:
    """A device that computes on this machine's CPU, but whose tensors torch keeps apart."""
    backend = pytest.importorskip("torch._lazy.ts_backend")
    try:
        backend.init()
    except RuntimeError as error:
        pytest.skip(f"this torch has no lazy device: {error}")
    return "lazy"


def logits(method: Any, n: int = 60, **given: Any) -> np.ndarray:
    X, y, a = world(n, 0)
    groups = {"groups": a.astype(str)} if method.group_labels_used != "none" else {}
    fitted = method.fit(X, np.array(method.head.classes)[y], **groups, **given)
    out: np.ndarray = fitted.model_.logits(X)
    return out


def same(found: np.ndarray, expected: np.ndarray) -> bool:
    return float(np.abs(found - expected).max()) <= TOLERANCE * float(np.abs(expected).max())


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("text", [True, False])
def test_a_fit_elsewhere_is_that_of_the_cpu(lazy: str, name: str, text: bool) -> None:
    own = head(2, text=text)
    assert same(logits(METHODS[name](own), device=lazy), logits(METHODS[name](own)))


@pytest.mark.parametrize("text", [True, False])
def test_products_by_torch_lead_to_the_same_choice(text: bool) -> None:
    """`cpu:0` is the CPU by torch alone."""
    own = head(2, text=text)
    by_torch, usual = Auto(own, repeats=1), Auto(own, repeats=1)
    assert same(logits(by_torch, 600, device="cpu:0"), logits(usual, 600))
    assert by_torch.kept_ is not None
    assert usual.kept_ is not None
    assert by_torch.kept_["candidate"] == usual.kept_["candidate"] != "zero-shot"


@pytest.mark.parametrize("values", [64, row_products.VALUES])
@pytest.mark.parametrize("stored", [True, False])
def test_products_on_a_device_are_those_of_numpy(
    lazy: str, stored: bool, values: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_products, "VALUES", values)
    generator = np.random.default_rng(0)
    z = generator.normal(size=(50, 8)).astype(np.float32)
    y, share = generator.integers(0, 3, 50), generator.dirichlet(np.ones(50))
    coefficients = generator.normal(size=(8, 3)).astype(np.float32)
    host = HostProducts(z, y, share)
    there = DeviceProducts.of(_Slices(z) if stored else z, y, share, lazy)
    assert there.moment() == pytest.approx(host.moment(), rel=1e-5, abs=1e-6)
    value, gradient = there.cross_entropy(coefficients)
    expected, of_numpy = host.cross_entropy(coefficients)
    assert value == pytest.approx(expected, rel=1e-6)
    assert gradient == pytest.approx(of_numpy, rel=1e-4, abs=1e-6)


class _Slices:
    """Rows that are read slice by slice."""

    def __init__(self, z: np.ndarray) -> None:
        self.shape, self._z = z.shape, z

    def __getitem__(self, rows: slice) -> np.ndarray:
        return self._z[rows].copy()


def test_the_features_are_moved_once() -> None:
    X, y, _ = world(40, 0)
    problem = build_problem(X, y, X[:8], y[:8], 2, head(2), 0, "cpu:0")
    assert isinstance(problem.h.array, torch.Tensor)
    assert problem.h.take(torch.arange(4)).array is problem.h.array


def test_shapes_hold_on_a_device_without_memory() -> None:
    X, _, _ = world(40, 0)
    rows = RowView.of(X, "meta")
    assert rows[torch.tensor([3, 1, 2])].shape == (3, WIDTH)
    assert [block.shape for block in rows.take(torch.arange(5)).blocks()] == [(5, WIDTH)]
    assert rows[torch.tensor([0])].device.type == "meta"


def test_rows_of_a_store_are_moved_as_they_are_read(lazy: str, table: FeatureTable) -> None:
    rows = RowView.of(table.stored(np.arange(50)), lazy)
    assert rows[torch.tensor([7, 3])].device.type == "lazy"
    assert torch.equal(rows[torch.tensor([7, 3])].cpu(), torch.from_numpy(table.features(np.array([7, 3]))))


def test_an_audit_elsewhere_is_that_of_the_cpu_and_moves_each_block_once(
    lazy: str, table: FeatureTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "a.run"
    fit(table, method="erm", params={"epochs": 1}, out=run)
    here, there = (audit(table, run=run, vocabulary=Path("none"), device=device) for device in ("cpu", lazy))
    assert there.model_dump(exclude={"provenance"}) == here.model_dump(exclude={"provenance"})
    rows = table.rows("test")
    moved: list[int] = []

    def of(X: Any, device: str) -> RowView:
        moved.append(len(X))
        return RowView.of(X, device)

    monkeypatch.setattr(models, "RowView", SimpleNamespace(of=of))
    monkeypatch.setattr(models, "BLOCK", 16)
    fitted = {"zero_shot": models.zero_shot_model(table), **read_contents(run).models}
    found = models.predicted_stages(fitted, table, rows, lazy)
    assert moved == [16] * (len(rows) // 16) + [len(rows) % 16] * (len(rows) % 16 > 0)
    assert [stage.name for stage in found] == ["zero_shot", "erm"]
    for stage, usual_one in zip(found, models.predicted_stages(fitted, table, rows), strict=True):
        assert same(stage.margins, usual_one.margins)
        assert {tensor.device.type for tensor in stage.model.projection.tensors().values()} == {"cpu"}


def test_a_run_and_a_comparison_name_their_device(table: FeatureTable, tmp_path: Path) -> None:
    few: dict[str, Any] = {"method": "erm", "params": {"epochs": 1}}
    there = fit(table, **few, out=tmp_path / "a.run", device="cpu:0")
    here = fit(table, **few, out=tmp_path / "b.run")
    assert there.provenance["device"] == "cpu:0"
    assert "device" not in here.provenance
    assert there.rows[0].groups == here.rows[0].groups
    asked: dict[str, Any] = {"methods": ["erm"], "seeds": [0], "budget": 1, "out": tmp_path / "c.compare"}
    first = compare(table, **asked)
    assert "device" not in first.provenance
    again = compare(table, **asked, device="cpu:0")
    assert again.provenance["device"] == "cpu:0"
    stored = len(list((tmp_path / "c.compare").rglob("*.json")))
    compare(table, **asked, device="cpu:0")
    assert len(list((tmp_path / "c.compare").rglob("*.json"))) == stored
