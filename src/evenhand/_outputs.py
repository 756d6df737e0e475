"""Checks of output paths: never an input, and never a file of other software."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from evenhand._errors import EvenhandError

RESULTS = "results.json"
"""The file of results in every folder that `fit`, `compare`, `bench` or `demo` writes."""

_DEMO = re.compile(r"results\.json|report\.html|report-files|seed-\d+|\..*")
"""What a demo's folder holds, and what systems leave in any."""
_START = 4096
"""Bytes at the start of a file that tell its kind."""


def keep_apart(out: Path, inputs: Iterable[str | os.PathLike[str] | None], *, argument: str = "out") -> None:
    """Refuse an output that is an input, is inside one, or holds one, by whatever name.

    Files are compared as the system numbers them: links, mounts, `..` and other cases are the same file.

    Parameters
    ----------
    out : Path
        What will be written; it need not exist.
    inputs : iterable of str, Path or None
        What is read; those that do not exist, such as addresses, are left to their readers.
    argument : str
        Name of `out` in the message.

    Raises
    ------
    EvenhandError
        If writing `out` could change an input.
    """
    here = _seen(out)
    around = [_seen(path) for path in _folders(out)]
    for path in (Path(one) for one in inputs if one is not None):
        found = _seen(path)
        if found is None:
            continue
        if found == here:
            raise EvenhandError(
                f"{argument}: {out} is {path}, which this command reads and would overwrite; name another"
            )
        if found in around:
            raise EvenhandError(
                f"{argument}: {out} is inside {path}, which this command reads; name a place outside it"
            )
        if here is not None and here in map(_seen, _folders(path)):
            raise EvenhandError(
                f"{argument}: {out} contains {path}, which this command reads; name a place outside it"
            )


def _seen(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except (OSError, ValueError):  # it does not exist, or its name cannot
        return None
    return found.st_dev, found.st_ino


def _folders(path: Path) -> Iterator[Path]:
    """Yield the folders that contain a path, with links resolved."""
    yield from Path(os.path.realpath(path)).parents


def check_writable(out: Path, *, argument: str = "out") -> None:
    """Refuse a path that could not be written, before the work for it.

    Raises
    ------
    EvenhandError
        If a file stands where a folder must be, its name is too long, or a permission is missing.
    """
    try:
        parent = next(path for path in (out, *out.absolute().parents) if _exists(path))
    except OSError as error:
        raise EvenhandError(f"{argument}: {out} cannot be written: {error.strerror}; name another") from error
    if parent != out and not parent.is_dir():
        raise EvenhandError(f"{argument}: {out} cannot be written: {parent} is not a folder; name another")
    if not os.access(parent, os.W_OK | (os.X_OK if parent.is_dir() else 0)):
        raise EvenhandError(
            f"{argument}: {out} cannot be written: no permission in {parent}; name another folder"
        )
    if parent.is_dir():
        _try(parent, out, argument)


def _try(folder: Path, out: Path, argument: str) -> None:
    """Write a file without a name: to root the system allows what then fails."""
    try:
        with tempfile.TemporaryFile(dir=folder) as stream:
            stream.write(b"0")
            stream.flush()
    except OSError as error:
        raise EvenhandError(
            f"{argument}: {out} cannot be written: {error.strerror} in {folder}; name another folder"
        ) from error


def _exists(path: Path) -> bool:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def check_new(folder: Path, *, argument: str = "out") -> None:
    """Refuse a folder that holds anything, and a place that cannot be written.

    Raises
    ------
    EvenhandError
        If it is a file, holds anything, or the system would refuse.
    """
    try:
        taken = _exists(folder) and (not folder.is_dir() or any(folder.iterdir()))
    except OSError as error:
        raise EvenhandError(
            f"{argument}: {folder} cannot be written: {error.strerror}; name another"
        ) from error
    if taken:
        raise EvenhandError(f"{argument}: {folder} exists and is not an empty folder; name a new one")
    check_writable(folder, argument=argument)


AUDIT_FILES = ("slices.csv", "errors.csv", "suspects.csv")
"""Files that an audit writes into a folder."""


def page_files(page: Path) -> Path:
    """Return the folder next to a page that lists the images behind it: report-files for report.html."""
    return page.with_name(f"{page.stem}-files")


def check_replaceable(folder: Path, names: Collection[str], *, argument: str) -> None:
    """Refuse a folder to write into that holds anything but earlier files of these names.

    Raises
    ------
    EvenhandError
        If it does, or is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise EvenhandError(f"{argument}: {folder} is a file; name a folder")
    others = [entry.name for entry in folder.iterdir()] if folder.is_dir() else []
    others = sorted(name for name in others if name not in names and not name.startswith("."))
    if others:
        raise EvenhandError(f"{argument}: {folder} exists and holds {others[0]}; name a new folder")


def check_predictions(out: Path) -> None:
    """Refuse to replace a file that holds no predictions, and a place that cannot be written.

    Raises
    ------
    EvenhandError
        As `check_own` and `check_writable`, or if the name is that of another kind of table.
    """
    if out.suffix.lower() in (".xlsx", ".xls", ".ods", ".parquet", ".json", ".jsonl"):
        raise EvenhandError(f"out: {out} would be CSV whatever its name; call it {out.stem}.csv")
    check_own(out, re.compile(rb"path,predicted,"), kind="predictions")


def check_page(out: Path, *, of_run: bool) -> None:
    """Refuse to replace a file that is not a report, and a place that cannot be written.

    The page of a run has a folder of files beside it, which is checked, too.

    Raises
    ------
    EvenhandError
        As `check_own`, `check_writable` and `check_replaceable`.
    """
    check_own(out, re.compile(rb"\s*<!doctype html>.*<title>evenhand ", re.DOTALL), kind="report")
    if of_run:
        check_replaceable(page_files(out), AUDIT_FILES, argument="the folder of the report's files")


def check_results(out: Path) -> None:
    """Refuse to replace a JSON file that holds no results, and a place that cannot be written.

    Raises
    ------
    EvenhandError
        As `check_own` and `check_writable`, or if its folder is a store or a run.
    """
    check_own(out, re.compile(rb'\s*\{\s*"schema"\s*:'), kind="results")
    if (out.parent / "card.json").is_file():
        raise EvenhandError(f"out: {out.parent} is a store or a run; name another folder")


def check_demo(folder: Path) -> None:
    """Refuse a folder that holds more than an earlier demo wrote.

    Raises
    ------
    EvenhandError
        If so.
    """
    others = sorted(path.name for path in folder.glob("*") if not _DEMO.fullmatch(path.name))
    if others:
        raise EvenhandError(f"out: {folder} holds other files, such as {others[0]}; name a new folder")


def check_own(path: Path, start: re.Pattern[bytes], *, kind: str, argument: str = "out") -> None:
    """Refuse to replace a file that evenhand did not write.

    Parameters
    ----------
    path : Path
        What will be written; it need not exist, and may be empty.
    start : pattern of bytes
        How a file of evenhand's begins.
    kind : str
        What such a file holds.
    argument : str
        Name of `path` in the message.

    Raises
    ------
    EvenhandError
        If there is a file of another kind, or something that is not a file.
    """
    check_writable(path, argument=argument)
    if path.is_dir():
        raise EvenhandError(f"{argument}: {path} is a folder; name a file")
    if path.exists() and not path.is_file():
        raise EvenhandError(f"{argument}: {path} is not a regular file; name another")
    try:
        with path.open("rb") as stream:
            found = stream.read(_START)
    except FileNotFoundError:
        return
    except OSError as error:
        raise EvenhandError(f"{argument}: {path} cannot be read ({error.strerror}); name another") from error
    if found and start.match(found) is None:
        raise EvenhandError(
            f"{argument}: {path} exists and is not a {kind} that evenhand wrote; name another, or move it "
            "away"
        )
