"""Tags of open_clip, read without importing it."""

import ast
from pathlib import Path

import open_clip
import pytest

from evenhand import EvenhandError
from evenhand.backbones.tags import _tags, check_tag, tags_of
from evenhand.cli.early import check_model


def test_tags_are_those_that_open_clip_lists() -> None:
    read = {name: tags_of(name) for name in open_clip.list_models()}
    known = {name: tags for name, tags in read.items() if tags is not None}
    assert known == {name: open_clip.list_pretrained_tags_by_model(name) for name in known}
    assert set(open_clip.pretrained._PRETRAINED) - set(known) == {
        name for name in open_clip.pretrained._PRETRAINED if name.endswith("-quickgelu")
    }


@pytest.mark.parametrize("source", ["", "_PRETRAINED = make()", "_PRETRAINED = {'a': b}", "_PRETRAINED = {}"])
def test_a_source_of_another_form_says_nothing(source: str) -> None:
    assert _tags(ast.parse(source), "a") is None


def test_a_misspelt_tag_is_refused_before_torch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = tmp_path / "w.pt"
    weights.write_bytes(b"\x80")
    check_model("ViT-B/32", "auto", "laion400m-e31")
    check_model("ViT-B-32", "auto", str(weights))
    with pytest.raises(EvenhandError, match="'opnai' is neither a file nor a tag of ViT-B-32; its tags: op"):
        check_model("ViT-B/32", "auto", "opnai")
    with pytest.raises(EvenhandError, match="'ViT-B-32' needs a checkpoint, or one of its tags: openai"):
        check_model("ViT-B-32", "auto")
    with pytest.raises(EvenhandError, match="is a folder; name its file with the weights"):
        check_tag("ViT-B-32", str(tmp_path), ["openai"])
    monkeypatch.setattr("evenhand.backbones.tags.find_spec", lambda _: None)
    check_model("ViT-B-32", "auto", "opnai")
