"""The examples of docstrings run, and public functions and classes have one."""

import doctest
import inspect
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

import evenhand
from evenhand import functional, methods

ROOT = Path(evenhand.__file__).parent
MODULES = [
    ".".join(path.relative_to(ROOT.parent).with_suffix("").parts)
    for path in sorted(ROOT.rglob("*.py"))
    if ">>> " in path.read_text(encoding="utf-8")
]
BARE = {"OrthCal", "RoboShot", "ClassClusters", "ErrorMixture", "Targeted", "TargetedMemory"}
"""What no six lines show: methods that need embedded words, and what other examples return."""


@pytest.mark.parametrize("module", MODULES)
def test_the_examples_run(module: str) -> None:
    failed, tried = doctest.testmod(import_module(module), verbose=False)
    assert tried > 0
    assert failed == 0


@pytest.mark.parametrize("package", [functional, methods], ids=lambda package: package.__name__)
def test_functions_and_methods_have_an_example(package: ModuleType) -> None:
    for name in package.__all__:
        value = getattr(package, name)
        shown = inspect.isfunction(value) or (inspect.isclass(value) and issubclass(value, methods.Method))
        if shown and name not in BARE | {"read_bundle", "write_bundle"}:
            assert "\n>>> " in (inspect.getdoc(value) or ""), name
