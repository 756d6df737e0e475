"""open_clip models: a name with a tag or a checkpoint, or a local folder."""

from __future__ import annotations

import difflib
import hashlib
import logging
import warnings
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import open_clip
import torch
from PIL import Image
from torch import Tensor

from evenhand._errors import EvenhandError
from evenhand.backbones.prompts import complete
from evenhand.backbones.sites import find_site
from evenhand.data.head import Head
from evenhand.functional.geometry import prototypes

AUTOCAST = {"fp32": None, "bf16": torch.bfloat16, "fp16": torch.float16}


class OpenClipBackbone:
    """A frozen open_clip model behind the `Backbone` contract."""

    def __init__(
        self,
        model: torch.nn.Module,
        name: str,
        pretrained: str | None,
        transform: Any,
        device: str,
        precision: str,
    ) -> None:
        if precision not in AUTOCAST:
            raise EvenhandError(f"precision {precision!r} is unknown; choose {', '.join(AUTOCAST)}")
        self.name = name
        self._weights_hash = _hash(model)
        self._model = model.eval().to(device, memory_format=torch.channels_last)
        self._site = find_site(self._model, name)
        self._pretrained, self._transform = pretrained, transform
        self._device, self._precision = device, precision
        self._tokenizer = open_clip.get_tokenizer(name, context_length=model.context_length)

    @property
    def width(self) -> int:
        """D_in."""
        return len(self._site.weight)

    def preprocess(self, image: Image.Image) -> Tensor:
        """Return pixels [3, H, W] by the model's own transform."""
        pixels: Tensor = self._transform(image)
        return pixels

    @torch.inference_mode()
    def trunk(self, pixels: Tensor) -> Tensor:
        """Return float32 features before the projection, [B, D_in], on the CPU."""
        with self._autocast():
            moved = pixels.to(self._device, memory_format=torch.channels_last)
            return self._site.trunk(moved).float().cpu()

    @torch.inference_mode()
    def head(self, classes: Sequence[str], prompts: Mapping[str, Sequence[str]]) -> Head:
        """Return projection and text prototypes: the renormalised mean of each class's unit prompts."""
        chosen = complete(prompts, classes)
        rows = []
        for name in classes:
            tokens = self._tokenizer(chosen[name]).to(self._device)
            rows.append(prototypes(self._model.encode_text(tokens).float().cpu()[None]))
        return Head(
            self._site.weight.numpy(),
            None if self._site.bias is None else self._site.bias.numpy(),
            tuple(classes),
            torch.cat(rows).numpy(),
            float(self._model.logit_scale.exp()),
            chosen,
        )

    def card(self) -> dict[str, Any]:
        """Return what identifies the features."""
        return {
            "family": "open_clip",
            "model": self.name,
            "pretrained": self._pretrained,
            "weights_sha256": self._weights_hash,
            "preprocessing": " ".join(str(self._transform).split()),
            "site": self._site.path,
            "precision": self._precision,
        }

    def _autocast(self) -> AbstractContextManager[Any]:
        kind = AUTOCAST[self._precision]
        return nullcontext() if kind is None else torch.autocast(torch.device(self._device).type, kind)


def load_openclip(
    model: str, pretrained: str | None = None, *, device: str = "cpu", precision: str = "fp32"
) -> OpenClipBackbone:
    """Load a model with its weights.

    Parameters
    ----------
    model : str
        An open_clip name, or `local-dir:FOLDER`.
    pretrained : str, optional
        A tag of that name or a checkpoint's path; a local folder brings its own weights.
    device, precision : str
        Where the trunk runs, and "fp32", "bf16" or "fp16" autocast.

    Raises
    ------
    EvenhandError
        If the name or the tag is unknown, the folder or the checkpoint cannot be read, or the weights cannot
        be had.
    """
    _check_names(model, pretrained)
    quick = needs_quick_gelu(model, pretrained)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            loaded, _, transform = open_clip.create_model_and_transforms(
                model, pretrained=pretrained, force_quick_gelu=quick, device="cpu"
            )
    except Exception as error:
        # open_clip, the hub client and torch each raise kinds of their own; to the user all mean the same.
        logging.getLogger(__name__).debug("loading %s failed", model, exc_info=True)
        reason = " ".join(str(error).split())[:200]
        raise EvenhandError(
            f"model {model!r} with pretrained {pretrained!r} cannot be loaded: {reason}"
        ) from error
    return OpenClipBackbone(loaded, model, pretrained, transform, device, precision)


def needs_quick_gelu(model: str, pretrained: str | None) -> bool:
    """Tell whether the tag was trained with QuickGELU, which open_clip leaves out of plain names."""
    if pretrained is None or model.startswith("local-dir:"):
        return False
    config = open_clip.pretrained.get_pretrained_cfg(model, pretrained)
    return bool(config and config.get("quick_gelu", False))


def _check_names(model: str, pretrained: str | None) -> None:
    if model.startswith("local-dir:"):
        folder = Path(model.removeprefix("local-dir:"))
        if not (folder / "open_clip_config.json").is_file():
            raise EvenhandError(
                f"model folder {folder} has no open_clip_config.json; give open_clip's folder"
            )
        return
    names = open_clip.list_models()
    if model not in names:
        near = ", ".join(difflib.get_close_matches(model, names, 3)) or "see open_clip.list_models()"
        raise EvenhandError(f"model {model!r} is not known to open_clip; did you mean: {near}")
    tags = open_clip.list_pretrained_tags_by_model(model)
    if pretrained is None:
        raise EvenhandError(f"model {model!r} needs --pretrained: a checkpoint or one of {', '.join(tags)}")
    if pretrained not in tags and not Path(pretrained).is_file():
        raise EvenhandError(
            f"--pretrained {pretrained!r} is neither a file nor a tag of {model}; its tags: {', '.join(tags)}"
        )


def _hash(model: torch.nn.Module) -> str:
    """Return the SHA-256 of all weights, in the order of their sorted names."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
