"""Whether a method may learn from group labels, without importing anything heavy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evenhand._errors import EvenhandError

if TYPE_CHECKING:  # a method that needs groups is refused before NumPy is imported
    from evenhand.data.groups import Groups


def groups_for(method: str, groups: Groups | None) -> Groups:
    """Return the groups of a table for a method that learns from group labels.

    Raises
    ------
    EvenhandError
        If there are none, or as `check_use`.
    """
    if groups is None:
        raise no_groups(method)
    check_use(groups, f"method: {method}")
    return groups


def no_groups(method: str) -> EvenhandError:
    """Return the error for a method that uses group labels if there are none."""
    return EvenhandError(
        f"method: {method} uses group labels, but the store has no attribute; import or embed with "
        "`attribute_columns`, or choose a label-free method"
    )


def check_use(groups: Groups, user: str) -> None:
    """Refuse groups estimated by a review for evaluation alone if a method learns from group labels.

    Raises
    ------
    EvenhandError
        If they were.
    """
    reason = kept_from_training(groups)
    if reason is not None:
        raise EvenhandError(f"{user} uses group labels, but {reason}")


def kept_from_training(groups: Groups) -> str | None:
    """Return why groups may not be used in training or selection; None if they may."""
    about = groups.estimated
    if about is None or about.used_for == "training":
        return None
    return (
        f"{groups.column!r} was estimated by a review for evaluation alone; write it again with "
        "used_for='training' (the option `use` of evenhand review), or choose a label-free method"
    )
