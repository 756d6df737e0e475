"""An export to the Hugging Face Hub: what would be uploaded, and the upload."""

from __future__ import annotations

import re
from pathlib import Path

from evenhand._errors import EvenhandError
from evenhand._hub import says_what_the_hub_said
from evenhand._optional import require

_NAME = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)


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
        raise EvenhandError(f"push: {repo!r} names no repository of the Hub; write OWNER/NAME")
    require("huggingface_hub", "hf")

    from huggingface_hub import constants, get_token

    if constants.HF_HUB_OFFLINE:
        raise EvenhandError("push: HF_HUB_OFFLINE is set; unset it, or leave push out")
    if get_token() is None:
        raise EvenhandError("push: nobody is logged in to the Hub; run `hf auth login`, or set HF_TOKEN")


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
        `OWNER/NAME`; it is made if it is not there. Files of the same names are replaced, others stay.
    private : bool, default=False
        Whether a repository that is made is private.

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
        done = client.upload_folder(
            repo_id=repo, folder_path=folder, commit_message="Upload a model calibrated by evenhand"
        )
    return str(done.commit_url)
