"""Small open_clip models with random weights, one for each kind of image tower."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from open_clip.model import CLIP
from safetensors.torch import save_file

TEXT = {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1}
VIT = {"image_size": 32, "patch_size": 8, "width": 48, "head_width": 16, "layers": 2}
TOWERS: dict[str, dict[str, Any]] = {
    "vit": VIT,
    "vit-average": {**VIT, "pool_type": "avg"},
    "vit-norm-after": {**VIT, "pool_type": "avg", "final_ln_after_pool": True},
    "vit-attention": {**VIT, "attentional_pool": True, "attn_pooler_heads": 4},
    "vit-tokens": {**VIT, "output_tokens": True},
    "timm-linear": {"timm_model_name": "test_convnext", "timm_pool": "", "image_size": 64},
    "timm-linear-bias": {"timm_model_name": "test_resnet", "timm_proj_bias": True, "image_size": 64},
    "timm-mlp": {"timm_model_name": "test_convnext", "timm_pool": "", "timm_proj": "mlp", "image_size": 64},
    "timm-classifier": {"timm_model_name": "test_byobnet", "timm_proj": None, "image_size": 64},
    "timm-token": {
        "timm_model_name": "test_vit",
        "timm_pool": "token",
        "timm_proj": None,
        "image_size": 160,
    },
    "timm-map": {"timm_model_name": "test_vit3", "timm_pool": "map", "timm_proj": None, "image_size": 160},
    "siglip": {"timm_model_name": "test_vit3", "timm_pool": "map", "timm_proj": "none", "image_size": 160},
    "resnet": {"image_size": 64, "layers": [1, 1, 1, 1], "width": 8, "head_width": 16},
}


def small_model(tower: str, **text: Any) -> CLIP:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        # A tower without a projection has embeddings of its own width.
        width = 96 if tower == "siglip" else 32
        model = CLIP(embed_dim=width, vision_cfg=TOWERS[tower], text_cfg={**TEXT, **text}, quick_gelu=True)
        # Biases start at zero, which would hide a lost one.
        for name, parameter in model.named_parameters():
            if name.endswith("bias"):
                torch.nn.init.normal_(parameter, std=0.5)
    return model.eval()


@pytest.fixture(params=[*((tower, None) for tower in sorted(TOWERS)), ("resnet", "attnpool")], ids=str)
def tower_and_site(request: pytest.FixtureRequest) -> tuple[str, str | None]:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def model(tower_and_site: tuple[str, str | None]) -> CLIP:
    return small_model(tower_and_site[0])


@pytest.fixture
def site(tower_and_site: tuple[str, str | None]) -> str | None:
    return tower_and_site[1]


@pytest.fixture
def vit() -> CLIP:
    return small_model("vit")


@pytest.fixture
def resnet() -> CLIP:
    return small_model("resnet")


@pytest.fixture
def pixels(model: CLIP) -> torch.Tensor:
    size = model.visual.image_size
    height, width = size if isinstance(size, tuple) else (size, size)
    return torch.randn(5, 3, height, width, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def model_folder(tmp_path: Path) -> Path:
    """open_clip's `local-dir:` layout around a small ViT with quick_gelu off."""
    folder = tmp_path / "small-model"
    folder.mkdir()
    config = {"model_cfg": {"embed_dim": 32, "vision_cfg": VIT, "text_cfg": TEXT}, "preprocess_cfg": {}}
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    save_file(small_model("vit").state_dict(), folder / "open_clip_model.safetensors")
    return folder
