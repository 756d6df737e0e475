"""No command writes over, into or around what it reads: every pair of paths of every command."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_type_hints

import pytest
import typer
from typer.core import TyperArgument
from typer.testing import CliRunner

from evenhand._errors import EvenhandError
from evenhand._outputs import keep_apart
from evenhand.cli.app import app
from evenhand.cli.paths import inputs

COMMANDS: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]
TEXTS = {"model": "local-dir:{}", "pretrained": "{}", "class_names": "{}", "templates": "{}"}
"""Options that take a text which may be a path; a model is a folder, the others are files."""


HINTS = {info.name: get_type_hints(info.callback) for info in app.registered_commands}


def paths_of(name: str) -> set[str]:
    """Return the parameters of a command that are declared to be paths, or lists of them."""
    return {parameter for parameter, hint in HINTS[name].items() if re.search(r"\bPath\b", str(hint))}


def writers() -> Iterator[tuple[str, str]]:
    """Yield every command that writes, with every parameter of it that may be a path that is read."""
    for name, command in COMMANDS.items():
        parameters = {parameter.name: parameter for parameter in command.params}
        if "out" not in parameters:
            continue
        for parameter in parameters.values():
            if parameter.name in {*paths_of(name), *TEXTS} - {"out", "root"}:
                yield name, parameter.name


PAIRS = list(writers())


def test_every_path_that_is_written_is_called_out() -> None:
    for name, command in COMMANDS.items():
        for parameter in (parameter for parameter in command.params if parameter.name in paths_of(name)):
            writes = re.search(r"\bto write\b|\bto resume\b", getattr(parameter, "help", None) or "")
            assert (parameter.name == "out") == bool(writes), (name, parameter.name)


def test_the_list_is_not_empty() -> None:
    assert {"embed", "import", "fit", "compare", "predict", "report", "export", "bench"} <= set(dict(PAIRS))
    assert ("predict", "features") in PAIRS
    assert ("import", "table") in PAIRS


def line(name: str, read: str, path: Path, out: Path) -> list[str]:
    """Return arguments of a command that reads a path and writes another; what else it needs is not there."""
    given = {read: TEXTS.get(read, "{}").format(path), "out": str(out)}
    arguments: list[str] = [name]
    for parameter in COMMANDS[name].params:
        value = given.get(parameter.name)
        if value is None and parameter.required:
            value = "open_clip" if parameter.name == "to" else "not-there"
        if value is None:
            continue
        if isinstance(parameter, TyperArgument):
            arguments.append(value)
        else:
            arguments += [parameter.opts[0], value]
    if name == "bench":
        arguments.insert(1, "scenes")
    return arguments


def same(path: Path) -> Path:
    return path


def by_detour(path: Path) -> Path:
    return path.parent / "detour" / ".." / path.name


def by_link(path: Path) -> Path:
    link = path.with_name("link")
    link.symlink_to(path)
    return link


def by_hard_link(path: Path) -> Path:
    link = path.with_name("hard")
    os.link(path, link)
    return link


def inside(path: Path) -> Path:
    return path / "new" / "x"


def inside_by_link(path: Path) -> Path:
    return by_link(path) / "x"


def around(path: Path) -> Path:
    return path.parent


@pytest.mark.parametrize(
    ("place", "said", "folder"),
    [
        (same, "which this command reads", None),
        (by_detour, "which this command reads", None),
        (by_link, "which this command reads", None),
        (by_hard_link, "which this command reads", False),
        (inside, "is inside", True),
        (inside_by_link, "is inside", True),
        (around, "contains", None),
    ],
)
@pytest.mark.parametrize(("name", "read"), PAIRS)
def test_an_output_stays_apart_from_what_is_read(
    name: str, read: str, place: Callable[[Path], Path], said: str, folder: bool | None, tmp_path: Path
) -> None:
    whole = folder if folder is not None else read == "model"
    if (whole and read in TEXTS and read != "model") or (not whole and read == "model"):
        return
    path = tmp_path / "deep" / "input"
    (path.parent / "detour").mkdir(parents=True)
    if whole:
        path.mkdir()
        (path / "mine").write_text("mine")
    else:
        path.write_text("mine")
    done = CliRunner().invoke(app, line(name, read, path, place(path)))
    assert done.exit_code == 1, (done.exception, done.stderr)
    assert done.stderr.startswith("error: --out: "), done.stderr
    assert said in done.stderr
    assert (path / "mine" if whole else path).read_text() == "mine"


def test_what_is_apart_goes(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    keep_apart(tmp_path / "photos.store", [tmp_path / "photos", Path("s3://bucket/photos"), Path("x" * 5000)])
    keep_apart(tmp_path / "new" / "photos" / "x", [tmp_path / "photos"])


def test_a_folder_in_another_case_is_the_same_where_the_system_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a file system that ignores case, or below a bind mount: two names, one number."""
    (tmp_path / "photos").mkdir()
    stat = Path.stat

    def deaf(path: Path, **more: Any) -> os.stat_result:
        return stat(Path(str(path).replace("PHOTOS", "photos")), **more)

    monkeypatch.setattr(Path, "stat", deaf)
    with pytest.raises(EvenhandError, match="is inside"):
        keep_apart(tmp_path / "PHOTOS" / "x.store", [tmp_path / "photos"])


def test_words_that_name_no_file_are_no_paths() -> None:
    given = {
        "model": "tiny",
        "templates": "simple",
        "class_names": "a," * 3000,
        "method": "cfr",
        "out": Path("x"),
    }
    assert list(inputs(given)) == []
    assert list(inputs({"model": "hf: "})) == []
