"""Methods by name. Plug-ins enter by the same door: the entry-point group `evenhand.methods`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evenhand._errors import EvenhandError
from evenhand._plugins import check_known, find, known_names

if TYPE_CHECKING:  # the command line reads the names, and stays cheap
    from evenhand.methods.base import Method

GROUP = "evenhand.methods"

METHODS = {
    "auto": "evenhand.methods.auto.estimator:Auto",
    "zero_shot": "evenhand.methods.zero_shot:ZeroShot",
    "linear_probe": "evenhand.methods.linear_probe:LinearProbe",
    "balanced_probe": "evenhand.methods.balanced_probe:BalancedProbe",
    "erm": "evenhand.methods.erm:ERM",
    "cfr": "evenhand.methods.cfr.estimator:CFR",
    "jtt": "evenhand.methods.jtt:JTT",
    "afr": "evenhand.methods.afr:AFR",
    "self": "evenhand.methods.self_:SelectiveFinetuning",
    "evals": "evenhand.methods.evals:EVaLS",
    "dfr": "evenhand.methods.dfr:DFR",
    "ppa": "evenhand.methods.ppa:PPA",
    "cnc": "evenhand.methods.cnc:CnC",
    "contrastive_adapter": "evenhand.methods.contrastive_adapter:ContrastiveAdapter",
    "group_dro": "evenhand.methods.group_dro:GroupDRO",
    "orth_cal": "evenhand.methods.orth_cal:OrthCal",
    "roboshot": "evenhand.methods.roboshot:RoboShot",
}


def names() -> list[str]:
    """Return the names of all methods, built in and plugged in."""
    return known_names(METHODS, GROUP)


def check_name(name: str) -> None:
    """Refuse a name that no method has, without importing one; what follows a colon names a preset.

    Raises
    ------
    EvenhandError
        If no method has that name.
    """
    check_known(name.partition(":")[0], METHODS, GROUP, kind="method")


def method_class(name: str) -> type[Method]:
    """Return the class registered under `name`; what follows a colon names a preset.

    Raises
    ------
    EvenhandError
        If no method has that name.
    """
    found: type[Method] = find(name.partition(":")[0], METHODS, GROUP, kind="method")
    return found


def registered_name(cls: type[Method]) -> str:
    """Return the registry name of a class.

    Raises
    ------
    EvenhandError
        If it is not registered.
    """
    for name in names():
        if method_class(name) is cls:
            return name
    raise EvenhandError(f"{cls.__name__} is no registered method; register it in the group {GROUP!r}")


def make(name: str, **params: Any) -> Method:
    """Return an unfitted method. `cfr:paper` is `cfr` with `preset="paper"`.

    Raises
    ------
    EvenhandError
        If the method, the preset or a parameter is unknown, or a parameter is out of its range.
    """
    cls = method_class(name)
    name, _, preset = name.partition(":")
    allowed = cls._get_param_names()
    if preset:
        if "preset" not in allowed:
            raise EvenhandError(f"{name} has no preset {preset!r}; its presets are none")
        params = {"preset": preset, **params}
    unknown = sorted(set(params) - set(allowed))
    if unknown:
        raise EvenhandError(f"{name} takes no parameter {unknown[0]!r}; it takes {', '.join(allowed)}")
    method = cls(**params)
    method.check_ranges()
    return method
