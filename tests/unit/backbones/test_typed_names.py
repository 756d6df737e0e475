import os
import subprocess
import sys
from pathlib import Path

import open_clip
import pytest

from evenhand import EvenhandError
from evenhand.backbones.typed_names import read_model


@pytest.fixture
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name, file in (("oc", "open_clip_config.json"), ("hf", "config.json"), ("none", "notes.txt")):
        (tmp_path / name).mkdir()
        (tmp_path / name / file).write_text("{}")
    return tmp_path


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("tiny", "tiny"),
        ("ViT-B/32", "ViT-B/32"),
        ("local-dir:./oc", "local-dir:{}/oc"),
        ("local-dir:none/../oc", "local-dir:{}/oc"),
        ("local-dir:~/oc", "local-dir:{}/oc"),
        ("oc", "local-dir:{}/oc"),
        ("./hf", "hf:{}/hf"),
        ("hf:hf", "hf:{}/hf"),
        ("hf:./gone", "hf:{}/gone"),
        ("hf:openai/clip", "hf:openai/clip"),
        ("hf:https://huggingface.co/openai/clip/tree/main", "hf:openai/clip"),
        ("hf-hub:laion/CLIP", "hf-hub:laion/CLIP"),
        ("hf-hub:huggingface.co/laion/CLIP", "hf-hub:laion/CLIP"),
    ],
)
def test_a_name_is_read_into_the_form_of_its_loader(typed: str, read: str, inside: Path) -> None:
    assert read_model(typed) == read.format(inside)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        (
            "openai/clip-vit",
            "write hf:openai/clip-vit for .* or hf-hub:openai/clip-vit for .*--local-dir FOLDER",
        ),
        ("https://huggingface.co/laion/CLIP", "write hf:laion/CLIP for a model of transformers, or hf-hub:"),
        ("none", "is a folder without open_clip_config.json or config.json"),
        ("/no/such/folder", "is not a folder; check the path"),
        ("hf:", "model: hf: has no name"),
        ("hf: ", "model: hf:  has no name"),
        ("ViT-L/14@336px", "not known to open_clip.*such as ViT-L-14-336"),  # OpenAI's own spelling
        ("ViT-b32", "not known to open_clip.*such as ViT-B-32"),
        ("", "not known to open_clip"),
    ],
)
def test_what_stands_for_no_model_says_what_to_write(typed: str, sentence: str, inside: Path) -> None:
    with pytest.raises(EvenhandError, match=sentence):
        read_model(typed)


def test_names_are_known_before_torch_is_imported() -> None:
    code = (
        "import sys; from evenhand.backbones.typed_names import _known; names = _known(); "
        "assert 'torch' not in sys.modules; print(*sorted(names))"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    assert found.stdout.split() == sorted(open_clip.list_models())
