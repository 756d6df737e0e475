"""Which attribute makes the groups: checked without anything heavy."""

from __future__ import annotations

from collections.abc import Collection

from evenhand._errors import EvenhandError


def check_group_by(group_by: str | None, attributes: Collection[str], *, what: str = "store") -> None:
    """Refuse an attribute that is not there.

    Raises
    ------
    EvenhandError
        If `group_by` is given and none of `attributes`.
    """
    if group_by is not None and group_by not in attributes:
        known = ", ".join(attributes) or "none"
        raise EvenhandError(f"group_by: {group_by!r} is no attribute of this {what}; it has: {known}")
