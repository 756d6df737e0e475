"""The results that a report is made from."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from evenhand._errors import EvenhandError
from evenhand._json import first_fault, parse_json
from evenhand._outputs import RESULTS
from evenhand._typing import PathLike
from evenhand.comparison.seal import check_seal
from evenhand.evaluation.results import Results


def read_results(given: Results | Mapping[str, Any] | PathLike) -> Mapping[str, Any]:
    """Return the content of a results.json: as given, of `Results`, or read from the folder that holds it.

    Raises
    ------
    EvenhandError
        If it is something else, or as `read_source`.
    """
    if isinstance(given, Mapping):
        rows = given.get("rows")
        if not isinstance(rows, Sequence) or not all(isinstance(row, Mapping) for row in rows):
            raise EvenhandError("results: they hold no rows; give the content of a results.json")
        return given
    if isinstance(given, Results):
        return given.model_dump(mode="json", by_alias=True)
    if isinstance(given, (str, os.PathLike)):
        path = Path(given)
        return read_source(path.parent if path.name == RESULTS else path)[0]
    raise EvenhandError(
        f"results: {type(given).__name__} holds no results; give what fit or compare returned, or its folder"
    )


def read_source(path: Path) -> tuple[dict[str, Any], Path | None]:
    """Return the results in a folder, and the folder itself if it is a run.

    Raises
    ------
    EvenhandError
        If there is no `results.json` that this version reads, or a comparison's was edited.
    """
    try:
        text = (path / RESULTS).read_text(encoding="utf-8")
        results = Results.model_validate_json(text)
        parse_json(text, finite=True)
    except ValidationError as error:
        fault = first_fault(error, "its text")
        raise EvenhandError(
            f"{path / RESULTS} is not what this version reads, at {fault}; make it again"
        ) from error
    except (OSError, ValueError) as error:
        raise EvenhandError(
            f"{path} has no readable {RESULTS} ({error}); give the folder that fit, compare or demo wrote"
        ) from error
    check_seal(path)
    found: dict[str, Any] = results.model_dump(mode="json", by_alias=True)
    return found, path if (path / "card.json").is_file() else None
