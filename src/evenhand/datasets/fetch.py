"""Downloads that resume, are checked before use, and fall back to a mirror."""

from __future__ import annotations

import hashlib
import re
import shutil
import tarfile
import zlib
from collections.abc import Mapping, Sequence
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from evenhand._errors import EvenhandError
from evenhand._files import file_sha256, make_folder
from evenhand._progress import Progress, silent
from evenhand._version import __version__
from evenhand.datasets.addresses import DOWNLOADS, Download

TIMEOUT = 60.0
"""Seconds without a byte before a mirror counts as dead."""
BLOCK = 1 << 20


class _UnfitError(Exception):
    """The received file is not the expected one."""


def fetch(
    name: str,
    data: Path,
    *,
    downloads: Mapping[str, Sequence[Download]] = DOWNLOADS,
    progress: Progress = silent,
) -> None:
    """Download a benchmark's files into `data`; existing files are not fetched again.

    Parameters
    ----------
    name : str
        The benchmark's registry name.
    data : Path
        Folder; made if absent.
    downloads : mapping of str to sequence of Download
        Files to download.
    progress : Progress
        Receives the bytes of each file.

    Raises
    ------
    EvenhandError
        If the benchmark has no public download, every address of a file fails, or an archive cannot be
        unpacked.
    """
    if name not in downloads:
        raise EvenhandError(
            f"{name} has no public download that evenhand knows; get its files from their authors and give "
            f"their folder as data; what can be downloaded is {', '.join(downloads)}"
        )
    make_folder(data)
    for item in downloads[name]:
        if item.folder is None:
            fetch_file(item, data, progress=progress)
        elif not (data / item.folder).exists():
            unpack(fetch_file(item, data, progress=progress), data / item.folder)


def fetch_file(item: Download, data: Path, *, progress: Progress = silent) -> Path:
    """Fetch one file unless it exists, and return its path.

    What was received stays in a hidden file of its own for each address; the same call goes on from there.

    Raises
    ------
    EvenhandError
        If every address fails; the message says why for each.
    """
    target = data / item.file
    if target.exists():
        return target
    reasons = []
    for url in item.urls:
        mark = hashlib.sha256(url.encode()).hexdigest()[:8]
        partial = data / f".{item.file}.{mark}.part"
        try:
            _receive(url, partial, item, progress)
            _check(partial, item)
            partial.replace(target)
        except (OSError, HTTPException, _UnfitError) as error:
            reasons.append(f"{url}: {error or type(error).__name__}")
        else:
            return target
    raise EvenhandError(
        f"cannot download {item.file}: {'; '.join(reasons)}; run the same command again to resume, or put "
        f"the file into {data} by hand"
    )


def _receive(url: str, partial: Path, item: Download, progress: Progress) -> None:
    """Append to `partial` what it lacks; start over if the server cannot go on."""
    done = partial.stat().st_size if partial.exists() else 0
    if item.size is not None and done == item.size:
        return
    with _opened(url, done) as response:
        resumed = response.status == 206
        done = done if resumed else 0
        total = _total(response, done, item)
        with partial.open("ab" if resumed else "wb") as stream:
            while block := response.read(BLOCK):
                stream.write(block)
                done += len(block)
                progress(item.file, done, max(total or 0, done))
    if total is not None and done < total:
        raise _UnfitError(f"it ended after {done:,} of {total:,} bytes")


def _opened(url: str, done: int) -> HTTPResponse:
    """Ask for the bytes from `done` on, or for the whole where the server has none beyond."""
    agent = {"User-Agent": f"evenhand/{__version__}"}
    wanted = {**agent, "Range": f"bytes={done}-"} if done else agent
    response: HTTPResponse
    try:
        response = urlopen(Request(url, headers=wanted), timeout=TIMEOUT)
    except HTTPError as error:
        if error.code != 416 or not done:
            raise
        response = urlopen(Request(url, headers=agent), timeout=TIMEOUT)
    return response


def _total(response: HTTPResponse, done: int, item: Download) -> int | None:
    """Return the length of the whole file, if the server or the list gives it."""
    if response.status == 206:
        ranges = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
        if ranges is None or int(ranges[1]) != done:
            raise _UnfitError("the server sent another range than requested")
        return item.size if ranges[2] == "*" else int(ranges[2])
    length = response.headers.get("Content-Length")
    return item.size if length is None else int(length)


def _check(partial: Path, item: Download) -> None:
    """Refuse, and drop, a file of other size or content than the list's."""
    size = partial.stat().st_size
    found = file_sha256(partial) if item.sha256 else None
    if item.size is not None and size != item.size:
        partial.unlink()
        raise _UnfitError(f"it has {size:,} bytes, not {item.size:,}")
    if found != item.sha256:
        partial.unlink()
        raise _UnfitError(f"its SHA-256 is {found}, not {item.sha256}")


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a .tar.gz whose content, less a single folder around it, becomes `folder`.

    Raises
    ------
    EvenhandError
        If the archive is damaged, would write outside of the folder, or this Python cannot prevent that.
    """
    if not hasattr(tarfile, "data_filter"):
        raise EvenhandError(
            f"this Python cannot unpack {archive} safely; use 3.10.12, 3.11.4 or newer, or unpack it by hand "
            f"into {folder}"
        )
    temporary = folder.with_name(f".{folder.name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        with tarfile.open(archive, "r:gz") as tar:
            tar.extractall(temporary, filter="data")
        inside = list(temporary.iterdir())
        whole = inside[0] if len(inside) == 1 and inside[0].is_dir() else temporary
        whole.replace(folder)
    except (OSError, EOFError, tarfile.TarError, zlib.error) as error:
        raise EvenhandError(f"cannot unpack {archive}: {error}; delete it, then download it again") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
