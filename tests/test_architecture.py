"""Imports point one way, form no cycle, and `import evenhand` stays cheap.

`LAYERS` is the one table: a package may import the packages of the rows above its own, and itself.
"""

import ast
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from tests.script import load_script

import evenhand

LAYERS = (
    ("_*.py",),
    ("functional",),
    ("data",),
    ("backbones", "datasets", "evaluation"),
    ("selection", "extract"),
    ("methods",),
    ("runs",),
    ("audits", "comparison"),
    ("bench", "reports", "exports", "review", "testing"),
    ("cli",),
)
HEAVY = ("torch", "open_clip", "transformers", "sklearn")

ROOT = Path(evenhand.__file__).parent
RANK = {package: rank for rank, packages in enumerate(LAYERS) for package in packages}
SCRIPT = load_script("architecture_picture")
EDGES: dict[str, set[str]] = SCRIPT.module_imports()


def violations(edges: dict[str, set[str]]) -> list[str]:
    found = []
    for name, targets in edges.items():
        for target in sorted(targets):
            source, goal = SCRIPT.package_of(name), SCRIPT.package_of(target)
            if name == "evenhand":
                allowed = goal == "_*.py"
            else:
                allowed = goal in RANK and (source == goal or RANK[goal] < RANK[source])
            if not allowed:
                found.append(f"{name} imports {target}")
    return found


def test_every_module_has_a_layer() -> None:
    unknown = set(map(SCRIPT.package_of, EDGES)) - {*RANK, ""}
    assert not unknown, f"add these to LAYERS: {sorted(unknown)}"


def test_imports_point_one_way() -> None:
    assert violations(EDGES) == []


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("evenhand.data.store", "evenhand.methods.erm"),
        ("evenhand.evaluation.accuracy", "evenhand.methods.cfr.calibration_set"),
        ("evenhand.cli.fit", "evenhand"),
        ("evenhand._errors", "evenhand.data.table"),
        ("evenhand", "evenhand.data.table"),
    ],
)
def test_the_rule_sees_a_wrong_import(name: str, target: str) -> None:
    assert violations({name: {target}}) == [f"{name} imports {target}"]


def test_the_parser_sees_nested_and_relative_imports() -> None:
    source = "def f():\n    from evenhand.data import table\n    from ..data.head import Head\n"
    modules = {"evenhand.data.table", "evenhand.data.head"}
    assert SCRIPT.imported("evenhand.methods.erm", source, modules) == modules


def test_no_cycles() -> None:
    graph = {name: {t for t in targets if t in EDGES and t != name} for name, targets in EDGES.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"import cycle: {' -> '.join(error.args[1])}")


def test_package_inits_attach_their_stub_and_do_nothing_else() -> None:
    for path in sorted(ROOT.rglob("__init__.py")):
        if path.parent.name in {"evenhand", "cli"}:
            continue
        body = ast.parse(path.read_text(encoding="utf-8")).body
        assert len(body) == (3 if path.with_suffix(".pyi").exists() else 1), path


def run_python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


LOADED = f"print(sorted(set(sys.modules) & set({HEAVY!r})))"


def test_import_loads_nothing_heavy() -> None:
    assert run_python(f"import sys, evenhand\n{LOADED}").strip() == "[]"


def test_a_wrong_folder_is_refused_before_anything_heavy_is_loaded() -> None:
    code = (
        "import sys\nfrom evenhand.cli.app import app\n"
        "for line in ('fit no.store --method erm --out no.run', 'predict no.run photos'):\n"
        "    try:\n        app(line.split())\n"
        "    except SystemExit as stop:\n        assert stop.code == 1, stop.code\n"
    )
    # NumPy too: --threads must be set before it is loaded.
    assert run_python(f"{code}assert 'numpy' not in sys.modules\n{LOADED}").strip() == "[]"


def test_no_commands_help_loads_anything_heavy() -> None:
    code = (
        "import sys, typer\nfrom evenhand.cli.app import app\n"
        "names = list(typer.main.get_command(app).commands)\nassert 'fit' in names\n"
        "for name in names:\n"
        "    try:\n        app([name, '--help'])\n"
        "    except SystemExit as stop:\n        assert not stop.code, name\n"
    )
    assert run_python(code + LOADED).strip().splitlines()[-1] == "[]"


def test_help_loads_nothing_heavy() -> None:
    code = "import sys\nfrom evenhand.cli import run\nsys.argv = ['evenhand', '--help']\nassert run() == 0\n"
    output = run_python(code + LOADED)
    assert output.strip().splitlines()[-1] == "[]"
    assert "demo" in output


def test_a_fit_loads_no_model_library() -> None:
    heavy = ("open_clip", "torchvision", "transformers")
    found = f"print(sorted(set(sys.modules) & set({heavy!r})))"
    output = run_python(f"import sys, evenhand.runs.fit\n{found}")
    assert output.strip() == "[]"


def test_what_embed_writes_and_shows_loads_no_scipy() -> None:
    code = "import sys, evenhand.cli.store, evenhand.data.store_write\n"
    assert run_python(f"{code}print('scipy' in sys.modules)").strip() == "False"


REFUSED = (
    "embed no-photos --model tiny --out x.store",
    "embed . --model VIT-L-41 --out /tmp/x.store",
    "embed . --model tiny --out x.store",
    "import --features no.npy --table no.csv --out x.store",
    "import --features mine.csv --table no.csv --out x.store",
    "import --features mine.csv --table mine.csv --out mine.csv",
    "audit no.store",
    "fit no.store --out x.run",
    "fit no.store --param nope=3 --out x.run",
    "embed . --model tiny --preprocess size=8 --out x.store",
    "fit no.store --concepts no.yaml --out x.run",
    "compare no.store",
    "compare no.store --concepts no.yaml",
    "predict no.run .",
    "predict no.run no-photos",
    "predict no.run --features no.npy",
    "predict no.run . --out mine.csv",
    "predict no.run mine.csv --out mine.csv",
    "predict no.run . --model local-dir:gone",
    "report no.run --model local-dir:gone",
    "export no.run --to onnx --out x --model local-dir:gone",
    "report no.run",
    "report no.run --out mine.csv",
    "report no.run --vocabulary no.txt",
    "review no.store",
    "review no.store --answers no.csv",
    "review no.store --list",
    "export no.run --to onnx --out x",
    "export no.run --to onnx --out .",
    "bench waterbirds --data nowhere --model tiny",
    "bench waterbirds --model tinny",
    "demo --out .",
)


def test_what_needs_no_model_is_refused_before_torch_is_imported(tmp_path: Path) -> None:
    """Half a second is promised for these; torch alone takes longer."""
    for name in ("mine.csv", "report.html", "results.json"):
        (tmp_path / name).write_text("mine")
    code = (
        f"import os, sys\nos.chdir({str(tmp_path)!r})\nfrom evenhand.cli.app import app\n"
        f"for line in {REFUSED!r}:\n"
        "    try:\n        app(line.split())\n"
        "    except SystemExit as stop:\n        assert stop.code == 1, (line, stop.code)\n"
        "    assert 'torch' not in sys.modules, line\n"
    )
    assert run_python(code) == ""
    assert [(tmp_path / name).read_text() for name in ("mine.csv", "report.html", "results.json")] == [
        "mine"
    ] * 3
