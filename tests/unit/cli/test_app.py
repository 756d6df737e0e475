import errno
import importlib
import resource
import subprocess
import sys
import warnings
from typing import Any

import pytest
from typer.testing import CliRunner

from evenhand import EvenhandError, EvenhandWarning, __version__
from evenhand.cli.app import app

COMMANDS = (
    "demo",
    "embed",
    "import",
    "audit",
    "fit",
    "compare",
    "predict",
    "report",
    "export",
    "bench",
    "doctor",
)


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, list(arguments))


def failing(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> Any:
    module = importlib.import_module("evenhand.cli.doctor")

    def fail() -> None:
        raise error

    monkeypatch.setattr(module, "examine", fail)
    return run("doctor")


def test_expected_failure_is_one_sentence_and_1(monkeypatch: pytest.MonkeyPatch) -> None:
    done = failing(monkeypatch, EvenhandError("the store is\nnot there"))
    assert (done.exit_code, done.stderr, done.stdout) == (1, "error: the store is not there\n", "")


def test_interrupt_is_130(monkeypatch: pytest.MonkeyPatch) -> None:
    done = failing(monkeypatch, KeyboardInterrupt())
    assert (done.exit_code, done.stderr) == (130, "error: interrupted\n")


def test_system_refusal_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    done = failing(monkeypatch, OSError(errno.EACCES, "Permission denied", "a.store"))
    assert (done.exit_code, done.stderr) == (1, "error: a.store: Permission denied\n")


def test_memory_that_does_not_suffice_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    done = failing(monkeypatch, MemoryError("Unable to allocate 16 GiB"))
    assert done.exit_code == 1
    assert done.stderr.startswith("error: out of memory (Unable to allocate 16 GiB); free some")


def test_unexpected_failure_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    done = failing(monkeypatch, ZeroDivisionError("a fault of ours"))
    assert isinstance(done.exception, ZeroDivisionError)
    done = failing(monkeypatch, OSError("no number"))
    assert isinstance(done.exception, OSError)


def test_warnings_are_sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module("evenhand.cli.doctor")

    def warn() -> None:
        warnings.warn("labels are numbers", EvenhandWarning, stacklevel=1)
        raise EvenhandError("stop")

    monkeypatch.setattr(module, "examine", warn)
    assert run("doctor").stderr == "warning: labels are numbers\nerror: stop\n"


@pytest.mark.parametrize(
    "arguments",
    [("nope",), ("fit",), ("fit", "x.store", "--out", "y", "--seed", "-1"), ("audit", "x", "--nope"), ()],
)
def test_wrong_usage_is_2(arguments: tuple[str, ...]) -> None:
    assert run(*arguments).exit_code == 2


def test_version() -> None:
    assert run("--version").stdout == f"evenhand {__version__}\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_examples(name: str) -> None:
    done = run(name, "--help")
    assert done.exit_code == 0
    assert "Examples" in done.stdout
    assert f"evenhand {name}" in done.stdout


def test_help_is_quick() -> None:
    """Half a second is promised; processor time, as other work may share the cores, and no compiled files."""
    code = "import sys; sys.argv = ['evenhand', '--help']; from evenhand.cli import main; main()"

    def once() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(once() for _ in range(5)) < 1.0
