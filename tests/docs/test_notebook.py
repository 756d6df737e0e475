"""The notebook of the examples runs from the first cell to the last, and what it shows is HTML."""

import ast
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evenhand import FeatureTable, LinearProbe, fit, load_run
from evenhand.audits.pipeline import Audit
from evenhand.evaluation.accuracy import Rate
from evenhand.evaluation.results import KeptMethod, Results, no_result

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
    assert "<td>worst: " in shown[2]._repr_html_()
    assert "<p>Shortcut: " in shown[3]._repr_html_()
    assert shown[3]._repr_html_() == load_run("birds.run")._repr_mimebundle_()["text/html"]
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


def rate(name: str, n: int = 4) -> Rate:
    return Rate(name=name, n=n, value=0.75, low=0.3, high=0.95)


def test_results_are_escaped_cut_and_say_why_a_row_is_missing() -> None:
    lost = no_result("<jtt>", 0, "failed", "no <rows>")
    full = lost.model_copy(update={"status": "ok", "method": "<erm>", "worst_class": rate("<cat>")})
    kept = KeptMethod.model_construct(seed=0, method="<erm>")
    many = Results.model_construct(rows=[full, lost, *[full] * 20], kept_method=[kept])
    html = many._repr_html_()
    assert "<p>Kept on seed 0: &lt;erm&gt;</p>" in html
    assert "<td>&lt;cat&gt;</td><td>4</td><td>0.750</td><td>0.300 to 0.950</td>" in html
    assert "<td>failed: no &lt;rows&gt;</td>" in html
    assert (html.count("<tr>"), "<p>2 more rows are not shown</p>" in html) == (21, True)
    one = Results(
        provenance={}, rows=[full.model_copy(update={"classes": [rate("<dog>"), rate("x", 0)]})], summary=[]
    )
    assert "<td>worst: &lt;cat&gt;</td>" in one._repr_html_()
    assert "<td>&lt;dog&gt;</td>" in one._repr_html_()
    assert "<td>x</td>" not in one._repr_html_()


def test_an_audit_shows_what_it_comes_to() -> None:
    found = Audit(**no_result("<erm>", 0, "failed", "x").model_dump(), bottom_line=["a < b"])
    assert found._repr_html_().startswith("<p><b>&lt;erm&gt;</b>, seed 0, test split</p><p>a &lt; b</p>")
