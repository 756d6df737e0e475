import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from evenhand import EvenhandError
from evenhand.reports.source import read_source, view_run


@pytest.fixture
def run(small_run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(small_run, tmp_path / "x.run"))


def test_a_run_is_told_from_a_folder_of_results(run: Path) -> None:
    results, found = read_source(run)
    assert found == run
    assert results["rows"][0]["method"] == "cfr"
    (run / "card.json").unlink()
    assert read_source(run)[1] is None


def test_a_folder_without_results_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EvenhandError, match=r"no readable results\.json .* give the folder that fit"):
        read_source(tmp_path)


def test_results_that_this_version_does_not_know_are_refused(run: Path) -> None:
    data = json.loads((run / "results.json").read_text())
    (run / "results.json").write_text(json.dumps({**data, "schema": 2}))
    with pytest.raises(EvenhandError, match="is not what this version reads, at schema: "):
        read_source(run)
    (run / "results.json").write_text("{")
    with pytest.raises(EvenhandError, match="is not what this version reads, at its text: "):
        read_source(run)


def test_what_came_before_is_evaluated_as_fit_would(run: Path) -> None:
    view = view_run(run)
    zero_shot, erm = view.result_rows()
    assert [zero_shot["method"], erm["method"]] == ["zero_shot", "erm"]
    assert erm["difference_to_erm"]["value"] == 0
    (row,) = read_source(run)[0]["rows"]
    gain = row["worst_group"]["value"] - erm["worst_group"]["value"]
    assert row["difference_to_erm"]["value"] == pytest.approx(gain)
    assert [group["n"] for group in erm["groups"]] == [group["n"] for group in row["groups"]]


def test_a_damaged_history_is_one_sentence(run: Path, reseal: Callable[..., None]) -> None:
    (run / "history.parquet").write_bytes(b"nothing")
    reseal(run)
    with pytest.raises(EvenhandError, match=r"history\.parquet cannot be read .* run fit again"):
        view_run(run)
