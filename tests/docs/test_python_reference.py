import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

import evenhand
from evenhand.methods.registry import METHODS

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "python_reference", ROOT / "scripts" / "python_reference.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_what_the_docstrings_say(script: ModuleType) -> None:
    written = script.PAGE.read_text(encoding="utf-8")
    assert written == script.reference(), "run: .venv/bin/python scripts/python_reference.py"


def test_every_public_name_and_every_method_is_on_it(script: ModuleType) -> None:
    page = script.reference()
    classes = {target.partition(":")[2] for target in METHODS.values()}
    assert classes <= set(evenhand.__all__)
    for name in evenhand.__all__:
        assert name.startswith("__") or f"\n### {name}\n" in page


def test_a_docstring_becomes_lists(script: ModuleType) -> None:
    text = "What it is.\n\nParameters\n----------\nx, y : int\n    Two\n    lines.\nz\n    One.\n"
    assert (
        script.markdown(text) == "What it is.\n\n**Parameters**\n\n- `x, y` (int): Two lines.\n- `z`: One.\n"
    )
