"""Names of models in the forms that people type, each read into one form."""

from __future__ import annotations

import difflib
import os
import re
import sys
from importlib.util import find_spec
from pathlib import Path

from evenhand._errors import EvenhandError, NotAllowedError
from evenhand.backbones.config_sites import CLASSIFIER, LINEAR, MLP, RESNET, VIT
from evenhand.backbones.folder import CONFIG, HF_CONFIG, HF_PREFIX, HUB_PREFIX, PREFIX, TINY

PRECISIONS = ("fp32", "bf16", "fp16")
SITES = (*RESNET, *VIT, *LINEAR, *MLP, *CLASSIFIER, "visual_projection", "identity")
"""Parts that may be trained, of all families of models."""
_PAGE = re.compile(r"(?:https?://)?(?:www\.)?(?:huggingface\.co|hf\.co)/([\w.-]+/[\w.-]+)(?:[/?#].*)?")
_HUB = re.compile(r"[\w.-]+/[\w.-]+")


def read_model(model: str) -> str:
    """Return a model's name in the form that its loader takes; folders get their absolute path.

    Parameters
    ----------
    model : str
        `tiny`; an open_clip name; `local-dir:FOLDER`, `hf:FOLDER` or the folder alone; `hf:ORG/NAME` or
        `hf-hub:ORG/NAME`, where the page's address may stand for ORG/NAME.

    Raises
    ------
    EvenhandError
        If the name is empty, a page or a name on the Hub came without its format, or a folder
        holds no model.
    """
    for prefix in (HUB_PREFIX, HF_PREFIX, PREFIX):
        if model.startswith(prefix):
            source = model.removeprefix(prefix)
            if not source.strip():
                raise EvenhandError(f"model: {model} has no name; write it after {prefix}")
            return prefix + (
                source if prefix == HUB_PREFIX and not _page(source) else _source(source, prefix)
            )
    found = _page(model)
    if found:
        raise _whose(model, found)
    if model == TINY or model.replace("/", "-") in _known():
        return model
    folder = Path(model).expanduser()
    if model and folder.is_dir():
        return _of_folder(folder)
    if _HUB.fullmatch(model):
        raise _whose(model, model)
    if ("/" in model or os.sep in model) and not _near(model, 0.75):
        raise EvenhandError(f"model: {model!r} is not a folder; check the path, or name a model: {_forms()}")
    raise unknown(model)


def check_precision(precision: str) -> None:
    """Refuse a precision that is neither auto nor one of `PRECISIONS`.

    Raises
    ------
    EvenhandError
        If it is not.
    """
    if precision not in ("auto", *PRECISIONS):
        raise NotAllowedError.of("precision", precision, ("auto", *PRECISIONS))


def check_site(site: str | None) -> None:
    """Refuse a site that no model has; whether this model has it is checked after loading.

    Raises
    ------
    EvenhandError
        If it is not one of `SITES`.
    """
    if site is not None and site not in SITES:
        raise NotAllowedError.of("site", site, SITES)


def check_own(model: str, **given: str | None) -> None:
    """Refuse options of open_clip models for a model that has its own settings.

    Raises
    ------
    EvenhandError
        If such an option is given with the embedded model or one of transformers.
    """
    if model != TINY and not model.startswith(HF_PREFIX):
        return
    for option, value in given.items():
        if value is not None:
            own = "weights" if option == "pretrained" else option
            raise EvenhandError(
                f"{option}: {value!r} cannot be used with model {model}, which has its own {own}; leave it "
                "out or name an open_clip model"
            )


def absolute(path: str) -> str:
    """Return a path that holds in every working directory; links stay, so that they may be moved on."""
    return os.path.abspath(os.path.expanduser(path))  # noqa: PTH100, PTH111  Path keeps the `..`


def _source(source: str, prefix: str) -> str:
    page = _page(source)
    if page:
        return page
    if prefix == HUB_PREFIX:
        return source
    is_path = prefix == PREFIX or Path(source).expanduser().is_dir() or source[0] in "~./"
    return absolute(source) if is_path else source


def _page(text: str) -> str | None:
    found = _PAGE.fullmatch(text)
    return found[1] if found else None


def _known() -> list[str]:
    """Return open_clip's names without importing it, which would import torch."""
    loaded = sys.modules.get("open_clip")
    if loaded is not None:
        return list(loaded.list_models())
    return [file.stem for folder in _config_folders() for file in folder.glob("*.json")]


def config_file(model: str) -> Path | None:
    """Return where open_clip keeps the configuration of a name; None if there is none."""
    found = (folder / f"{model.replace('/', '-')}.json" for folder in _config_folders())
    return next((file for file in found if file.is_file()), None)


def _config_folders() -> list[Path]:
    spec = find_spec("open_clip")
    folders = spec.submodule_search_locations if spec else None
    return [Path(folder, "model_configs") for folder in folders or ()]


def _of_folder(folder: Path) -> str:
    if (folder / CONFIG).is_file():
        return PREFIX + absolute(str(folder))
    if (folder / HF_CONFIG).is_file():
        return HF_PREFIX + absolute(str(folder))
    raise EvenhandError(
        f"model: {folder} is a folder without {CONFIG} or {HF_CONFIG}; name one that holds a model of "
        "open_clip or transformers"
    )


def _whose(model: str, name: str) -> EvenhandError:
    return EvenhandError(
        f"model: {model} is a name on the Hub that does not say its format; write "
        f"{HF_PREFIX}{name} for a model of transformers, or {HUB_PREFIX}{name} for one of open_clip; "
        f"without a network, run hf download {name} --local-dir FOLDER on another machine and name "
        f"{HF_PREFIX}FOLDER or {PREFIX}FOLDER"
    )


def unknown(model: str) -> EvenhandError:
    """Return the error for a name that open_clip does not know, with similar names."""
    near = _near(model, 0.5) or ["ViT-B-32", "ViT-L-14", "RN50"]  # what is far from all gets the usual ones
    return EvenhandError(
        f"model: {model!r} is not known to open_clip; give one of its names, such as {', '.join(near)}, or "
        f"{_forms()}"
    )


def _near(model: str, cutoff: float) -> list[str]:
    names = {name.lower(): name for name in _known()}  # they differ in the case of few letters
    return [names[name] for name in difflib.get_close_matches(model.lower(), names, 3, cutoff)]


def _forms() -> str:
    return f"{PREFIX}FOLDER, {HF_PREFIX}FOLDER, {HF_PREFIX}ORG/NAME and {HUB_PREFIX}ORG/NAME"
