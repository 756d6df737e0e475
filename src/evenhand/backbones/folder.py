"""A folder with an open_clip model: what must lie in it, and what it must not ask for."""

from __future__ import annotations

import json
from pathlib import Path

from evenhand._errors import EvenhandError

PREFIX = "local-dir:"
CONFIG, WORDS = "open_clip_config.json", "words.txt"
_WEIGHTS = ("*.safetensors", "*.bin", "*.pth")


def check_folder(folder: Path, pretrained: str | None) -> None:
    """Refuse a folder before open_clip reads it.

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


def known_words(model: str) -> tuple[str, ...]:
    """Return the words that a folder's model says it knows, one a line of `words.txt`; none for other models.

    Raises
    ------
    EvenhandError
        If the file is not UTF-8.
    """
    path = Path(model.removeprefix(PREFIX)) / WORDS
    if not model.startswith(PREFIX) or not path.is_file():
        return ()
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise EvenhandError(f"{path} is not UTF-8 text; save it as UTF-8, or remove it") from error
    return tuple(word for line in lines if (word := line.strip()))


def _asks_for_code(folder: Path) -> bool:
    """Tell whether the tokenizer would run what lies in the folder: open_clip hands these settings on."""
    try:
        text = json.loads((folder / CONFIG).read_text(encoding="utf-8"))["model_cfg"]["text_cfg"]
        return "trust_remote_code" in (text.get("tokenizer_kwargs") or {})
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return False  # open_clip will tell what is wrong with it
