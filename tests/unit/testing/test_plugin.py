"""The example of a plug-in enters by its entry point and passes the public checks."""

import runpy
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from evenhand import _plugins
from evenhand.methods import registry

if sys.version_info >= (3, 11):
    import tomllib

PLUGIN = Path(__file__).resolve().parents[3] / "examples" / "plugin"


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The package as if it were installed: code on the path, entry points where they are looked up."""
    points = tomllib.loads((PLUGIN / "pyproject.toml").read_text(encoding="utf-8"))["project"]["entry-points"]

    def entry_points(*, group: str) -> list[EntryPoint]:
        return [EntryPoint(name, value, group) for name, value in points.get(group, {}).items()]

    monkeypatch.syspath_prepend(PLUGIN / "src")
    monkeypatch.setattr(_plugins, "entry_points", entry_points)
    yield
    for name in [name for name in sys.modules if name.split(".")[0] == "evenhand_means"]:
        del sys.modules[name]


@pytest.mark.skipif(sys.version_info < (3, 11), reason="reads TOML by the standard library")
def test_the_plug_in_passes_its_own_tests(installed: None) -> None:
    assert registry.names()[-1] == "nearest_mean"
    tests: dict[str, Any] = runpy.run_path(str(PLUGIN / "tests" / "test_nearest_mean.py"))
    found = [name for name in tests if name.startswith("test_")]
    assert len(found) == 2
    for name in found:
        tests[name]()
