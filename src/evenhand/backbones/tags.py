"""The weights that open_clip offers for a model, read from its source because importing it imports torch."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from evenhand._errors import EvenhandError
from evenhand.backbones.folder import HF_PREFIX, PREFIX

_TABLE = "_PRETRAINED"


def tags_of(model: str) -> list[str] | None:
    """Return the tags of a model in open_clip's order; None if its source does not list them.

    Parameters
    ----------
    model : str
        A name of open_clip, such as "ViT-B-32".
    """
    spec = find_spec("open_clip")
    for folder in (spec.submodule_search_locations if spec else None) or ():
        file = Path(folder, "pretrained.py")
        if file.is_file():
            return _tags(ast.parse(file.read_bytes()), model)
    return None


def _tags(source: ast.Module, model: str) -> list[str] | None:
    """Find `_PRETRAINED = {"model": dict(tag=…)}`, where a name may stand for the `dict`."""
    assigned = {
        target.id: step.value
        for step in source.body
        if isinstance(step, ast.Assign)
        for target in step.targets
        if isinstance(target, ast.Name)
    }
    table = assigned.get(_TABLE)
    if not isinstance(table, ast.Dict):
        return None
    for key, value in zip(table.keys, table.values, strict=True):
        if isinstance(key, ast.Constant) and key.value == model:
            found = assigned.get(value.id) if isinstance(value, ast.Name) else value
            if isinstance(found, ast.Call):
                return [word.arg for word in found.keywords if word.arg is not None]
    return None


def check_tag(model: str, pretrained: str | None, tags: Sequence[str]) -> None:
    """Refuse weights that are neither a file nor one of a model's tags.

    Raises
    ------
    EvenhandError
        If there are none, or they are something else.
    """
    listed = ", ".join(tags) or "none"
    if pretrained is None:
        raise EvenhandError(f"pretrained: model {model!r} needs a checkpoint, or one of its tags: {listed}")
    if pretrained.lower().replace("-", "_") in tags or Path(pretrained).is_file():
        return
    if Path(pretrained).is_dir():
        raise EvenhandError(
            f"pretrained: {pretrained!r} is a folder; name its file with the weights, or the folder as "
            f"`model='{PREFIX}{pretrained}'` or `model='{HF_PREFIX}{pretrained}'`"
        )
    raise EvenhandError(
        f"pretrained: {pretrained!r} is neither a file nor a tag of {model}; its tags: {listed}"
    )
