"""Methods by name. Plug-ins register in the entry-point group `evenhand.methods`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from evenhand._errors import EvenhandError, NotAllowedError
from evenhand._plugins import check_known, find, known_names
from evenhand.methods.constructors import Parameter, constant_of, parameters_of

if TYPE_CHECKING:  # the command line reads the names, and stays cheap
    from evenhand.methods.base import Method

GROUP = "evenhand.methods"

METHODS = {
    "auto": "evenhand.methods.auto.estimator:Auto",
    "zero_shot": "evenhand.methods.zero_shot:ZeroShot",
    "linear_probe": "evenhand.methods.linear_probe:LinearProbe",
    "balanced_probe": "evenhand.methods.linear_probe:LinearProbe",
    "erm": "evenhand.methods.erm:ERM",
    "cfr": "evenhand.methods.cfr.estimator:CFR",
    "cfr_published": "evenhand.methods.cfr.published:PublishedCFR",
    "jtt": "evenhand.methods.jtt:JTT",
    "afr": "evenhand.methods.afr:AFR",
    "self": "evenhand.methods.self_:SelectiveFinetuning",
    "wise_ft": "evenhand.methods.wise_ft:WiSEFT",
    "xrm": "evenhand.methods.xrm:XRM",
    "ula": "evenhand.methods.ula:ULA",
    "evals": "evenhand.methods.evals:EVaLS",
    "dfr": "evenhand.methods.dfr:DFR",
    "ppa": "evenhand.methods.ppa:PPA",
    "cnc": "evenhand.methods.cnc:CnC",
    "contrastive_adapter": "evenhand.methods.contrastive_adapter:ContrastiveAdapter",
    "group_dro": "evenhand.methods.group_dro:GroupDRO",
    "orth_cal": "evenhand.methods.orth_cal:OrthCal",
    "roboshot": "evenhand.methods.roboshot:RoboShot",
}
"""Name to "module:class"."""

NEED_WORDS = ("orth_cal", "roboshot")
"""Methods that need concept words."""

FIXED: Mapping[str, Mapping[str, Any]] = {"balanced_probe": {"class_weight": "balanced"}}
"""Parameters that a name sets, for names that share a class."""


def names() -> list[str]:
    """Return the registry names of all methods: the built-in ones, then those of plug-ins.

    Returns
    -------
    list of str

    Examples
    --------
    >>> names()[:3]
    ['auto', 'zero_shot', 'linear_probe']
    """
    return known_names(METHODS, GROUP)


def check_name(name: str) -> None:
    """Refuse an unknown method name; no method is imported.

    Parameters
    ----------
    name : str
        A registry name; `cfr:nearest` names a preset after the colon.

    Raises
    ------
    EvenhandError
        If no method has that name, or a built-in method has no preset of that name.
    """
    name, _, preset = name.partition(":")
    check_known(name, METHODS, GROUP, kind="method")
    if preset and (parameters := built_in_parameters(name)) is not None:
        presets = parameters["preset"].names if "preset" in parameters else ()
        if preset not in presets:
            raise _no_preset(name, preset, presets)


def no_method() -> EvenhandError:
    """Return the error for an empty list of methods."""
    return NotAllowedError(f"methods: it is empty; the allowed values are {', '.join(names())}, all")


def check_parameters(name: str, params: Iterable[str]) -> None:
    """Refuse parameters that a built-in method does not have; no method is imported.

    Parameters
    ----------
    name : str
        A registry name; `make` checks the parameters of a plug-in's method.
    params : iterable of str
        Names of parameters.

    Raises
    ------
    EvenhandError
        At the first unknown name.
    """
    if (allowed := built_in_parameters(name)) is not None:
        _check_known(name.partition(":")[0], params, list(allowed))


def built_in_parameters(name: str) -> dict[str, Parameter] | None:
    """Return the parameters that a built-in method takes, without importing it; None for a plug-in's.

    Parameters
    ----------
    name : str
        A registry name.
    """
    name = name.partition(":")[0]
    found = parameters_of(METHODS[name]) if name in METHODS else None
    return found and {each: kind for each, kind in found.items() if each not in FIXED.get(name, {})}


def _no_preset(name: str, preset: str, presets: Sequence[str] = ()) -> EvenhandError:
    if presets:
        return NotAllowedError.of("preset", preset, presets)
    return NotAllowedError(f"preset: {name} has no presets; leave out :{preset}")


def _check_known(name: str, params: Iterable[str], allowed: Sequence[str]) -> None:
    if unknown := sorted(set(params) - set(allowed)):
        raise EvenhandError(f"{name} takes no parameter {unknown[0]!r}; it takes {', '.join(allowed)}")


def method_class(name: str) -> type[Method]:
    """Return the class that is registered under a name.

    Parameters
    ----------
    name : str
        A registry name; `cfr:nearest` names a preset after the colon.

    Returns
    -------
    subclass of Method

    Raises
    ------
    EvenhandError
        If no method has that name.

    Examples
    --------
    >>> method_class("cfr:nearest").__name__
    'CFR'
    """
    found: type[Method] = find(name.partition(":")[0], METHODS, GROUP, kind="method")
    return found


def needs_words(name: str) -> bool:
    """Tell whether a method needs concept words; only a plug-in's is imported for it."""
    name = name.partition(":")[0]
    return name in NEED_WORDS if name in METHODS else "words" in method_class(name).needs


def declares(name: str, what: str) -> Any:
    """Return a class attribute of a method, such as `streams`; only a plug-in's is imported for it.

    Parameters
    ----------
    name : str
        A registry name.
    what : str
        Name of a class attribute that `Method` also has.

    Examples
    --------
    >>> declares("dfr", "group_labels_used"), declares("dfr", "streams")
    ('validation', False)
    """
    place = METHODS.get(name.partition(":")[0])
    if place is None:
        return getattr(method_class(name), what)
    own = constant_of(place, what)
    return constant_of("evenhand.methods.base:Method", what) if own is None else own


def registered_name(method: Method) -> str:
    """Return the registry name of an estimator, such as `balanced_probe` for balanced class weights.

    Raises
    ------
    EvenhandError
        If its class is not registered.
    """
    cls = type(method)
    # Names that set parameters come first, because other names of the same class would match too.
    for name in (*FIXED, *names()):
        fixed = FIXED.get(name, {})
        if method_class(name) is cls and all(getattr(method, key) == fixed[key] for key in fixed):
            return name
    raise EvenhandError(f"method: {cls.__name__} is not registered; register it in the group {GROUP!r}")


def make(name: str, **params: Any) -> Method:
    """Return an unfitted method.

    Parameters
    ----------
    name : str
        A registry name; `cfr:nearest` is `cfr` with `preset="nearest"`.
    **params
        Parameters of the method's constructor.

    Returns
    -------
    Method

    Raises
    ------
    EvenhandError
        If the method, the preset or a parameter is unknown, or a parameter is out of its range.

    Examples
    --------
    >>> make("cfr:nearest", random_state=1)
    CFR(preset='nearest', random_state=1)
    >>> make("balanced_probe")
    LinearProbe(class_weight='balanced')
    """
    cls = method_class(name)
    name, _, preset = name.partition(":")
    fixed = FIXED.get(name, {})
    allowed = [each for each in cls._get_param_names() if each not in fixed]
    if preset:
        if "preset" not in allowed:
            raise _no_preset(name, preset)
        params = {"preset": preset, **params}
    _check_known(name, params, allowed)
    method = cls(**params, **fixed)
    method.check_ranges()
    return method
