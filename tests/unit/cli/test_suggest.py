"""The next command can be pasted into a shell and runs the evenhand that was called."""

import shlex
import sys
from pathlib import Path

import pytest

from evenhand._commands import beside
from evenhand.cli import suggest as module
from evenhand.cli.suggest import program, suggest


def test_paths_are_quoted_as_a_shell_reads_them(capsys: pytest.CaptureFixture[str]) -> None:
    path = Path("my birds' $(run)  store")
    suggest("audit", path)
    captured = capsys.readouterr()
    assert captured.out == ""
    start, _, command = captured.err.rstrip("\n").partition(" ")
    assert start == "next:"
    assert shlex.split(command) == ["evenhand", "audit", str(path)]


def test_a_path_that_looks_like_an_option_is_led_by_its_folder(capsys: pytest.CaptureFixture[str]) -> None:
    suggest("audit", Path("-x.store"), "--out", "here")
    assert capsys.readouterr().err == "next: evenhand audit ./-x.store --out here\n"


@pytest.mark.parametrize("name", ["a\nb", "a\x1b[2Jb", "a\u202eb"])
def test_what_a_terminal_would_obey_is_not_suggested(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    suggest("audit", Path(name))
    assert capsys.readouterr().err == ""


def test_the_program_is_what_was_called(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [str(tmp_path / ".venv/bin/evenhand")])
    monkeypatch.setattr(module.shutil, "which", lambda _: None)
    assert program() == ".venv/bin/evenhand"
    monkeypatch.setattr(sys, "argv", ["/opt/tools/bin/evenhand"])
    assert program() == "/opt/tools/bin/evenhand"
    monkeypatch.setattr(module.shutil, "which", lambda _: "/opt/tools/bin/evenhand")
    assert program() == "evenhand"
    monkeypatch.setattr(sys, "argv", ["/usr/bin/pytest"])
    assert program() == "evenhand"


def test_names_go_on_from_the_stores() -> None:
    assert beside(Path("a/birds.store"), ".run") == Path("a/birds.run")
    assert beside(Path("birds.run"), "-model") == Path("birds-model")
    assert beside(Path(".store"), ".run") == Path("my.run")
