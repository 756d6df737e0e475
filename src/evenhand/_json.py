"""JSON from files that are not trusted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import ValidationError


def parse_json(text: str, *, finite: bool = False) -> Any:
    """Return the content of a JSON text.

    Parameters
    ----------
    text : str
        The text.
    finite : bool, default=False
        Whether NaN and infinite numbers, which Python reads, are refused.

    Raises
    ------
    ValueError
        If the text is not JSON, is nested too deeply, or holds half of a surrogate pair.
    """
    try:
        found = json.loads(text)
        json.dumps(found, ensure_ascii=False, allow_nan=not finite).encode()
    except UnicodeEncodeError as error:
        raise ValueError("a text in it is not Unicode: it holds half of a surrogate pair") from error
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    return found


def first_fault(error: ValidationError, whole: str) -> str:
    """Return `place: what is wrong` of the first fault; `whole` is the place of one that is in no field."""
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc'])) or whole}: {first['msg']}"
