"""An export to the Hugging Face Hub: what would be uploaded, and the upload."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from evenhand._errors import EvenhandError
from evenhand._hub import ask, says_what_the_hub_said
from evenhand._optional import require

_NAME = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)
_UNTOLD = (404, 429)
"""Of a mirror that knows no users, and of a Hub that was asked too often: the upload will tell."""


def check_push(repo: str) -> None:
    """Refuse an upload that cannot succeed, before anything is exported.

    Parameters
    ----------
    repo : str
        `OWNER/NAME` on the Hub.

    Raises
    ------
    EvenhandError
        If the name is no `OWNER/NAME`, the Hub's client is missing or switched off, or nobody is logged in.
    """
    if not _NAME.fullmatch(repo):
        raise EvenhandError(f"push: {repo!r} is not the name of a Hub repository; write OWNER/NAME")
    require("huggingface_hub", "hf")

    from huggingface_hub import constants, get_token

    if constants.HF_HUB_OFFLINE:
        raise EvenhandError("push: HF_HUB_OFFLINE is set; unset it, or leave push out")
    if get_token() is None:
        raise EvenhandError("push: nobody is logged in to the Hub; run `hf auth login`, or set HF_TOKEN")


def check_login(repo: str) -> None:
    """Ask the Hub whether its user may upload to a repository, as far as the login tells.

    Parameters
    ----------
    repo : str
        `OWNER/NAME` on the Hub.

    Raises
    ------
    EvenhandError
        If the Hub cannot be reached or refuses the login, or if that may only read or belongs to others.
    """
    with says_what_the_hub_said(f"push: {repo}", "leave push out"):
        answer = ask("whoami-v2")
        if answer.status_code in _UNTOLD:
            return
        answer.raise_for_status()
        user = answer.json()
    role = user.get("auth", {}).get("accessToken", {}).get("role")
    if role == "read":
        raise EvenhandError(
            f"push: {repo}: the token of {user.get('name')} may only read; log in with one that may write "
            "(`hf auth login`), or leave push out"
        )
    owners = [user.get("name"), *(one.get("name") for one in user.get("orgs", []))]
    if role == "write" and repo.split("/")[0] not in owners:
        raise EvenhandError(
            f"push: {repo}: the token may write for {', '.join(map(str, owners))} alone; choose one of these "
            "as OWNER, or log in as another user with `hf auth login`"
        )


def files_of(folder: Path) -> dict[str, int]:
    """Return the files below a folder in order, each with its bytes: all that `push` uploads."""
    found = sorted(path for path in Path(folder).rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.stat().st_size for path in found}


def push(folder: Path, repo: str, *, private: bool = False) -> str:
    """Upload the folder of an export, its model card included, in one commit.

    Parameters
    ----------
    folder : Path
        What `export` wrote.
    repo : str
        `OWNER/NAME`; it is created if it does not exist. Files of the same names are replaced, others stay.
    private : bool, default=False
        Whether a new repository is private.

    Returns
    -------
    str
        Address of the commit.

    Raises
    ------
    EvenhandError
        As `check_push`, or if the Hub cannot be reached or refuses; the folder stays as it is.
    """
    check_push(repo)

    from huggingface_hub import HfApi

    client = HfApi(library_name="evenhand")
    with says_what_the_hub_said(f"push: {repo}", f"upload it later: hf upload {repo} {folder}"):
        client.create_repo(repo, private=private, exist_ok=True)
        with _by_what_the_server_takes(repo):
            done = client.upload_folder(
                repo_id=repo, folder_path=folder, commit_message="Upload a model calibrated by evenhand"
            )
    return str(done.commit_url)


@contextmanager
def _by_what_the_server_takes(repo: str) -> Iterator[None]:
    """Have the client upload large files by Git LFS where the server has no Xet storage, as mirrors do.

    The client does not ask: it fails at what such a server answers, or tries again for minutes
    (huggingface_hub issue 4786).
    """
    from huggingface_hub import constants

    usual = constants.HF_HUB_DISABLE_XET
    if not usual:
        found = ask(f"models/{repo}/xet-write-token/main")
        constants.HF_HUB_DISABLE_XET = constants.HUGGINGFACE_HEADER_X_XET_ENDPOINT not in found.headers
    try:
        yield
    finally:
        constants.HF_HUB_DISABLE_XET = usual
