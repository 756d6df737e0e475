"""What packages export: every name exists, is documented, and means one thing."""

import ast
import inspect
from importlib import import_module
from pathlib import Path

import pytest

import evenhand

ROOT = Path(evenhand.__file__).parent
STUBS = sorted(ROOT.rglob("__init__.pyi"))


def package_of(stub: Path) -> str:
    return ".".join(stub.parent.relative_to(ROOT.parent).parts)


EXPORTS = {package_of(stub): ast.parse(stub.read_text(encoding="utf-8")) for stub in STUBS}


def exported(package: str) -> list[tuple[str, str, str]]:
    """Return each export of a stub as (name, module, name in the module)."""
    found = []
    for node in EXPORTS[package].body:
        if isinstance(node, ast.ImportFrom):
            module = f"{package}.{node.module}" if node.level == 1 else str(node.module)
            found += [(alias.asname or alias.name, module, alias.name) for alias in node.names]
    return found


@pytest.mark.parametrize("package", EXPORTS)
def test_every_export_is_the_object_that_its_module_defines(package: str) -> None:
    for name, module, own in exported(package):
        assert getattr(import_module(package), name) is getattr(import_module(module), own), name


@pytest.mark.parametrize("package", EXPORTS)
def test_a_stub_lists_what_it_imports(package: str) -> None:
    assert sorted(name for name, _, _ in exported(package)) == sorted(import_module(package).__all__)


@pytest.mark.parametrize("package", EXPORTS)
def test_every_export_is_documented(package: str) -> None:
    for name, _, _ in exported(package):
        value = getattr(import_module(package), name)
        if inspect.isclass(value) or inspect.isroutine(value):
            assert (inspect.getdoc(value) or "").strip(), f"{package}.{name}"
            # A dataclass without a docstring gets its call as one.
            assert not inspect.getdoc(value).startswith(f"{name}("), f"{package}.{name}"  # type: ignore[union-attr]


@pytest.mark.parametrize("package", EXPORTS)
def test_no_export_has_the_name_of_a_submodule(package: str) -> None:
    inside = {path.stem for path in ROOT.parent.joinpath(*package.split(".")).iterdir()} - {"__init__"}
    assert not inside & {name for name, _, _ in exported(package)}


def test_one_name_means_one_object_in_all_packages() -> None:
    meanings: dict[str, set[tuple[str, str]]] = {}
    for package in EXPORTS:
        for name, module, own in exported(package):
            value = getattr(import_module(package), name)
            if inspect.isclass(value):
                meanings.setdefault(name, set()).add((module, own))
    assert {name for name, found in meanings.items() if len(found) > 1} == set()


def test_no_two_classes_share_a_name() -> None:
    found: dict[str, list[str]] = {}
    for path in sorted(ROOT.rglob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found.setdefault(node.name, []).append(str(path.relative_to(ROOT)))
    assert {name: places for name, places in found.items() if len(places) > 1} == {}
