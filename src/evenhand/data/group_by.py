"""Check the attributes that make the groups, without importing anything heavy."""

from __future__ import annotations

from collections.abc import Collection

from evenhand._errors import EvenhandError


def check_group_by(
    group_by: str | None, attributes: Collection[str], *, what: str = "this store", has: str = "it has"
) -> list[str]:
    """Return the attributes that `group_by` names; refuse one that does not exist.

    Parameters
    ----------
    group_by : str or None
        Name of an attribute, or several with commas between them; None names none.
    attributes : collection of str
        Names of the known attributes.
    what, has : str, default="this store", "it has"
        What the message says has these attributes.

    Raises
    ------
    EvenhandError
        If an attribute does not exist, or is named twice.
    """
    if group_by is None or group_by in attributes:
        return [] if group_by is None else [group_by]
    names = [name.strip() for name in group_by.split(",")]
    for name in names:
        if name not in attributes:
            known = ", ".join(attributes) or "none"
            raise EvenhandError(f"group_by: {name!r} is not an attribute of {what}; {has}: {known}")
    if len(set(names)) < len(names):
        raise EvenhandError(f"group_by: {group_by!r} names an attribute twice; give each once")
    return names
