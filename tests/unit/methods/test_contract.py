"""Every registered method passes the public checks."""

import pytest

from evenhand.methods import registry
from evenhand.testing.methods import check_method

QUICKER = {"contrastive_adapter": {"epochs": 4}}
"""Parameters with which a method's dozens of fits take seconds."""


@pytest.mark.parametrize("name", registry.METHODS)
def test_method_keeps_the_contract(name: str) -> None:
    check_method(registry.make(name, **QUICKER.get(name, {})))
