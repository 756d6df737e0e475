from pathlib import Path

import numpy as np
import pytest

from evenhand import EvenhandError, FeatureTable, compare
from evenhand.data.partition import held_out
from evenhand.data.table import StoredRows
from evenhand.methods.base import Method
from evenhand.methods.registry import make
from evenhand.runs import streaming
from evenhand.runs.fit import fit
from evenhand.runs.streaming import streams
from evenhand.runs.training import fit_arguments


def decided(method: str, wanted: bool | None) -> bool:
    return streams(4 * 400 * 8, make(method), method, wanted)


def test_a_method_that_can_streams_past_the_limit_or_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not decided("erm", None)
    assert decided("erm", True)
    monkeypatch.setattr(streaming, "LIMIT", 400 * 8 * 4 - 1)
    assert decided("erm", None)
    assert not decided("erm", False)
    assert not decided("linear_probe", None)
    monkeypatch.setattr(streaming, "LIMIT", 400 * 8 * 4)
    assert not decided("erm", None)


def test_features_of_more_than_two_gibibytes_are_streamed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "_memory", lambda: 2**40)
    erm = make("erm")
    assert [streams(size, erm, "erm", None) for size in (2 * 2**30, 2 * 2**30 + 1)] == [False, True]


def test_the_size_of_features_is_that_of_float32(
    table: FeatureTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = held_out(table, 0)
    size = 4 * len(rows.train) * table.width
    for limit, kind in ((size, np.ndarray), (size - 1, StoredRows)):
        monkeypatch.setattr(streaming, "LIMIT", limit)
        assert isinstance(fit_arguments(table, rows, make("erm"), "erm")["X"], kind)


def test_what_cannot_stream_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EvenhandError, match="stream: linear_probe takes all features"):
        decided("linear_probe", True)
    monkeypatch.setattr(streaming, "_memory", lambda: 10_000)
    with pytest.raises(
        EvenhandError,
        match=r"takes 1\.19e-05 GiB of features into memory, but this machine has 9\.31e-06 GiB; choose",
    ):
        decided("linear_probe", None)
    with pytest.raises(EvenhandError, match="leave out `stream=False`"):
        decided("erm", False)


def test_features_are_read_now_or_when_they_are_asked_for(table: FeatureTable) -> None:
    rows = held_out(table, 0)
    now, later = (fit_arguments(table, rows, make("erm"), "erm", stream) for stream in (False, True))
    assert isinstance(now["X"], np.ndarray)
    assert isinstance(later["X"], StoredRows)
    assert np.array_equal(later["X"][:], now["X"])
    assert np.array_equal(later["validation"][0][:], now["validation"][0])


def test_a_streamed_run_says_so(table: FeatureTable, tmp_path: Path) -> None:
    (held,) = fit(table, method="erm", out=tmp_path / "held").rows
    (read,) = fit(table, method="erm", out=tmp_path / "read", stream=True).rows
    assert held.notes == []
    assert read.notes == [streaming.STREAMED]
    assert read.worst_group is not None
    assert held.worst_group is not None
    assert read.worst_group.value == pytest.approx(held.worst_group.value, abs=0.05)


def test_a_comparison_streams_past_the_limit(table: FeatureTable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "LIMIT", 0)
    given: set[tuple[str, type]] = set()
    fit = Method.fit

    def seen(self: Method, X: object, y: object, **more: object) -> Method:
        given.add((type(self).__name__, type(X)))
        return fit(self, X, y, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Method, "fit", seen)
    results = compare(table, methods=["erm", "linear_probe"], seeds=[0], budget=1)
    assert [row.status for row in results.rows] == ["ok", "ok", "ok"]
    assert given == {("ZeroShot", StoredRows), ("ERM", StoredRows), ("LinearProbe", np.ndarray)}
