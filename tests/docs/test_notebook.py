"""The notebook of the examples runs from the first cell to the last, and what it shows is HTML."""

import ast
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evenhand import FeatureTable, LinearProbe, fit, load_run

ROOT = Path(__file__).resolve().parents[2]


def run_cell(source: str, names: dict[str, Any]) -> Any:
    """Run a cell, and return the value of its last line, as a notebook shows it."""
    *body, last = ast.parse(source).body
    if not isinstance(last, ast.Expr):
        exec(compile(source, "cell", "exec"), names)
        return None
    exec(compile(ast.Module(body, []), "cell", "exec"), names)
    return eval(compile(ast.Expression(last.value), "cell", "eval"), names)  # noqa: S307  our own notebook


def test_the_notebook_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notebook = json.loads((ROOT / "examples" / "notebook.ipynb").read_text(encoding="utf-8"))
    assert notebook["nbformat"] == 4
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert all((cell["outputs"], cell["execution_count"]) == ([], None) for cell in code)
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    shown = [run_cell("".join(cell["source"]), names) for cell in code]
    assert "<b>birds.store</b>" in shown[1]._repr_html_()
    html = shown[3]._repr_mimebundle_()["text/html"]
    assert "<b>auto</b>" in html
    assert "Shortcut: " in html
    assert 0 <= shown[4].value <= 1
    assert (tmp_path / "report.html").is_file()


def test_names_are_escaped_and_many_classes_are_cut() -> None:
    y = np.repeat([f"<{k}>" for k in range(30)], 4)
    table = FeatureTable.from_arrays(
        np.eye(120, dtype=np.float32), y, groups={"<a>": y}, split=["train"] * 120
    )
    html = table._repr_html_()
    assert html.count("<td>&lt;") == 20
    assert "10 smaller classes are not shown" in html
    assert "&lt;a&gt;" in html
    assert "<th>train</th></tr>" in html
    assert "120 rows of width 120" in html


def test_a_run_shows_its_rates_and_a_saved_model_its_classes(tmp_path: Path) -> None:
    X = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
    y = ["cat", "dog"] * 30
    table = FeatureTable.from_arrays(X, y, groups=["in", "out", "out"] * 20)
    row = fit(table, method="zero_shot", out=tmp_path / "a.run").rows[0]
    html = load_run(tmp_path / "a.run")._repr_mimebundle_()["text/html"]
    assert row.worst_group is not None
    assert f"<td>worst: {row.worst_group.name}</td><td>{row.worst_group.n}</td>" in html
    assert all(f"<td>{one.name}</td>" in html for one in row.groups if one.n)
    assert "<td>dog</td>" in html
    LinearProbe().fit(X, np.asarray(y)).save(tmp_path / "probe.safetensors")
    saved = load_run(tmp_path / "probe.safetensors")
    assert saved._repr_mimebundle_()["text/html"] == "<p>a saved model of 2 classes</p>"
