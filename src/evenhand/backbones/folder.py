"""A folder with a model: what must lie in it, what it must not ask for, and the words that it knows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from evenhand._errors import EvenhandError

PREFIX, HF_PREFIX = "local-dir:", "hf:"
CONFIG, WORDS = "open_clip_config.json", "words.txt"
_WEIGHTS = ("*.safetensors", "*.bin", "*.pth")


def check_folder(folder: Path, pretrained: str | None) -> None:
    """Refuse a folder of open_clip's before it is read.

    Raises
    ------
    EvenhandError
        If a checkpoint was named beside it, it lacks configuration or weights, or it would run code.
    """
    if pretrained is not None:
        raise EvenhandError(
            f"--pretrained {pretrained!r} does not go with {PREFIX}{folder}, which brings its own weights; "
            "leave it out"
        )
    if not (folder / CONFIG).is_file():
        raise EvenhandError(f"model folder {folder} has no {CONFIG}; give open_clip's folder")
    if not any(file for pattern in _WEIGHTS for file in folder.glob(pattern)):
        raise EvenhandError(f"model folder {folder} has no weights; allowed are {', '.join(_WEIGHTS)}")
    if _asks_for_code(folder):
        raise EvenhandError(
            f"model folder {folder} asks in {CONFIG} to run code of its own (trust_remote_code), which "
            "evenhand never does; use another model"
        )


def folder_of(model: str) -> Path | None:
    """Return the folder on this machine that a model's name stands for, if it stands for one."""
    for prefix in (PREFIX, HF_PREFIX):
        if model.startswith(prefix) and (folder := Path(model.removeprefix(prefix))).is_dir():
            return folder
    return None


def known_words(model: str) -> tuple[str, ...]:
    """Return the words that a folder's model says it knows, one a line of `words.txt`; none for other models.

    Raises
    ------
    EvenhandError
        If the file is not UTF-8.
    """
    folder = folder_of(model)
    if folder is None or not (path := folder / WORDS).is_file():
        return ()
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise EvenhandError(f"{path} is not UTF-8 text; save it as UTF-8, or remove it") from error
    return tuple(word for line in lines if (word := line.strip()))


def write_words(folder: Path, words: Sequence[str]) -> None:
    """Write what `known_words` reads; nothing for a model that does not say its words."""
    if words:
        (folder / WORDS).write_text("".join(f"{word}\n" for word in words), encoding="utf-8")


def _asks_for_code(folder: Path) -> bool:
    """Tell whether the tokenizer would run what lies in the folder: open_clip hands these settings on."""
    try:
        text = json.loads((folder / CONFIG).read_text(encoding="utf-8"))["model_cfg"]["text_cfg"]
        return "trust_remote_code" in (text.get("tokenizer_kwargs") or {})
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return False  # open_clip will tell what is wrong with it
