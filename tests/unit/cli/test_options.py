import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from evenhand import EvenhandError
from evenhand.cli.options import listed, read_mapping, read_templates, set_threads


def test_listed() -> None:
    assert listed(None) is None
    assert listed(" a, b ,,c") == ["a", "b", "c"]


def test_threads_are_set(monkeypatch: pytest.MonkeyPatch) -> None:
    before = torch.get_num_threads()
    monkeypatch.setattr(os, "environ", {})
    try:
        set_threads(1)
        assert torch.get_num_threads() == 1
        assert set(os.environ.values()) == {"1"}
        assert "OPENBLAS_NUM_THREADS" in os.environ
    finally:
        torch.set_num_threads(before)


def test_without_a_number_threads_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    before = torch.get_num_threads()
    monkeypatch.setattr(os, "environ", {})
    set_threads(None)
    assert torch.get_num_threads() == before
    assert not os.environ


def test_blas_obeys_in_a_new_process() -> None:
    code = (
        "from evenhand.cli.options import set_threads\nset_threads(1)\nimport numpy\nimport scipy.linalg\n"
        "from threadpoolctl import threadpool_info as pools\nprint({pool['num_threads'] for pool in pools()})"
    )
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert done.stdout == "{1}\n", done.stderr


def test_class_names_as_list_mapping_or_file(tmp_path: Path) -> None:
    assert read_mapping(None) is None
    assert read_mapping("land bird, water bird") == {"0": "land bird", "1": "water bird"}
    assert read_mapping("0=land, 1=water") == {"0": "land", "1": "water"}
    file = tmp_path / "names.txt"
    file.write_text("\ufeff0=land\n\n1=a, b\n", encoding="utf-8")
    assert read_mapping(str(file)) == {"0": "land", "1": "a, b"}
    assert read_mapping("x" * 5000) == {"0": "x" * 5000}


@pytest.mark.parametrize("text", ["0=a,b", "0=a,0=b"])
def test_mixed_or_double_class_names(text: str) -> None:
    with pytest.raises(EvenhandError, match=r"--class-names: got .*; give every label once"):
        read_mapping(text)


def test_templates(tmp_path: Path) -> None:
    assert read_templates(None) is None
    assert read_templates("openai") == "openai"
    file = tmp_path / "templates.txt"
    file.write_text("a photo of a {}.\n\na drawing of a {c}.\n")
    assert read_templates(str(file)) == ["a photo of a {}.", "a drawing of a {c}."]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("\n", "is empty; write one template per line"),
        ("a {}\na {name}\n", r"'a \{name\}' in .* has neither \{\} nor \{c\}; write one for the class name"),
    ],
)
def test_templates_without_a_place_for_the_name(tmp_path: Path, content: str, sentence: str) -> None:
    file = tmp_path / "templates.txt"
    file.write_text(content)
    with pytest.raises(EvenhandError, match=f"--templates: .*{sentence}"):
        read_templates(str(file))


def test_templates_file_missing() -> None:
    with pytest.raises(
        EvenhandError, match=r"--templates: 'nowhere.txt' is unknown; the allowed values are openai, simple"
    ):
        read_templates("nowhere.txt")


def test_text_files_must_be_utf8(tmp_path: Path) -> None:
    file = tmp_path / "names.txt"
    file.write_bytes(b"V\xf6gel\n")
    with pytest.raises(EvenhandError, match="is not UTF-8 text; save it as UTF-8"):
        read_mapping(str(file))


@pytest.mark.parametrize(
    ("read", "option"), [(read_templates, "--templates"), (read_mapping, "--class-names")]
)
def test_a_pipe_is_no_file_of_names(read: Any, option: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "names")
    for place in (str(tmp_path / "names"), "/dev/null"):
        with pytest.raises(EvenhandError, match=f"{option}: {place} is not a regular file; write it to a"):
            read(place)
    assert read_mapping("a" * 5000) == {"0": "a" * 5000}
