from importlib import resources

import torch

from evenhand.backbones.tiny import load_tiny


def test_the_embedded_model_loads_and_is_small() -> None:
    backbone = load_tiny()
    head = backbone.head(
        ["landbird", "waterbird"], {"landbird": ["a landbird"], "waterbird": ["a waterbird"]}
    )
    assert backbone.card()["model"] == "tiny"
    assert head.weight.shape[0] == backbone.width == backbone.trunk(torch.zeros(1, 3, 64, 64)).shape[1]
    folder = resources.files("evenhand.backbones") / "tiny_model"
    assert sum(len(file.read_bytes()) for file in folder.iterdir()) <= 10_000_000


def test_its_whole_attention_pool_may_be_trained() -> None:
    backbone = load_tiny(site="attnpool")
    assert backbone.card()["site"] == "visual.attnpool"
    assert backbone.width == backbone.trunk(torch.zeros(1, 3, 64, 64)).shape[1] == 512 * 2 * 2
