"""Check the attribute that makes the groups, without importing anything heavy."""

from __future__ import annotations

from collections.abc import Collection

from evenhand._errors import EvenhandError


def check_group_by(group_by: str | None, attributes: Collection[str], *, what: str = "store") -> None:
    """Refuse an attribute that does not exist.

    Parameters
    ----------
    group_by : str or None
        Name of the attribute; None is always accepted.
    attributes : collection of str
        Names of the known attributes.
    what : str, default="store"
        What the message says has these attributes.

    Raises
    ------
    EvenhandError
        If `group_by` is not None and not among `attributes`.
    """
    if group_by is not None and group_by not in attributes:
        known = ", ".join(attributes) or "none"
        raise EvenhandError(f"group_by: {group_by!r} is not an attribute of this {what}; it has: {known}")
