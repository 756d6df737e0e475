"""What can be reported of options before anything heavy is imported: a typo is reported at once."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from evenhand._errors import EvenhandError
from evenhand._optional import require
from evenhand.backbones.folder import HF_PREFIX, PREFIX, check_folder
from evenhand.backbones.names import check_own, check_precision, read_model
from evenhand.backbones.tags import check_tag, tags_of
from evenhand.methods.registry import NEED_WORDS, check_name

_ADDRESS = re.compile(r"[a-z0-9]+:/")


def check_images(
    source: Path, *, argument: str = "source", what: str = "a folder of images or a table that lists them"
) -> None:
    """Refuse images that are not there; addresses and patterns are left to their readers.

    Raises
    ------
    EvenhandError
        If nothing has this name.
    """
    text = str(source)
    if _ADDRESS.match(text) or set(text) & set("*?{[") or source.exists():
        return
    raise EvenhandError(f"{argument}: {source.absolute()} does not exist; give {what}")


def check_file(path: Path | None, argument: str, what: str) -> None:
    """Refuse a file that is not there, or is a pipe: it would be waited for, and read twice.

    Raises
    ------
    EvenhandError
        If it is given and no plain file.
    """
    if path is None or path.is_file():
        return
    state = "is not a regular file" if path.exists() else "does not exist"
    raise EvenhandError(f"{argument}: {path} {state}; give {what}")


def check_root(root: Path | None) -> None:
    """Refuse a folder of images that is not there; addresses are left to their readers.

    Raises
    ------
    EvenhandError
        If it is given and no folder has this name.
    """
    if root is not None and not _ADDRESS.match(str(root)) and not root.is_dir():
        raise EvenhandError(f"root: {root.absolute()} is not a folder; give the one that paths start from")


def check_words(method: str, concepts: Path | None) -> None:
    """Refuse a method that needs concept words, if there are none.

    Raises
    ------
    EvenhandError
        If so.
    """
    if method in NEED_WORDS and concepts is None:
        raise EvenhandError(f"concepts: {method} needs concept words; give a YAML file of spurious words")


def check_moved(model: str | None) -> None:
    """Refuse a model's new place if it is written as a folder and none is there.

    Raises
    ------
    EvenhandError
        If no folder of open_clip's, or none at all, is there.
    """
    if model is not None and model.startswith(PREFIX):
        check_folder(Path(model.removeprefix(PREFIX)).expanduser())


def check_methods(names: Iterable[str]) -> None:
    """Refuse methods that nobody registered.

    Raises
    ------
    EvenhandError
        At the first unknown name.
    """
    for name in names:
        check_name(name)


def check_model(model: str, precision: str, pretrained: str | None = None, **own: str | None) -> None:
    """Refuse a model that cannot be loaded for its name, tag or precision, or a library that is missing.

    `own` holds what a model that brings its own does not take, as `preprocess`.

    Raises
    ------
    EvenhandError
        If the name or the tag is misspelt, the precision is unknown, the model takes no such argument, or an
        extra is missing.
    """
    check_precision(precision)
    name = read_model(model)
    check_own(name, pretrained=pretrained, **own)
    if name.startswith(HF_PREFIX):
        folder = Path(name.removeprefix(HF_PREFIX))
        if folder.is_absolute() and not folder.is_dir():
            raise EvenhandError(f"model: {folder} is not a folder; check the path")
        require("transformers", "hf")
    elif name.startswith(PREFIX):
        check_folder(Path(name.removeprefix(PREFIX)))
    elif (tags := tags_of(name.replace("/", "-"))) is not None:
        check_tag(name.replace("/", "-"), pretrained, tags)


def store_and_run(source: Path) -> tuple[Path, Path | None]:
    """Return the store that a path means, and the run if it is one; nothing heavy is imported.

    Raises
    ------
    EvenhandError
        If it is neither, or a run that names no store.
    """
    from evenhand.data.store_layout import read_card
    from evenhand.runs.card import is_run, place_of_store
    from evenhand.runs.card import read_card as read_run_card

    if not is_run(source):
        read_card(source)
        return source, None
    store = place_of_store(source, read_run_card(source))
    if store is None:
        raise EvenhandError(f"source: {source} was fitted on a table in memory; this command needs a store")
    read_card(store)
    return store, source
