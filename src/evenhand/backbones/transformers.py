"""transformers models: CLIP, SigLIP and SigLIP 2, from a hub's name or a local folder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from errno import ENOENT
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn

from evenhand._errors import EvenhandError
from evenhand._optional import optional
from evenhand.backbones.folder import HF_PREFIX, check_hf_folder, weights_bytes
from evenhand.backbones.limits import check_limits
from evenhand.backbones.loaded_model import LoadedModel
from evenhand.backbones.loader_errors import told
from evenhand.backbones.precision import choose_precision
from evenhand.backbones.projection import LinearProjection, Projection
from evenhand.backbones.quiet import quiet_transformers
from evenhand.backbones.sites import Site
from evenhand.backbones.soundness import check_processors

_NO_CODE = {"trust_remote_code": False}
"""Set explicitly; otherwise transformers asks at the terminal whether to run code from elsewhere."""
_OUR_CODE = {"attn_implementation": "sdpa"}
"""A configuration may name an attention kernel on the hub, which is a program: torch's own is used."""
SITES = {"clip": "visual_projection", "siglip": "identity", "siglip2": "identity"}
"""Projection site by model type; SigLIP's towers end without a linear map, so an identity is added."""


class HfBackbone(LoadedModel):
    """A frozen model of transformers behind the `Backbone` contract.

    SigLIP 2 in its flexible resolution takes patches instead of pixels; `preprocess` lays them out as
    [3, patches, patch² + 1], where the last column holds the mask, and the height and width in patches.

    Parameters
    ----------
    model : torch.nn.Module
        A CLIPModel, SiglipModel or Siglip2Model.
    name : str
        As the user gave it, with `hf:`.
    images, tokenizer : callable
        transformers' image processor and tokenizer.
    device : str, default="cpu"
        Where the trunk runs.
    precision : str, default="fp32"
        Number type of the trunk.
    site : str, optional
        The site that is expected.

    Raises
    ------
    EvenhandError
        If the model is of another type, has no pooled features, or `site` is another one.
    """

    def __init__(
        self,
        model: nn.Module,
        name: str,
        *,
        images: Any,
        tokenizer: Any,
        device: str = "cpu",
        precision: str = "fp32",
        site: str | None = None,
    ) -> None:
        super().__init__(model, name, device, precision)
        self.images, self.tokenizer = images, tokenizer
        self.site = _site(self.model, name, site)

    @property
    def resized_to(self) -> int | None:
        """Largest side in pixels that images are resized to; None if it depends on the image or is none."""
        if isinstance(self.site.trunk, _PooledPatches) or not self.images.do_resize:
            return None
        return (
            None if self.images.resample == Image.Resampling.NEAREST else max(dict(self.images.size).values())
        )

    def preprocess(self, image: Image.Image) -> Tensor:
        """Return pixels [3, H, W] by the model's own processor."""
        made = self.images(images=image, return_tensors="pt")
        pixels: Tensor = made["pixel_values"][0]
        if "spatial_shapes" not in made:
            return pixels
        last = torch.zeros(3, len(pixels), 1)
        last[0, :, 0] = made["pixel_attention_mask"][0]
        last[1:, 0, 0] = made["spatial_shapes"][0].float()
        return torch.cat([pixels.view(len(pixels), -1, 3).permute(2, 0, 1), last], dim=2)

    def picture(self, pixels: Tensor) -> Tensor:
        """Return pixels [B, 3, H, W] as the colors from 0 to 1 that they were before normalization.

        Raises
        ------
        EvenhandError
            If the model takes patches, which cannot be shown as an image.
        """
        if isinstance(self.site.trunk, _PooledPatches):
            raise EvenhandError(
                f"model {self.name!r} takes patches whose resolution depends on the image, so they have no "
                "grid to show; use a SigLIP 2 of fixed resolution"
            )
        if self.images.do_normalize:
            mean, std = (
                torch.tensor(value)[:, None, None]
                for value in (self.images.image_mean, self.images.image_std)
            )
            pixels = pixels * std + mean
        return pixels.clamp(0, 1)

    def preprocessing(self) -> dict[str, Any]:
        """Return the settings of the model's image processor."""
        found: dict[str, Any] = self.images.to_dict()
        return found

    def card(self) -> dict[str, Any]:
        """Return what identifies the features."""
        return {
            "family": "transformers",
            "model": self.name,
            "pretrained": None,
            "weights_sha256": self._weights_hash,
            "preprocessing": json.dumps(self.preprocessing(), sort_keys=True, default=str),
            "site": self.site.name,
            "activation": self.model.config.vision_config.hidden_act,
            "precision": self._precision,
        }

    def _on_device(self, pixels: Tensor) -> Tensor:
        return pixels.to(self._device)

    def _text(self, texts: Sequence[str]) -> Tensor:
        tokens = self.tokenizer(
            list(texts),
            padding="max_length",  # SigLIP was trained so
            truncation=True,
            max_length=self.model.config.text_config.max_position_embeddings,
            return_tensors="pt",
        )
        found = self.model.get_text_features(**tokens.to(self._device))
        # From version 5 on it is wrapped.
        features: Tensor = found if isinstance(found, Tensor) else found.pooler_output
        return features.float().cpu()


class _Pooled(nn.Module):
    def __init__(self, tower: nn.Module) -> None:
        super().__init__()
        self.tower = tower

    def forward(self, pixels: Tensor) -> Tensor:
        pooled: Tensor = self.tower(pixel_values=pixels).pooler_output
        return pooled


class _PooledPatches(_Pooled):
    def forward(self, pixels: Tensor) -> Tensor:
        values, last = pixels[..., :-1], pixels[..., -1]
        # By position: the mask's name is not the same in all versions.
        pooled: Tensor = self.tower(
            values.permute(0, 2, 3, 1).flatten(2), last[:, 0].int(), last[:, 1:, 0].long()
        ).pooler_output
        return pooled


def load_hf(
    model: str, *, device: str = "cpu", precision: str = "fp32", site: str | None = None
) -> HfBackbone:
    """Load a model of transformers with its weights; no code of a repository is run.

    Parameters
    ----------
    model : str
        `hf:` and a hub's name, or `hf:` and a local folder.
    device : str, default="cpu"
        Where the trunk runs.
    precision : str, default="fp32"
        Of the trunk, as in `load_openclip`.
    site : str, optional
        The site that is expected.

    Raises
    ------
    EvenhandError
        If the extra is not installed, the model is not CLIP, SigLIP, or SigLIP 2, a part of it cannot be
        read, or the device, the precision or the site is unknown.
    """
    chosen = choose_precision(precision, device)
    transformers = optional("transformers", "hf")
    source = model.removeprefix(HF_PREFIX)
    folder = Path(source) if Path(source).is_dir() else None
    with told(f"model {model!r} cannot be loaded"), quiet_transformers(transformers):
        if folder is None and Path(source).is_absolute():
            raise FileNotFoundError(ENOENT, "", source)
        config = transformers.AutoConfig.from_pretrained(source, **_NO_CODE)
        _check_type(config.model_type, model)
        if folder is not None:
            check_hf_folder(folder)
            check_limits(config.to_dict(), weights_bytes(folder), f"the config.json of model {model}")
        loaded = transformers.AutoModel.from_pretrained(
            source, config=config, dtype=torch.float32, **_OUR_CODE, **_NO_CODE
        )
        images = transformers.AutoImageProcessor.from_pretrained(source, **_NO_CODE)
        tokenizer = transformers.AutoTokenizer.from_pretrained(source, **_NO_CODE)
    check_processors(images, tokenizer, model)
    return HfBackbone(
        loaded, model, images=images, tokenizer=tokenizer, device=device, precision=chosen, site=site
    )


def write_hf_projection(model: Any, projection: Projection) -> None:
    """Copy a projection into the site of a CLIPModel.

    Raises
    ------
    EvenhandError
        If the model has no linear map there, or one of another shape.
    """
    if SITES[model.config.model_type] == "identity":
        raise EvenhandError("its image tower ends without a projection")
    given = {name: tuple(tensor.shape) for name, tensor in projection.tensors().items()}
    wanted = {"weight": tuple(model.visual_projection.weight.T.shape)}
    if given != wanted:
        raise EvenhandError(f"the projection has tensors of shapes {given} but visual_projection {wanted}")
    with torch.no_grad():
        model.visual_projection.weight.copy_(projection.weight.T)


def _check_type(kind: str, name: str) -> None:
    if kind not in SITES:
        raise EvenhandError(
            f"model {name!r} is of the type {kind}; the allowed values are {', '.join(SITES)}"
        )


def _site(model: Any, name: str, site: str | None) -> Site:
    kind = model.config.model_type
    _check_type(kind, name)
    if site not in (None, SITES[kind]):
        raise EvenhandError(f"site: {site!r} is not a site of model {name!r}; it has {SITES[kind]}")
    if not getattr(model.config.vision_config, "vision_use_head", True):
        raise EvenhandError(f"model {name!r} gives a vector per patch; use one whose vision_use_head is true")
    tower = (_PooledPatches if kind == "siglip2" else _Pooled)(model.vision_model)
    if kind == "clip":
        weight = model.visual_projection.weight.detach().T.float().cpu().contiguous().clone()
    else:
        weight = torch.eye(model.config.vision_config.hidden_size)
    return Site(SITES[kind], LinearProjection(weight), tower)
