import subprocess
import sys

import pytest
import torch

from evenhand import EvenhandError
from evenhand.cli import devices
from evenhand.cli.devices import choose_device, fit_device, gpu_driver


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
            devices.check_fit_device(text)


def test_absent_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "gpu_driver", lambda: True)
    with pytest.raises(EvenhandError, match=r"--device: cuda:99 is not on this machine, which has .*cpu"):
        choose_device("cuda:99")


def test_without_a_driver_a_gpu_is_refused_before_torch_is_imported() -> None:
    code = (
        "import sys\nfrom evenhand.cli import devices\ndevices.gpu_driver = lambda: False\n"
        "try:\n    devices.check_fit_device('cuda:1')\nexcept Exception as error:\n    print(error)\n"
        "print(devices.fit_device('auto'), 'torch' in sys.modules)"
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
    monkeypatch.setattr(devices, "gpu_driver", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert fit_device("auto") == fit_device("cpu") == "cpu"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert fit_device("auto") == fit_device("cuda") == "cuda"


def test_a_driver_is_a_library_that_can_be_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def missing(name: str) -> None:
        asked.append(name)
        raise OSError(name)

    monkeypatch.setattr(devices.ctypes, "CDLL", missing)
    assert not gpu_driver()
    assert asked == ["libcuda.so.1", "libamdhip64.so"]
    monkeypatch.setattr(devices.ctypes, "CDLL", lambda name: None)
    assert gpu_driver()
