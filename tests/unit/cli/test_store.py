"""What a store holds is shown; long lists are cut with a count."""

import json
from pathlib import Path

import numpy as np
import pytest

from evenhand.cli.store import MOST, show_store
from evenhand.data.own_embeddings import import_embeddings
from evenhand.data.table import FeatureTable


@pytest.fixture
def made(tmp_path: Path) -> FeatureTable:
    """Fifty classes, the k-th of k + 2 rows."""
    labels = [f"c{k}" for k in range(50) for _ in range(k + 2)]
    np.save(tmp_path / "X.npy", np.random.default_rng(0).normal(size=(len(labels), 4)).astype(np.float32))
    (tmp_path / "t.csv").write_text("\n".join(["label", *labels]))
    return import_embeddings(
        [tmp_path / "X.npy"], tmp_path / "t.csv", label_column="label", out=tmp_path / "s"
    )


def test_of_many_classes_the_largest_are_shown(
    made: FeatureTable, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    show_store(made, tmp_path / "s", notes=["a note"], json=False)
    shown = capsys.readouterr()
    lines = [line for line in shown.out.splitlines() if line.startswith("c") and line[1].isdigit()]
    assert len(lines) == MOST
    assert lines[0].startswith("c49 ")
    assert f"… and {50 - MOST} more classes, smaller than these; --json has all" in shown.out
    assert shown.err.splitlines()[0] == "note: a note"


def test_json_has_all_and_told_notes_are_not_repeated(
    made: FeatureTable, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    show_store(made, tmp_path / "s", notes=["a note"], json=True, told=True)
    shown = capsys.readouterr()
    found = json.loads(shown.out)
    assert len(found["counts"]["train"]) == 50
    assert found["notes"] == ["a note"]
    assert shown.err == ""
