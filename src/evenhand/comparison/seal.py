"""The seal of a comparison: an edit of its results by hand shows."""

from __future__ import annotations

import json
from pathlib import Path

from evenhand._errors import EvenhandError
from evenhand._files import sha256
from evenhand._json import parse_json
from evenhand.comparison.folder import UNITS
from evenhand.comparison.job_cache import RESULTS
from evenhand.data.store_layout import sealed, write_text
from evenhand.evaluation.results import Results

SEAL = "seal.json"


def write_sealed(results: Results, folder: Path) -> None:
    """Write `results.json`, and after it the seal that vouches for it."""
    (folder / SEAL).unlink(missing_ok=True)
    results.write(folder / RESULTS)
    write_text(folder / SEAL, sealed(_content(folder)))


def check_seal(folder: Path) -> None:
    """Refuse the results of a comparison that are not those that it wrote; other folders have no seal.

    Raises
    ------
    EvenhandError
        If the seal is missing or was edited, or `results.json` is not what it vouches for.
    """
    if not (folder / UNITS).is_dir():
        return
    try:
        found = parse_json((folder / SEAL).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise EvenhandError(
            f"{folder} has no {SEAL}, so nothing vouches for its {RESULTS}; run the same compare again, "
            "which reuses what is done"
        ) from error
    except (OSError, ValueError) as error:
        raise EvenhandError(f"{folder / SEAL} cannot be read ({error}); run compare again") from error
    if found != json.loads(sealed(_content(folder))):
        raise EvenhandError(f"{folder / RESULTS} was changed since the comparison; run compare again")


def _content(folder: Path) -> dict[str, object]:
    return {"schema": 1, "kind": "comparison", "files": {RESULTS: sha256(folder / RESULTS)}}
