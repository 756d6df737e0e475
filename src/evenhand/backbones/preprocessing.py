"""Preprocessing for an open_clip model: given as settings, named by a tag, or shared by all tags."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import open_clip
from open_clip.transform import PreprocessCfg

from evenhand._errors import EvenhandError, NotAllowedError

ACTIVATIONS = ("gelu", "quickgelu")
_WORDS = {
    "interpolation": ("bicubic", "bilinear"),
    "resize_mode": ("shortest", "longest", "squash"),
}
_NUMBERS = ("mean", "std")
_KEYS = (*_NUMBERS, *_WORDS)
_EXAMPLE = "mean=0.5,std=0.5,size=224,interpolation=bicubic,resize_mode=squash"
_LARGEST = 8192
"""Pixels of a side."""
_Settings = dict[str, Any]


def choose_settings(
    model: str, pretrained: str | None, preprocess: str | None, activation: str | None
) -> tuple[_Settings, bool | None, tuple[str, ...]]:
    """Return the user's settings, those of the weights, and those assumed for a checkpoint file.

    Parameters
    ----------
    model, pretrained, preprocess, activation : str
        As in `load_openclip`.

    Returns
    -------
    dict, bool or None, tuple of str
        As `assume` does.

    Raises
    ------
    EvenhandError
        If the activation is unknown, or as `read_preprocess`.
    """
    if activation not in (None, *ACTIVATIONS):
        raise NotAllowedError.of("activation", activation, ACTIVATIONS)
    settings = {} if preprocess is None else read_preprocess(preprocess, model)
    notes: tuple[str, ...] = ()
    quick = True if needs_quick_gelu(model, pretrained) else None
    if pretrained is not None and is_checkpoint(model, pretrained):
        settings, quick, notes = assume(model, pretrained, settings, known_activation=activation is not None)
    if activation is not None:
        quick = activation == "quickgelu"
    return settings, quick, notes


def is_checkpoint(model: str, pretrained: str | None) -> bool:
    """Return whether weights are a file of the user, and not a tag of the model."""
    return pretrained is not None and not open_clip.pretrained.is_pretrained_cfg(model, pretrained)


def needs_quick_gelu(model: str, pretrained: str | None) -> bool:
    """Return whether the tag was trained with QuickGELU; open_clip's plain model names do not say so.

    A tag that says nothing leaves the model's configuration as it is.
    """
    if pretrained is None:
        return False
    config = open_clip.pretrained.get_pretrained_cfg(model, pretrained)
    return bool(config.get("quick_gelu", False))


def read_preprocess(text: str, model: str) -> _Settings:
    """Return the settings in `mean=…,std=…,size=…`, or those of a tag: of this model, or `MODEL:TAG`.

    Raises
    ------
    EvenhandError
        If a key or a value is not allowed, or the tag is unknown.
    """
    if "=" not in text:
        return _of_tag(text, model)
    values: dict[str, list[str]] = {}
    key = ""
    for part in text.split(","):
        name, equals, value = part.partition("=")
        key = name.strip() if equals else key
        values.setdefault(key, []).append((value if equals else name).strip())
    found = {key: _value(key, given) for key, given in values.items()}
    check_preprocessing(found, "preprocess:")
    return found


def written(settings: Mapping[str, Any]) -> str:
    """Return settings as `read_preprocess` reads them."""
    texts = {key: value if isinstance(value, (list, tuple)) else [value] for key, value in settings.items()}
    return ",".join(f"{key}={','.join(map(str, value))}" for key, value in texts.items())


def check_preprocessing(settings: Mapping[str, Any], where: str) -> None:
    """Refuse settings with which no image can be prepared.

    Raises
    ------
    EvenhandError
        If a mean or a standard deviation is not finite or not three numbers, a deviation is not positive,
        or a size, an interpolation or a way of resizing is not allowed.
    """
    for key in _NUMBERS:
        value = settings.get(key)
        if value is None:
            continue
        numbers = list(value) if isinstance(value, (list, tuple)) else [value] * 3
        sound = len(numbers) == 3 and all(_is_number(number) and math.isfinite(number) for number in numbers)
        if not sound or (key == "std" and min(numbers) <= 0):
            wanted = "three positive numbers" if key == "std" else "three finite numbers"
            raise EvenhandError(f"{where} has {key} {value!r}; the allowed values are {wanted}")
    size = settings.get("size")
    sides = [] if size is None else list(size) if isinstance(size, (list, tuple)) else [size]
    if len(sides) > 2 or not all(type(side) is int and 1 <= side <= _LARGEST for side in sides):
        raise EvenhandError(
            f"{where} has size {size!r}; the allowed values are whole numbers from 1 to {_LARGEST}"
        )
    for key, allowed in _WORDS.items():
        if settings.get(key) is not None and settings[key] not in allowed:
            raise EvenhandError(
                f"{where} has {key} {settings[key]!r}; the allowed values are {', '.join(allowed)}"
            )


def assume(
    model: str, file: str, given: Mapping[str, Any], *, known_activation: bool = False
) -> tuple[_Settings, bool | None, tuple[str, ...]]:
    """Return what all tags of a name share, for a checkpoint file, and notes about it.

    Parameters
    ----------
    model, file : str
        Name and checkpoint.
    given : mapping
        Settings that the user gave, which win.
    known_activation : bool
        Whether the user gave the activation, so that it needs no note.

    Returns
    -------
    dict, bool or None, tuple of str
        Settings of open_clip's `PreprocessCfg`; whether QuickGELU was found, None where the model's
        configuration stays as it is; notes.
    """
    names = open_clip.list_pretrained_tags_by_model(model)
    tags = {tag: open_clip.pretrained.get_pretrained_cfg(model, tag) for tag in names}
    settings, why = _shared({tag: _settings(config) for tag, config in tags.items()}, model)
    quick, note = _activation(model, file, [config.get("quick_gelu") for config in tags.values()])
    notes = [] if known_activation or note is None else [note]
    if not set(_KEYS) <= set(given):
        notes.insert(
            0,
            f"{file} does not say how images are prepared: {written(settings)} is assumed, {why}; if it was "
            "trained otherwise, give `preprocess` with such settings or a tag's name",
        )
    return {**settings, **given}, quick, tuple(notes)


def _activation(model: str, file: str, quick: list[bool | None]) -> tuple[bool | None, str | None]:
    """Return whether to set QuickGELU, and a note; nothing if the name says QuickGELU."""
    if open_clip.get_model_config(model).get("quick_gelu"):
        return None, None
    said = {bool(one) for one in quick}
    if said == {False}:
        return None, None
    if said == {True}:
        return True, (
            f"{file} does not say its activation: QuickGELU is assumed, as in all tags of {model}; "
            "if it was trained with GELU, give `activation='gelu'`"
        )
    why = f"tags of {model} differ" if said else f"{model} has no tags"
    return None, (
        f"{file} does not say its activation, and {why}: GELU is assumed, as in the model name; OpenAI's "
        "weights and those fine-tuned from them need `activation='quickgelu'`"
    )


def _shared(tags: Mapping[str, _Settings], model: str) -> tuple[_Settings, str]:
    different = {written(settings): settings for settings in tags.values()}
    if len(different) == 1:
        (settings,) = different.values()
        return settings, f"as {_some(list(tags), 'tag')} of {model} {'have' if len(tags) > 1 else 'has'} it"
    why = f"tags of {model} differ" if different else f"{model} has no tags"
    return _settings({}), f"open_clip's default, since {why}"


def _some(names: list[str], word: str) -> str:
    return f"the {word} {names[0]}" if len(names) == 1 else f"all {len(names)} {word}s"


def _settings(config: Mapping[str, Any]) -> _Settings:
    default = PreprocessCfg()
    found = {key: config.get(key) or getattr(default, key) for key in _KEYS}
    return {key: list(value) if key in _NUMBERS else value for key, value in found.items()}


def _of_tag(text: str, model: str) -> _Settings:
    name, colon, tag = text.rpartition(":")
    name = name if colon else model
    if not open_clip.pretrained.is_pretrained_cfg(name, tag):
        tags = ", ".join(open_clip.list_pretrained_tags_by_model(name)) or "none"
        raise EvenhandError(
            f"preprocess: {text!r} is neither settings such as {_EXAMPLE} nor a tag of {name}; its "
            f"tags: {tags}"
        )
    return _settings(open_clip.pretrained.get_pretrained_cfg(name, tag))


def _value(key: str, given: list[str]) -> Any:
    if key in _WORDS:
        return ",".join(given)
    kind = {"mean": float, "std": float, "size": int}.get(key)
    if kind is None:
        raise EvenhandError(
            f"preprocess: {key!r} is not a setting; the settings are mean, std, size, interpolation and "
            f"resize_mode, as in {_EXAMPLE}"
        )
    try:
        numbers = [kind(text) for text in given]
    except ValueError as error:
        raise EvenhandError(
            f"preprocess: {key}={','.join(given)} is not a number; write it as in {_EXAMPLE}"
        ) from error
    if key == "size":
        return numbers[0] if len(numbers) == 1 else numbers
    return numbers * 3 if len(numbers) == 1 else numbers


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
