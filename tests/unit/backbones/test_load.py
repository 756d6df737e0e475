from pathlib import Path

import pytest

from evenhand import EvenhandError
from evenhand.backbones.load import load_backbone


def test_the_embedded_model_has_no_tag() -> None:
    with pytest.raises(EvenhandError, match="pretrained: 'openai' cannot be used with model tiny"):
        load_backbone("tiny", "openai")


def test_every_kind_of_name_has_its_loader(model_folder: Path) -> None:
    assert load_backbone("tiny").name == "tiny"
    assert load_backbone(f"local-dir:{model_folder}").card()["family"] == "open_clip"
