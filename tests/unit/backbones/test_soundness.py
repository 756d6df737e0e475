"""A model that gives no numbers is told before the first image is read."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from evenhand import EvenhandError
from evenhand.backbones.load import load_backbone


def damaged(folder: Path, name: str, value: float) -> str:
    file = folder / "open_clip_model.safetensors"
    tensors = load_file(file)
    tensors[name].view(-1)[0] = value
    save_file(tensors, file)
    return f"local-dir:{folder}"


@pytest.mark.parametrize("name", ["token_embedding.weight", "visual.proj", "logit_scale"])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_refused(name: str, value: float, model_folder: Path) -> None:
    with pytest.raises(EvenhandError, match=rf"weights that are not finite: 1 of \d+ in {name}; its weights"):
        load_backbone(damaged(model_folder, name, value))


def test_a_logit_scale_that_overflows_is_refused(model_folder: Path) -> None:
    backbone = load_backbone(damaged(model_folder, "logit_scale", 1000))
    with pytest.raises(EvenhandError, match="logit_scale must be a positive number, but it is inf"):
        backbone.head(["a"], {"a": ["a"]})


def test_text_that_is_not_finite_is_refused(model_folder: Path) -> None:
    backbone = load_backbone(f"local-dir:{model_folder}")
    backbone.model.ln_final.weight.data.fill_(float("nan"))
    with pytest.raises(EvenhandError, match="gives text features that are not finite for class 'cat'"):
        backbone.head(["cat"], {"cat": ["a cat"]})
    with pytest.raises(EvenhandError, match="gives features that are not finite for 'a cat'"):
        backbone.texts(["a cat", "a dog"])


def test_texts_that_cannot_be_read_are_refused(model_folder: Path) -> None:
    backbone = load_backbone(f"local-dir:{model_folder}")
    with pytest.raises(EvenhandError, match="cannot read 2 texts, the first of them 'a cat'"):
        backbone.texts(["a cat", 7])  # type: ignore[list-item]


def test_images_that_are_not_finite_are_refused(model_folder: Path) -> None:
    name = damaged(model_folder, "visual.ln_post.weight", 3e38)
    file = model_folder / "open_clip_model.safetensors"
    tensors = load_file(file)
    tensors["visual.ln_post.weight"].fill_(3e38)
    tensors["visual.ln_post.bias"].fill_(3e38)
    save_file(tensors, file)
    with pytest.raises(EvenhandError, match="gives image features that are not finite"):
        load_backbone(name)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"std": [0, 0, 0]}, r"has std \[0, 0, 0\]; the allowed values are three positive numbers"),
        ({"mean": [0.5]}, r"has mean \[0.5\]; the allowed values are three finite numbers"),
        ({"std": "wide"}, "has std 'wide'"),
        ({"interpolation": "best"}, "cannot be loaded|the allowed values are bicubic"),
        ({"resize_mode": 3}, "cannot be loaded|the allowed values are shortest"),
    ],
)
def test_preprocessing_that_no_image_can_have_is_refused(
    settings: dict[str, object], sentence: str, model_folder: Path
) -> None:
    path = model_folder / "open_clip_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "preprocess_cfg": settings}))
    with pytest.raises(EvenhandError, match=sentence):
        load_backbone(f"local-dir:{model_folder}")


@pytest.mark.parametrize(
    "config",
    [
        [],
        {"model_cfg": []},
        {"model_cfg": {"embed_dim": 32}},
        {"model_cfg": {"embed_dim": 32, "vision_cfg": {"layers": 10**9, "width": 1}, "text_cfg": {}}},
        {
            "model_cfg": {
                "embed_dim": 32,
                "vision_cfg": {"width": 48, "heads": "x"},
                "text_cfg": {"width": {}},
            }
        },
        {"model_cfg": {"embed_dim": 32, "vision_cfg": 3, "text_cfg": None}},
    ],
)
def test_a_hostile_configuration_is_one_sentence(config: object, model_folder: Path) -> None:
    (model_folder / "open_clip_config.json").write_text(json.dumps(config))
    with pytest.raises(EvenhandError) as caught:
        load_backbone(f"local-dir:{model_folder}")
    assert "\n" not in str(caught.value)


def test_nesting_without_end_is_one_sentence(model_folder: Path) -> None:
    (model_folder / "open_clip_config.json").write_text('{"model_cfg":' * 100_000)
    with pytest.raises(EvenhandError, match="cannot be loaded"):
        load_backbone(f"local-dir:{model_folder}")


def test_a_trunk_of_another_width_is_refused(model_folder: Path) -> None:
    from evenhand.backbones.soundness import check_trunk

    class Narrow:
        name, width = "narrow", 5

        def preprocess(self, image: object) -> torch.Tensor:
            return torch.zeros(3, 2, 2)

        def trunk(self, pixels: torch.Tensor) -> torch.Tensor:
            return torch.zeros(1, 4)

    with pytest.raises(EvenhandError, match=r"features of shape \[1, 4\] for one image.*takes \[1, 5\]"):
        check_trunk(Narrow())  # type: ignore[arg-type]


def test_finite_weights_whose_sum_overflows_are_accepted(model_folder: Path) -> None:
    file = model_folder / "open_clip_model.safetensors"
    tensors = load_file(file)
    tensors["token_embedding.weight"].view(-1)[:2] = 3e38
    save_file(tensors, file)
    load_backbone(f"local-dir:{model_folder}")
