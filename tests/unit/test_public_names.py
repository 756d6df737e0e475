import ast
from pathlib import Path

import pytest

import evenhand


@pytest.mark.parametrize("name", evenhand.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(evenhand, name) is not None


def test_stub_and_module_name_the_same() -> None:
    stub = ast.parse(Path(evenhand.__file__).with_suffix(".pyi").read_text(encoding="utf-8"))
    names = {alias.asname for node in stub.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert names == set(evenhand.__all__) == set(dir(evenhand))


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nope"):
        _ = evenhand.nope  # type: ignore[attr-defined]
