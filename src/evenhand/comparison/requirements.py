"""Which methods take part in a comparison, and why others are left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from evenhand._errors import NotAllowedError
from evenhand.comparison.job import sentence
from evenhand.data.concepts import Concepts
from evenhand.data.table import FeatureTable
from evenhand.methods.base import Method
from evenhand.methods.registry import make, method_class, names, no_method
from evenhand.runs.group_use import kept_from_training

Uses = Literal["none", "validation", "train"]


@dataclass(frozen=True)
class Entry:
    """A method of a comparison.

    Attributes
    ----------
    name : str
        Registry name, with a preset as in `cfr:nearest`.
    status : "ok", "skipped" or "failed"
        Whether the method runs.
    reason : str or None
        Why it does not run.
    group_labels_used, needs, configurations
        The attributes that the method declares.
    """

    name: str
    status: Literal["ok", "skipped", "failed"]
    reason: str | None
    group_labels_used: Uses = "none"
    needs: tuple[str, ...] = ()
    configurations: tuple[Mapping[str, Any], ...] = ()


def entries_of(
    methods: Sequence[str],
    table: FeatureTable,
    *,
    concepts: Concepts | None,
    oracles: bool,
) -> list[Entry]:
    """Return the methods in the given order, preceded by zero-shot and ERM if they are not among them.

    Parameters
    ----------
    methods : sequence of str
        Registry names; `all` stands for every method.
    table, concepts
        As in `why_skipped`.
    oracles : bool
        Whether methods that use group labels may run without being named.

    Raises
    ------
    EvenhandError
        If no method is named, or a method or preset is unknown.
    """
    known = names()
    wanted = [name for asked in methods for name in (known if asked == "all" else [asked])]
    if not wanted:
        raise no_method()
    unknown = next((name for name in wanted if name.partition(":")[0] not in known), None)
    if unknown is not None:
        raise NotAllowedError.of("methods", unknown, (*known, "all"))
    for name in wanted:
        if ":" in name:
            make(name)  # an unknown preset is a mistake of the caller, not a failure of the method
    always = [name for name in ("zero_shot", "erm") if name not in wanted]
    ordered = dict.fromkeys([*always, *wanted])
    return [_entry(name, table, concepts, oracles or name in methods) for name in ordered]


def _entry(name: str, table: FeatureTable, concepts: Concepts | None, oracle_allowed: bool) -> Entry:
    try:
        cls = method_class(name)
    except Exception as error:  # a plug-in that cannot be imported must not end the others
        return Entry(name, "failed", sentence(error))
    reason = why_skipped(cls, table, concepts=concepts, oracles=oracle_allowed)
    status: Literal["ok", "skipped"] = "ok" if reason is None else "skipped"
    return Entry(name, status, reason, cls.group_labels_used, tuple(cls.needs), tuple(cls.configurations))


def why_skipped(
    method: type[Method],
    table: FeatureTable,
    *,
    concepts: Concepts | None,
    oracles: bool,
) -> str | None:
    """Return one sentence that says why a method cannot run; None if it can.

    Parameters
    ----------
    method : type of Method
        The method; its `group_labels_used` and `needs` count.
    table : FeatureTable
        The data, with its groups.
    concepts : Concepts or None
        Embedded concept words.
    oracles : bool
        Whether group labels may be used.
    """
    if method.group_labels_used != "none" and not oracles:
        return (
            f"it uses group labels ({method.group_labels_used}); add `oracles=True` or name it in `methods`"
        )
    if method.group_labels_used != "none" and table.grouped is not None:
        kept = kept_from_training(table.grouped)
        if kept is not None:
            return f"it uses group labels, but {kept}"
    reasons = [_missing(need, table, concepts) for need in method.needs]
    return next((reason for reason in reasons if reason is not None), None)


def _missing(need: str, table: FeatureTable, concepts: Concepts | None) -> str | None:
    if need == "groups":
        if table.grouped is None:
            return "it needs groups, but the store has no attribute"
        if not (table.grouped.values[table.rows("train")] != "").any():
            return f"it needs groups, but {table.grouped.column!r} is unknown for every training row"
        return None
    if need == "text":
        return None if table.head.text is not None else "it needs text prototypes, but the store has none"
    if need == "words":
        return None if concepts is not None else "it needs concept words; give `concepts`"
    return f"it needs {need!r}, which this version does not know"
