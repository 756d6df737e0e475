"""Public functions and methods have an example."""

import inspect
from types import ModuleType

import pytest

from evenhand import functional, methods

BARE = {"OrthCal", "RoboShot", "ClassClusters", "ErrorMixture", "Targeted", "TargetedMemory"}
"""What no six lines show: methods that need embedded words, and what other examples return."""


@pytest.mark.parametrize("package", [functional, methods], ids=lambda package: package.__name__)
def test_functions_and_methods_have_an_example(package: ModuleType) -> None:
    for name in package.__all__:
        value = getattr(package, name)
        shown = inspect.isfunction(value) or (inspect.isclass(value) and issubclass(value, methods.Method))
        if shown and name not in BARE | {"read_bundle", "write_bundle"}:
            assert "\n>>> " in (inspect.getdoc(value) or ""), name
