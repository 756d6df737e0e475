import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from evenhand import EvenhandError
from evenhand.cli import options
from evenhand.cli.options import (
    choose_device,
    fit_device,
    gpu_driver,
    listed,
    read_mapping,
    read_templates,
    set_threads,
)


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


def test_device_cpu_is_always_there() -> None:
    assert choose_device("cpu") == "cpu"
    assert choose_device("auto") in ("cpu", "mps", "cuda")


@pytest.mark.parametrize("text", ["gpu", "cuda:x", "cpu:1", "", "cuda:-1"])
def test_unknown_devices(text: str) -> None:
    with pytest.raises(
        EvenhandError, match=r"--device: .* is unknown; the allowed values are auto, cpu, mps, cuda, cuda:N"
    ):
        choose_device(text)


def test_a_fit_is_offered_what_it_can_use() -> None:
    for text in ("tpu", "mps"):
        with pytest.raises(
            EvenhandError, match=f"^--device: .*{text}.*; the allowed values are auto, cpu, cuda, cuda:N$"
        ):
            options.check_fit_device(text)


def test_absent_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(options, "gpu_driver", lambda: True)
    with pytest.raises(EvenhandError, match=r"--device: cuda:99 is not on this machine, which has .*cpu"):
        choose_device("cuda:99")


def test_without_a_driver_a_gpu_is_refused_before_torch_is_imported() -> None:
    code = (
        "import sys\nfrom evenhand.cli import options\noptions.gpu_driver = lambda: False\n"
        "try:\n    options.check_fit_device('cuda:1')\nexcept Exception as error:\n    print(error)\n"
        "print(options.fit_device('auto'), 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == (
        "--device: cuda:1 is not on this machine: it has no GPU driver; leave --device out to choose "
        "automatically\ncpu False\n"
    )


def test_fits_run_on_the_cpu_or_on_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        EvenhandError, match="--device: mps has no float64, which fits need; the allowed values are auto"
    ):
        fit_device("mps")
    monkeypatch.setattr(options, "gpu_driver", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert fit_device("auto") == fit_device("cpu") == "cpu"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert fit_device("auto") == fit_device("cuda") == "cuda"


def test_a_driver_is_a_library_that_can_be_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def missing(name: str) -> None:
        asked.append(name)
        raise OSError(name)

    monkeypatch.setattr(options.ctypes, "CDLL", missing)
    assert not gpu_driver()
    assert asked == ["libcuda.so.1", "libamdhip64.so"]
    monkeypatch.setattr(options.ctypes, "CDLL", lambda name: None)
    assert gpu_driver()


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
