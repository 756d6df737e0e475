"""The names of models and of their precisions, without open_clip and torch: they take seconds to import."""

from __future__ import annotations

import difflib
import re
from importlib.util import find_spec
from pathlib import Path

from evenhand._errors import EvenhandError
from evenhand.backbones.folder import PREFIX

PRECISIONS = ("fp32", "bf16", "fp16")
_PLAIN = re.compile(r"[\w.-]+")


def open_clip_names() -> list[str]:
    """Return the names that open_clip has a configuration of, sorted."""
    found = find_spec("open_clip")
    folders = [] if found is None else found.submodule_search_locations or []
    return sorted(file.stem for folder in folders for file in Path(folder).glob("model_configs/*.json"))


def check_spelling(model: str) -> None:
    """Refuse a plain name that is nearly, or not at all, one of open_clip's.

    Raises
    ------
    EvenhandError
        If it is neither a known name, in any case, nor a path or an address.
    """
    names = open_clip_names()
    known = {name.casefold() for name in names}
    if not names or model.casefold() in known or not _PLAIN.fullmatch(model) or Path(model).exists():
        return
    raise unknown_model(model, names)


def unknown_model(model: str, names: list[str]) -> EvenhandError:
    """Return the error that names what is near an unknown name."""
    # Names differ in the case of few letters; what is far from all of them gets the usual ones.
    near = difflib.get_close_matches(model, names, 3, 0.5) or ["ViT-B-32", "ViT-L-14", "RN50"]
    return EvenhandError(
        f"model {model!r} is not known to open_clip; allowed are its names, such as {', '.join(near)}, "
        f"and {PREFIX}FOLDER"
    )


def check_precision(precision: str) -> None:
    """Refuse a precision that is neither auto nor one of `PRECISIONS`.

    Raises
    ------
    EvenhandError
        If it is not.
    """
    if precision not in ("auto", *PRECISIONS):
        raise EvenhandError(f"precision {precision!r} is unknown; choose auto, {', '.join(PRECISIONS)}")
