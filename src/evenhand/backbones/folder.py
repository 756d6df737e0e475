"""A folder with a model: what it must contain, what it must not request, and the words that it knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evenhand._errors import EvenhandError

PREFIX, HF_PREFIX, HUB_PREFIX = "local-dir:", "hf:", "hf-hub:"
CONFIG, WORDS = "open_clip_config.json", "words.txt"
HF_CONFIG = "config.json"
TINY, TINY_FOLDER = "tiny", Path(__file__).with_name("tiny_model")
"""The model that ships with the package, and its folder."""
_WEIGHTS = ("*.safetensors", "*.bin", "*.pth")
_PARTS = (
    ("preprocessor_config.json", "processor_config.json"),
    ("tokenizer.json", "vocab.json+merges.txt", "spiece.model", "tokenizer.model"),
)
"""What a transformers folder holds besides configuration and weights, in any of these forms."""


def check_folder(folder: Path) -> None:
    """Refuse an incomplete open_clip folder before it is read.

    Raises
    ------
    EvenhandError
        If there is none, or it lacks configuration or weights.
    """
    if not folder.is_dir():
        raise EvenhandError(f"model folder {folder} does not exist or is not a folder; check the path")
    if not (folder / CONFIG).is_file():
        offer = f"; it holds a model of transformers: name it {HF_PREFIX}{folder}"
        offer = offer if (folder / HF_CONFIG).is_file() else "; give open_clip's folder"
        raise EvenhandError(f"model folder {folder} has no {CONFIG}{offer}")
    if not weights_bytes(folder):
        raise EvenhandError(f"model folder {folder} has no weights; it needs one of {', '.join(_WEIGHTS)}")


def check_hf_folder(folder: Path) -> None:
    """Refuse a transformers folder that lacks a part, or holds an adapter instead of a model.

    Raises
    ------
    EvenhandError
        If a part is missing; the message names it and where it comes from.
    """
    if (folder / "adapter_config.json").is_file():
        raise EvenhandError(
            f"model folder {folder} holds an adapter (adapter_config.json), which changes another model; "
            "merge it with merge_and_unload() of peft and save the whole model"
        )
    if not weights_bytes(folder):
        raise EvenhandError(f"model folder {folder} has no weights; it needs one of {', '.join(_WEIGHTS)}")
    missing = [
        " or ".join(files)
        for files in _PARTS
        if not any(all((folder / name).is_file() for name in one.split("+")) for one in files)
    ]
    if missing:
        raise EvenhandError(
            f"model folder {folder} lacks {' and '.join(missing)}, which save_pretrained of the model alone "
            "does not write; copy them from the base model, or save its processor there: "
            "AutoProcessor.from_pretrained(BASE).save_pretrained(FOLDER)"
        )


def weights_bytes(folder: Path) -> int:
    """Return how large the weights in a folder are."""
    return sum(file.stat().st_size for pattern in _WEIGHTS for file in folder.glob(pattern) if file.is_file())


def folder_of(model: str) -> Path | None:
    """Return the folder on this machine that a model's name stands for, if it stands for one."""
    if model == TINY:
        return TINY_FOLDER
    for prefix in (PREFIX, HF_PREFIX):
        if model.startswith(prefix) and (folder := Path(model.removeprefix(prefix))).is_dir():
            return folder
    return None


def known_words(model: str) -> tuple[str, ...]:
    """Return the words in `words.txt` of a model's folder, one per line; none for other models.

    Raises
    ------
    EvenhandError
        If the file is not UTF-8.
    """
    try:
        lines = words_bytes(model).decode().splitlines()
    except UnicodeDecodeError as error:
        path = f"{folder_of(model)}/{WORDS}"
        raise EvenhandError(f"{path} is not UTF-8 text; save it as UTF-8, or remove it") from error
    return tuple(word for line in lines if (word := line.strip()))


def words_bytes(model: str) -> bytes:
    """Return the bytes that `known_words` reads, which may change while the weights stay the same."""
    folder = folder_of(model)
    path = None if folder is None else folder / WORDS
    return path.read_bytes() if path is not None and path.is_file() else b""


def write_words(folder: Path, words: Sequence[str]) -> None:
    """Write the file that `known_words` reads; nothing for a model without a list of words."""
    if words:
        (folder / WORDS).write_text("".join(f"{word}\n" for word in words), encoding="utf-8")


def check_code(config: Mapping[str, Any], where: str) -> None:
    """Refuse a configuration of open_clip whose tokenizer would run code from elsewhere.

    Raises
    ------
    EvenhandError
        If `trust_remote_code` is anywhere in the arguments of the tokenizer.
    """
    text = config.get("text_cfg")
    settings = text.get("tokenizer_kwargs") if isinstance(text, Mapping) else None
    if isinstance(settings, Mapping) and "trust_remote_code" in settings:
        raise EvenhandError(
            f"{where} asks in {CONFIG} to run code of its own (trust_remote_code), which evenhand "
            "never does; use another model"
        )
