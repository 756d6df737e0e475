"""Every registered method passes the public checks."""

from dataclasses import replace

import pytest

from evenhand.methods import PUBLISHED_CODE, SGD, STABLE, registry
from evenhand.testing.methods import check_method

QUICKER = {
    "auto": {"repeats": 1},
    "cfr": {"recipes": replace(STABLE, sgd=SGD(0.003, 4))},
    "self": {"steps": 50},
    "cnc": {"epochs": 2},
    "contrastive_adapter": {"epochs": 4},
    "cfr_published": {"recipe": replace(PUBLISHED_CODE, sgd=SGD(1e-4, 4)), "erm": SGD(1e-2, 4)},
}
"""Parameters with which a method's dozens of fits take seconds."""


@pytest.mark.parametrize("name", registry.METHODS)
def test_method_keeps_the_contract(name: str) -> None:
    check_method(registry.make(name, **QUICKER.get(name, {})))
