"""open_clip models: a name with a tag or a checkpoint, or a local folder."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import open_clip

from evenhand._errors import EvenhandError, EvenhandWarning
from evenhand.backbones.checkpoint import read_checkpoint
from evenhand.backbones.config_sites import check_config
from evenhand.backbones.folder import (
    CONFIG,
    HUB_PREFIX,
    PREFIX,
    TINY,
    TINY_FOLDER,
    check_code,
    check_folder,
    weights_bytes,
)
from evenhand.backbones.limits import check_grid, check_limits
from evenhand.backbones.loader_errors import told
from evenhand.backbones.openclip_model import OpenClipBackbone
from evenhand.backbones.precision import choose_precision
from evenhand.backbones.preprocessing import check_preprocessing, choose_settings, is_checkpoint, written
from evenhand.backbones.quiet import quiet
from evenhand.backbones.tags import check_tag
from evenhand.backbones.typed_names import unknown
from evenhand.backbones.undrawn import Undrawn

_TOWERS = ("vision_cfg", "text_cfg")


def load_openclip(
    model: str,
    pretrained: str | None = None,
    *,
    device: str = "cpu",
    precision: str = "fp32",
    site: str | None = None,
    preprocess: str | None = None,
    activation: str | None = None,
) -> OpenClipBackbone:
    """Load a model with its weights.

    A tag that was trained with QuickGELU gets it under either of its two names. A checkpoint file names
    neither its activation nor its preprocessing. It gets what all tags of the name share, or open_clip's
    defaults, and a warning says which.

    Parameters
    ----------
    model : str
        `tiny`, an open_clip name, `local-dir:FOLDER`, or `hf-hub:ORG/NAME`.
    pretrained : str, optional
        A tag of that name or a checkpoint's path; a folder and a hub's model bring their own weights.
    device : str, default="cpu"
        Where the trunk runs.
    precision : "fp32", "bf16", "fp16" or "auto", default="fp32"
        Number type of the trunk; "auto" is fp16 on a GPU and fp32 elsewhere.
    site : str, optional
        Part of the image tower to train, as in `find_site`; features end before it.
    preprocess : str, optional
        How images are prepared, as `read_preprocess` reads it; by default the model's own.
    activation : "gelu" or "quickgelu", optional
        By default the model's own.

    Raises
    ------
    EvenhandError
        If the name, the tag, the device, the precision, the site, the preprocessing or the activation is
        unknown, the image tower's family is not supported, the folder or the checkpoint cannot be read, or
        the weights cannot be had.

    Warns
    -----
    EvenhandWarning
        What was assumed of a checkpoint file.
    """
    chosen, is_tiny = choose_precision(precision, device), model == TINY
    if is_tiny:
        model = f"{PREFIX}{TINY_FOLDER}"
    what = f"model {model!r} with pretrained {pretrained!r} cannot be loaded"
    model, config, weights = _found(model, pretrained, what)
    with told(what):
        check_config(config, model, site)
        check_code(config, f"model {model}")
    if weights is not None:
        check_limits(config, weights, f"the configuration of model {model}")
    settings, quick, notes = choose_settings(model, pretrained, preprocess, activation)
    given = written(settings) if settings else None
    arguments = {f"image_{key}": value for key, value in settings.items() if key != "size"}
    if quick is not None and quick != bool(config.get("quick_gelu")):
        arguments["quick_gelu"] = config["quick_gelu"] = quick
    if "size" in settings:
        arguments["force_image_size"] = config["vision_cfg"]["image_size"] = settings["size"]
    # Tags are trusted to fit their names; a size that was given is one to resize to.
    checked = "size" not in settings and (model.startswith(PREFIX) or is_checkpoint(model, pretrained))
    with told(what), quiet(), _reading(what, config if checked else None), Undrawn():
        loaded, _, transform = open_clip.create_model_and_transforms(
            model, pretrained=pretrained, require_pretrained=True, device="cpu", **arguments
        )
        tokenizer = open_clip.get_tokenizer(model)
    check_preprocessing(loaded.visual.preprocess_cfg, f"the preprocessing of model {model}")
    for note in notes:
        warnings.warn(note, EvenhandWarning, stacklevel=3)
    return OpenClipBackbone(
        loaded,
        TINY if is_tiny else model,
        pretrained,
        transform=transform,
        tokenizer=tokenizer,
        config=config,
        device=device,
        precision=chosen,
        site=site,
        preprocess=given,
    )


def _found(model: str, pretrained: str | None, what: str) -> tuple[str, dict[str, Any], int | None]:
    """Return open_clip's name of a model, its configuration, and the bytes of a local folder's weights."""
    weights = None
    if model.startswith((PREFIX, HUB_PREFIX)):
        if pretrained is not None:
            raise EvenhandError(
                f"pretrained: {pretrained!r} cannot be used with {model}, which has its own weights; leave "
                "it out"
            )
        if model.startswith(PREFIX):
            folder = Path(model.removeprefix(PREFIX))
            check_folder(folder)
            weights = weights_bytes(folder)
    else:
        model = model.replace("/", "-")
        _check_tag(model, pretrained)
    with told(what), quiet():
        config: Any = open_clip.get_model_config(model)
        if not isinstance(config, dict) or not all(isinstance(config.get(key), dict) for key in _TOWERS):
            raise EvenhandError(f"{what}: its {CONFIG} has no {' and '.join(_TOWERS)} under model_cfg")
    return model, config, weights


@contextmanager
def _reading(what: str, config: Mapping[str, Any] | None) -> Iterator[None]:
    """Make open_clip read checkpoints with our reader, because it accepts only paths and no tensors."""

    def read(path: str, *_: Any, **__: Any) -> dict[str, Any]:
        try:
            found = read_checkpoint(path)
            if config is not None:
                check_grid(found, config, path)
        except EvenhandError as error:
            raise EvenhandError(f"{what}: {error}") from error
        return found

    own = open_clip.factory.load_state_dict
    open_clip.factory.load_state_dict = read
    try:
        yield
    finally:
        open_clip.factory.load_state_dict = own


def _check_tag(model: str, pretrained: str | None) -> None:
    if model not in open_clip.list_models():
        raise unknown(model)
    check_tag(model, pretrained, open_clip.list_pretrained_tags_by_model(model))
