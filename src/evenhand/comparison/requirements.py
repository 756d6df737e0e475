"""Why a method is left out of a comparison."""

from __future__ import annotations

from evenhand.data.concepts import Concepts
from evenhand.data.table import FeatureTable
from evenhand.methods.base import Method


def why_skipped(
    method: type[Method],
    table: FeatureTable,
    *,
    column: str | None,
    concepts: Concepts | None,
    oracles: bool,
) -> str | None:
    """Return one sentence that names what is missing, None where nothing is.

    Parameters
    ----------
    method : type of Method
        Whose `group_labels_used` and `needs` count.
    table : FeatureTable
        What there is.
    column : str or None
        The attribute that makes groups.
    concepts : Concepts or None
        Embedded concept words.
    oracles : bool
        Whether group labels may be used.
    """
    if method.group_labels_used != "none" and not oracles:
        return (
            f"it uses group labels ({method.group_labels_used}); add `oracles=True` or name it in `methods`"
        )
    reasons = [_missing(need, table, column, concepts) for need in method.needs]
    return next((reason for reason in reasons if reason is not None), None)


def _missing(need: str, table: FeatureTable, column: str | None, concepts: Concepts | None) -> str | None:
    if need == "groups":
        if column is None:
            return "it needs groups, but the store has no attribute column"
        if not (table.attributes[column][table.rows("train")] != "").any():
            return f"it needs groups, but {column!r} is unknown for every training row"
        return None
    if need == "text":
        return None if table.head.text is not None else "it needs text prototypes, but the store has none"
    if need == "words":
        return None if concepts is not None else "it needs concept words; give `concepts`"
    return f"it needs {need!r}, of which this version knows nothing"
