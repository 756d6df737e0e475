"""Seal the results of a comparison, so that a later edit of them is detected."""

from __future__ import annotations

import json
from pathlib import Path

from evenhand._errors import EvenhandError
from evenhand._files import file_sha256
from evenhand._json import parse_json
from evenhand._outputs import RESULTS
from evenhand.comparison.folder import JOBS
from evenhand.data.store_layout import sealed, write_text
from evenhand.evaluation.results import Results

SEAL = "seal.json"


def write_sealed(results: Results, folder: Path) -> None:
    """Write results.json, and then the seal with its checksum."""
    (folder / SEAL).unlink(missing_ok=True)
    results.write(folder / RESULTS)
    write_text(folder / SEAL, sealed(_content(folder)))


def check_seal(folder: Path) -> None:
    """Check that the results in a comparison's folder are unchanged; any other folder passes.

    Raises
    ------
    EvenhandError
        If the seal is missing or was edited, or results.json does not match it.
    """
    if not (folder / JOBS).is_dir():
        return
    try:
        found = parse_json((folder / SEAL).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise EvenhandError(
            f"{folder} has no {SEAL}, so its {RESULTS} cannot be checked; run the same compare again, "
            "which reuses the finished jobs"
        ) from error
    except (OSError, ValueError) as error:
        raise EvenhandError(f"{folder / SEAL} cannot be read ({error}); run compare again") from error
    if found != json.loads(sealed(_content(folder))):
        raise EvenhandError(f"{folder / RESULTS} was changed since the comparison; run compare again")


def _content(folder: Path) -> dict[str, object]:
    return {"schema": 1, "kind": "comparison", "files": {RESULTS: file_sha256(folder / RESULTS)}}
