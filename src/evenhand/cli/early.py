"""Checks of options before heavy imports, so that a typo is reported at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evenhand._errors import EvenhandError
from evenhand._optional import require
from evenhand.audits.vocabulary import NONE, given_vocabulary
from evenhand.backbones.checkpoint_start import check_start
from evenhand.backbones.folder import HF_PREFIX, PREFIX, check_folder, check_hf_folder
from evenhand.backbones.tags import check_tag, tags_of
from evenhand.backbones.typed_names import check_own, check_precision, read_model
from evenhand.methods.registry import NEED_WORDS, check_name, needs_words

if TYPE_CHECKING:
    from evenhand.data.concepts import ConceptWords

_ADDRESS = re.compile(r"[a-z0-9]+:/")
_WEB = re.compile(r"(https?):/+(.*)")
_DATA_SET = re.compile(r"(?:huggingface\.co|hf\.co)/datasets/([\w.-]+/[\w.-]+)")


def check_images(
    source: Path, *, argument: str = "source", what: str = "a folder of images or a table that lists them"
) -> None:
    """Refuse images that do not exist; addresses and patterns are left to their readers.

    Raises
    ------
    EvenhandError
        If nothing has this name, or it is an address of a kind that is not read.
    """
    text = str(source)
    if web := _WEB.fullmatch(text):
        page = _DATA_SET.match(web[2])
        remedy = f"write hf://datasets/{page[1]}" if page else "download it, and give the copy"
        raise EvenhandError(f"{argument}: {web[1]}://{web[2]} is on the web; {remedy}")
    if _ADDRESS.match(text) or set(text) & set("*?{[") or source.exists():
        return
    raise EvenhandError(f"{argument}: {source.absolute()} does not exist; give {what}")


def check_some(
    source: Path,
    label: str | None,
    attributes: list[str] | None,
    group_by: str | None,
    paths: Mapping[str, Any],
) -> None:
    """Refuse images to predict if none of them exists, and columns that their table lacks.

    `paths` are the options `path` and `root` of a table.

    Raises
    ------
    EvenhandError
        If so.
    """
    from evenhand.data.group_by import check_group_by
    from evenhand.data.sources.find_images import no_images
    from evenhand.data.sources.kinds import Table
    from evenhand.data.sources.listing import Options
    from evenhand.data.unlabelled import names_in, resolve_with

    options = Options(label or "label", attributes, complete=False, **paths)
    found = resolve_with(source, replace(options, label="label"))
    if label or attributes or group_by:
        try:
            known = found.listing(options).attributes
        except EvenhandError:
            if label or attributes:
                raise
            known = {}  # images without labels have no groups
        check_group_by(group_by, known, what="these images", has="they have")
    elif found.grows:
        if next(names_in(found.path), None) is None:
            raise no_images(found.path)
    elif isinstance(found, Table):
        found.listing(replace(options, labeled=False))


def check_file(path: Path | None, argument: str, what: str) -> None:
    """Refuse a file that does not exist, or a pipe: it is read twice, and reading it could wait forever.

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
    """Refuse a folder of images that does not exist; addresses are left to their readers.

    Raises
    ------
    EvenhandError
        If it is given and no folder has this name.
    """
    if root is not None and not _ADDRESS.match(str(root)) and not root.is_dir():
        raise EvenhandError(f"root: {root.absolute()} is not a folder; give the one that paths start from")


def read_concepts(path: Path | None) -> ConceptWords | None:
    """Return the concept words in a file; None without one.

    Raises
    ------
    EvenhandError
        If it is no plain file, or holds something else.
    """
    check_file(path, "concepts", "a YAML file of spurious words")
    if path is None:
        return None

    from evenhand.data.concepts import read_concept_words

    return read_concept_words(path)


def check_words(method: str, concepts: Path | None) -> None:
    """Refuse a method that needs concept words, if there are none, and words for one that takes none.

    Raises
    ------
    EvenhandError
        If so.
    """
    if method in NEED_WORDS and concepts is None:
        raise EvenhandError(f"concepts: {method} needs concept words; give a YAML file of spurious words")
    if concepts is not None and not needs_words(method):
        raise EvenhandError(
            f"--concepts: {concepts} cannot be used with --method {method}, which takes no words"
        )


def check_vocabulary(path: Path | None) -> None:
    """Refuse a file without words to name slices; `none` stands for no file.

    Raises
    ------
    EvenhandError
        If it is no plain file, or holds no word.
    """
    if path != Path(NONE):
        check_file(path, "vocabulary", "a file with one word per line, or none")
    given_vocabulary(path)


def check_moved(model: str | None) -> None:
    """Refuse a model's new location unless it is a file, or the name or the folder of a model.

    Raises
    ------
    EvenhandError
        If so.
    """
    if model is not None and not Path(model).expanduser().is_file():
        _check_place(read_model(model))


def _check_place(name: str) -> None:
    """Refuse a folder that does not exist or holds no model."""
    if name.startswith(PREFIX):
        check_folder(Path(name.removeprefix(PREFIX)))
    elif name.startswith(HF_PREFIX):
        require("transformers", "hf")
        folder = Path(name.removeprefix(HF_PREFIX))
        if folder.is_dir():
            check_hf_folder(folder)
        elif folder.is_absolute():
            raise EvenhandError(f"model: {folder} is not a folder; check the path")


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

    `own` holds options that a model with its own settings does not accept, such as `preprocess`.

    Raises
    ------
    EvenhandError
        If the name or the tag is misspelt, the precision is unknown, the model takes no such argument, or an
        extra is missing.
    """
    check_precision(precision)
    name = read_model(model)
    check_own(name, pretrained=pretrained, **own)
    _check_place(name)
    if not name.startswith((HF_PREFIX, PREFIX)) and (tags := tags_of(name.replace("/", "-"))) is not None:
        check_tag(name.replace("/", "-"), pretrained, tags)
    if pretrained is not None and Path(pretrained).is_file():
        check_start(Path(pretrained))


def store_and_run(source: Path) -> tuple[Path, Path | None]:
    """Return the store that a path means, and the run if it is one; nothing heavy is imported.

    Raises
    ------
    EvenhandError
        If it is neither, or a run that names no store.
    """
    from evenhand.data.store_card import read_card
    from evenhand.runs.card import is_run
    from evenhand.runs.card import read_card as read_run_card
    from evenhand.runs.store_place import place_of_store

    if not is_run(source):
        read_card(source)
        return source, None
    store = place_of_store(source, read_run_card(source))
    if store is None:
        raise EvenhandError(f"source: {source} was fitted on a table in memory; this command needs a store")
    read_card(store)
    return store, source
