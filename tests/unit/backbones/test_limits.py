import pytest

from evenhand import EvenhandError
from evenhand.backbones.limits import check_grid, check_limits

BYTES = 1_000_000


@pytest.mark.parametrize(
    "config",
    [
        {"embed_dim": 512, "vision_cfg": {"layers": [3, 4, 6, 3], "width": 64, "image_size": [224, 224]}},
        {"text_cfg": {"vocab_size": 49408, "context_length": 77, "layers": 12, "mlp_ratio": 4.0}},
        {"text_cfg": {"width": None}, "bos_token_id": -1, "init_logit_bias": -10},
    ],
)
def test_sizes_in_proportion_are_let_through(config: dict[str, object]) -> None:
    check_limits(config, BYTES, "the model")


@pytest.mark.parametrize(
    ("config", "named"),
    [
        ({"vision_cfg": {"width": 10**9}}, "vision_cfg.width = '1000000000'"),
        ({"vision_cfg": {"layers": 10**6}}, "vision_cfg.layers"),
        ({"vision_cfg": {"layers": [3, 10**6]}}, "vision_cfg.layers"),
        ({"vision_cfg": {"patch_size": 0}}, "vision_cfg.patch_size = '0'"),
        ({"vision_cfg": {"image_size": -224}}, "vision_cfg.image_size"),
        ({"text_cfg": {"vocab_size": 10**12}}, "text_cfg.vocab_size"),
        ({"text_cfg": {"context_length": 10**6}}, "text_cfg.context_length"),
        ({"text_cfg": {"mlp_ratio": float("nan")}}, "text_cfg.mlp_ratio"),
        ({"embed_dim": "512"}, "embed_dim = '512'"),
        ({"embed_dim": True}, "embed_dim = 'True'"),
        ({"embed_dim": 12.5}, "embed_dim"),
        ({"vision_cfg": {"layers": 900, "width": 900}}, "900 layers of width 900 in vision_cfg"),
        (
            {"text_config": {"num_hidden_layers": 9, "hidden_size": 999}},
            "9 layers of width 999 in text_config",
        ),
    ],
)
def test_sizes_out_of_proportion_are_refused(config: dict[str, object], named: str) -> None:
    with pytest.raises(EvenhandError, match=f"the model has {named}.*belongs to other weights"):
        check_limits(config, BYTES, "the model")


def test_positions_of_another_image_size_are_refused() -> None:
    config = {"vision_cfg": {"image_size": 224, "patch_size": 14}}
    check_grid({"visual.positional_embedding": [0] * 257}, config, "m.pt")
    check_grid({}, config, "m.pt")
    with pytest.raises(
        EvenhandError, match=r"m\.pt has position .* of 336 pixels.*give `preprocess='size=336'`"
    ):
        check_grid({"visual.positional_embedding": [0] * 577}, config, "m.pt")
