"""open_clip models: a name with a tag or a checkpoint, or a local folder."""

from __future__ import annotations

import hashlib
import logging
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from textwrap import shorten
from typing import Any

import open_clip
import torch
from open_clip.transformer import QuickGELU
from PIL import Image
from torch import Tensor

from evenhand._errors import EvenhandError
from evenhand.backbones.folder import PREFIX, check_folder, known_words
from evenhand.backbones.names import unknown_model
from evenhand.backbones.precision import arithmetic, choose_precision
from evenhand.backbones.prompts import complete
from evenhand.backbones.sites import Site, check_config, find_site
from evenhand.data.head import Head
from evenhand.functional.geometry import prototypes


class OpenClipBackbone:
    """A frozen open_clip model behind the `Backbone` contract.

    Parameters
    ----------
    model : torch.nn.Module
        With its weights.
    name, pretrained : str, str or None
        As the user gave them.
    transform, tokenizer : callable
        Picture to pixels [3, H, W]; texts to token ids.
    config : mapping, optional
        open_clip's configuration of the model, which an export needs.
    device, precision : str
        Where the trunk runs, and a key of `AUTOCAST`.
    site : str, optional
        As in `find_site`.

    Attributes
    ----------
    model, tokenizer, config
        As given.
    site : Site
        The projection site.
    words : tuple of str
        The words that the model says it knows: `words.txt` in its folder, one a line; empty where it has
        none, as for models that learned from the web.

    Raises
    ------
    EvenhandError
        If the projection site is not known.
    """

    def __init__(
        self,
        model: torch.nn.Module,
        name: str,
        pretrained: str | None,
        *,
        transform: Any,
        tokenizer: Any,
        config: Mapping[str, Any] | None = None,
        device: str = "cpu",
        precision: str = "fp32",
        site: str | None = None,
    ) -> None:
        self.name, self.tokenizer, self.config = name, tokenizer, config
        self._weights_hash = weights_hash(model)
        # Channels last is what convolutions run fastest in, on both kinds of device.
        self.model: Any = model.eval().to(torch.device(device)).to(memory_format=torch.channels_last)
        self.site: Site = find_site(self.model, name, site)
        self._pretrained, self._transform = pretrained, transform
        self._device, self._precision = torch.device(device), precision
        self.words = known_words(name)

    @property
    def width(self) -> int:
        """D_in."""
        return self.site.projection.width

    def to(self, device: str) -> None:
        """Move the model to another device."""
        self._device = torch.device(device)
        # The trunk shares the model's weights, but may hold buffers of its own.
        self.model.to(self._device)
        self.site.trunk.to(self._device)

    def preprocess(self, image: Image.Image) -> Tensor:
        """Return pixels [3, H, W] by the model's own transform."""
        pixels: Tensor = self._transform(image)
        return pixels

    def picture(self, pixels: Tensor) -> Tensor:
        """Return pixels [B, 3, H, W] as the colours from 0 to 1 that they were before normalisation."""
        visual = self.model.visual
        mean, std = (torch.tensor(value)[:, None, None] for value in (visual.image_mean, visual.image_std))
        return (pixels * std + mean).clamp(0, 1)

    @torch.inference_mode()
    def trunk(self, pixels: Tensor) -> Tensor:
        """Return float32 features before the projection, [B, D_in], on the CPU."""
        return self.differentiable_trunk(pixels)

    def differentiable_trunk(self, pixels: Tensor) -> Tensor:
        """Return what `trunk` does, with a gradient in pixels that ask for one."""
        with arithmetic(self._precision, self._device):
            moved = pixels.to(self._device, memory_format=torch.channels_last)
            features: Tensor = self.site.trunk(moved)
        return features.float().cpu()

    @torch.inference_mode()
    def head(self, classes: Sequence[str], prompts: Mapping[str, Sequence[str]]) -> Head:
        """Return projection and text prototypes: the renormalised mean of each class's unit prompts."""
        chosen = complete(prompts, classes)
        rows = []
        for name in classes:
            tokens = self.tokenizer(chosen[name]).to(self._device)
            rows.append(prototypes(self.model.encode_text(tokens).float().cpu()[None]))
        arrays = {name: tensor.numpy() for name, tensor in self.site.projection.tensors().items()}
        return Head(
            arrays.pop("weight"),
            arrays.pop("bias", None),
            tuple(classes),
            torch.cat(rows).numpy(),
            float(self.model.logit_scale.exp()),
            chosen,
            pool=arrays,
        )

    def preprocessing(self) -> dict[str, Any]:
        """Return size, resizing, mean and standard deviation, as open_clip's configurations name them."""
        return dict(self.model.visual.preprocess_cfg)

    def card(self) -> dict[str, Any]:
        """Return what identifies the features."""
        quick = any(isinstance(module, QuickGELU) for module in self.model.modules())
        return {
            "family": "open_clip",
            "model": self.name,
            "pretrained": self._pretrained,
            "weights_sha256": self._weights_hash,
            "preprocessing": " ".join(str(self._transform).split()),
            "site": f"visual.{self.site.name}",
            "activation": "QuickGELU" if quick else "GELU",
            "precision": self._precision,
        }


def load_openclip(
    model: str,
    pretrained: str | None = None,
    *,
    device: str = "cpu",
    precision: str = "fp32",
    site: str | None = None,
) -> OpenClipBackbone:
    """Load a model with its weights.

    A tag that was trained with QuickGELU gets it, under whichever of the two names it is asked for; with a
    checkpoint the name decides, so OpenAI's weights want a name that ends in `-quickgelu`.

    Parameters
    ----------
    model : str
        An open_clip name, or `local-dir:FOLDER`.
    pretrained : str, optional
        A tag of that name or a checkpoint's path; a local folder brings its own weights.
    device : str
        Where the trunk runs.
    precision : "fp32", "bf16", "fp16" or "auto"
        Of the trunk; "auto" is fp16 on a GPU and fp32 elsewhere.
    site : str, optional
        Part of the image tower to train, as in `find_site`; features end before it.

    Raises
    ------
    EvenhandError
        If the name, the tag, the device, the precision or the site is unknown, the image tower's family is
        not supported, the folder or the checkpoint cannot be read, or the weights cannot be had.
    """
    chosen = choose_precision(precision, device)
    if model.startswith(PREFIX):
        check_folder(Path(model.removeprefix(PREFIX)), pretrained)
    else:
        model = model.replace("/", "-")
        _check_names(model, pretrained)
        check_config(open_clip.get_model_config(model), model, site)
    quick = needs_quick_gelu(model, pretrained)
    try:
        with _quiet():
            loaded, _, transform = open_clip.create_model_and_transforms(
                model,
                pretrained=pretrained,
                force_quick_gelu=quick,
                require_pretrained=True,
                device="cpu",
            )
            tokenizer = open_clip.get_tokenizer(model)
            config = open_clip.get_model_config(model)
    except Exception as error:
        # open_clip, the hub client and torch each raise kinds of their own; to the user all mean the same.
        logging.getLogger(__name__).debug("loading %s failed", model, exc_info=True)
        reason = shorten(str(error), 300, placeholder=" …")
        raise EvenhandError(
            f"model {model!r} with pretrained {pretrained!r} cannot be loaded: {reason}"
        ) from error
    return OpenClipBackbone(
        loaded,
        model,
        pretrained,
        transform=transform,
        tokenizer=tokenizer,
        config={**config, "quick_gelu": True} if quick else config,
        device=device,
        precision=chosen,
        site=site,
    )


def needs_quick_gelu(model: str, pretrained: str | None) -> bool:
    """Tell whether the tag was trained with QuickGELU, which open_clip leaves out of plain names.

    A tag that says nothing leaves the model's configuration as it is.
    """
    if pretrained is None:
        return False
    config = open_clip.pretrained.get_pretrained_cfg(model, pretrained)
    return bool(config.get("quick_gelu", False))


def weights_hash(model: torch.nn.Module) -> str:
    """Return the SHA-256 of all weights, in the order of their sorted names."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _check_names(model: str, pretrained: str | None) -> None:
    names = open_clip.list_models()
    if model not in names:
        raise unknown_model(model, names)
    tags = open_clip.list_pretrained_tags_by_model(model)
    listed = ", ".join(tags) or "none"
    if pretrained is None:
        raise EvenhandError(f"model {model!r} needs --pretrained: a checkpoint or one of its tags: {listed}")
    if not open_clip.pretrained.is_pretrained_cfg(model, pretrained) and not Path(pretrained).is_file():
        raise EvenhandError(
            f"--pretrained {pretrained!r} is neither a file nor a tag of {model}; its tags: {listed}"
        )


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep open_clip off the user's screen: it logs to the root logger, which sets that up to print.

    Nor does it get an answer: transformers, which it uses, asks whether to run a stranger's code.
    """
    root, handler, level = logging.getLogger(), logging.NullHandler(), logging.root.manager.disable
    stdin, sys.stdin = sys.stdin, StringIO()
    root.addHandler(handler)
    logging.disable(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        sys.stdin = stdin
        logging.disable(level)
        root.removeHandler(handler)
