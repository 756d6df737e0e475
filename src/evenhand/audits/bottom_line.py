"""The bottom line of an audit, at most six lines: `audit` and the report start with it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evenhand._counts import number_of
from evenhand.audits.associations import Associations
from evenhand.audits.column_associations import ColumnAssociation
from evenhand.audits.evaluate import EvaluatedModels
from evenhand.audits.findings import Slice
from evenhand.audits.gaps import Gap, find_gaps
from evenhand.audits.kept_findings import Findings
from evenhand.audits.known_groups import group_sign
from evenhand.audits.named_slices import NamedSlices
from evenhand.audits.next_step import next_step
from evenhand.audits.question import word_to_ask
from evenhand.evaluation.accuracy import Rate, rate, worst
from evenhand.evaluation.labels import label
from evenhand.evaluation.verdict_sentences import in_plain_words, kept_reference, verdict_sentences
from evenhand.runs.models import Stage

COLUMNS = 3
"""Confounded columns that are named."""
UNTRAINED = ("zero_shot", "class_centroids", "erm")
"""Models that repair nothing."""
NONE_PASSED = "no candidate passed: "
"""What the reason of a fit that kept its baseline begins with, which the verdict already says."""


@dataclass(frozen=True)
class BottomLine:
    """The conclusions of an audit, a sentence each; an empty one is left out.

    Attributes
    ----------
    shortcut : str
        Whether there is a shortcut: found, no sign, cannot tell, and why.
    goes_with : str
        Words and columns that go with the label.
    hurt : str
        Who is hurt and by how much, or how small a gap these rows could have shown.
    repair : str
        Whether a repair passed.
    best : str
        Which classifier is kept, with the worst rate of every model.
    why : str
        What to do next.
    command : tuple of str
        The arguments of that command, without `evenhand`.
    """

    shortcut: str
    goes_with: str
    hurt: str
    repair: str
    best: str
    why: str
    command: tuple[str, ...]

    @property
    def lines(self) -> list[str]:
        """The sentences in their order."""
        step = f"Next: {self.why}: {shlex.join(['evenhand', *self.command])}"
        said = (self.shortcut, self.goes_with, self.hurt, self.repair, self.best, step)
        return [line for line in said if line]


def bottom_line(
    models: EvaluatedModels, findings: Findings, run: Path | None, kept: Mapping[str, Any]
) -> BottomLine:
    """Return the bottom line of evaluated models with the slices of their errors.

    Parameters
    ----------
    models : EvaluatedModels
        The models with their predictions.
    findings : Findings
        Slices of their errors, what goes with the label, and whether there is a shortcut.
    run : Path or None
        The run that they come from.
    kept : mapping
        What its fit kept, as in results.json; empty without a run.
    """
    word = word_to_ask(models, findings.named, findings.associations)
    why, command = next_step(models, findings, word, run)
    return BottomLine(
        shortcut=in_plain_words(f"Shortcut: {findings.signs.shortcut}; {findings.signs.reason}.")
        + _by_groups(models, findings),
        goes_with=_goes_with(findings.associations),
        hurt=_hurt(models, findings.named),
        repair="" if run is None else _repair(models.on_test[-1].name, kept),
        best=_best(models, kept),
        why=why,
        command=command,
    )


def _by_groups(models: EvaluatedModels, findings: Findings) -> str:
    """Say what the known groups show, if the rows without them show nothing."""
    shown = [group_sign(models, stage, findings.associations) for stage in models.pair]
    sign = next(filter(None, shown), None)
    if findings.signs.shortcut == "found" or sign is None:
        return ""
    return f" The known groups show one: {sign.column} goes with the label, and {sign.group} contradicts it."


def _repair(own: str, kept: Mapping[str, Any]) -> str:
    if "shortcut" in kept:
        return in_plain_words(verdict_sentences(kept)[1])
    if own in UNTRAINED or not kept:
        return f"Repair: none tested; {label(own)} has no candidates to choose from."
    passed = "none passed" if kept_reference(kept) else "passed"
    said = verdict_sentences(kept) or [f"{label(kept['candidate'])} is kept"]
    return f"Repair: {passed}; {said[0].removeprefix(NONE_PASSED)}."


def _goes_with(found: Associations) -> str:
    """Name the words and the columns that go with the label, or say why there are none."""
    words = [
        f"{name}: {', '.join(f'*{word}*' for word in said[:2])}" for name, said in found.sure_words().items()
    ]
    columns = [
        f"the column {one.column} (confounded{', or a finer name of the class' if one.finer else ''})"
        for one in _of(found, "confounded")
    ]
    more = [f"more columns, {len(columns)} in all"] if len(columns) > COLUMNS else []
    said = "; ".join([*words, *columns[:COLUMNS], *more])
    if not said:
        column = "no column; " if found.columns else ""
        no_word = "no word and no column" if found.columns else "no word"
        said = f"{column}words cannot tell: {found.no_words}" if found.no_words else no_word
    return f"Goes with the label: {said}.{_inflated(found)}"


def _of(found: Associations, verdict: str) -> list[ColumnAssociation]:
    return [one for one in found.columns if one.verdict == verdict]


def _inflated(found: Associations) -> str:
    falls = [(one.fall.value, one.column) for one in _of(found, "inflated") if one.fall is not None]
    if not falls:
        return ""
    fall, column = max(falls)
    return (
        f" Accuracy drops by {100 * fall:.1f} points on values of {column} that are held out of "
        "training (inflated)."
    )


def _hurt(models: EvaluatedModels, named: NamedSlices) -> str:
    """Say where the first model with errors beyond chance errs, and how the run's model does there."""
    gaps = {stage.name: find_gaps(models, stage) for stage in models.pair}
    for name, found in gaps.items():
        sure = [gap for gap in found if gap.beyond_chance]
        if sure:
            return _hurt_group(name, max(sure, key=lambda gap: gap.lift), gaps)
    for stage in models.audited:
        for one, _ in named.sure(stage.name):
            return _hurt_slice(one)
    return _nobody(list(gaps.values())[-1])


def _hurt_slice(one: Slice) -> str:
    """Return the sentence on a slice, with the other model's figures for it."""
    words = [f"*{word.word}*" for word in one.words if word.beyond_chance]
    alike = f"whose errors look like {', '.join(words[:3])}" if words else "that look alike"
    others = [
        f"; {label(model)} {_percent(found.value)}"
        for model, found in one.errors_of.items()
        if model != one.model
    ]
    of_class = _percent((one.error.value or 0.0) - one.lift)
    return (
        f"Hurt: the slice {one.name}, {one.n:,} rows {alike}: {label(one.model)} misclassifies "
        f"{_percent(one.error.value)} of them, compared with {of_class} of all {one.label} "
        f"rows{''.join(others)}."
    )


def _hurt_group(name: str, gap: Gap, gaps: Mapping[str, Sequence[Gap]]) -> str:
    """Return the sentence on a group, with the other model's figures for it."""
    others = [
        f"; {label(other)} misclassifies {_percent(same.error)}, {_compared(same.lift)}"
        for other, found in gaps.items()
        for same in found
        if same.name == gap.name and other != name
    ]
    return (
        f"Hurt: {gap.name}: {label(name)} misclassifies {_percent(gap.error)} of "
        f"{number_of(gap.n, 'test row')}, {100 * gap.lift:.1f} points more than in the rest of its class"
        f"{''.join(others)}."
    )


def _nobody(gaps: Sequence[Gap]) -> str:
    """Say that no group errs beyond chance, and how large a gap could have stayed unseen."""
    if not gaps:
        return "Hurt: cannot tell; there are too few test rows to compare."
    least = max(gaps, key=lambda gap: gap.detectable or 1.0)
    where = f"in {least.name} ({number_of(least.n, 'test row')})"
    if least.detectable is None:
        return f"Hurt: nobody beyond chance, but {where} no gap could be detected."
    shown = f"{100 * least.detectable:.0f} points"
    return f"Hurt: nobody beyond chance, but {where} only a gap of {shown} or more would be detected."


def _best(models: EvaluatedModels, kept: Mapping[str, Any]) -> str:
    rates = {stage.name: worst_rate(models, stage) for stage in models.on_test}
    *others, own = rates
    unit = "class" if models.table.grouped is None else "group"
    if not others:
        lowest = _percent(rates[own].value)
        return f"Best here: only {label(own)} was measured, with {lowest} in its worst {unit}."
    names = {name: label(name) for name in others}
    if models.table.head.text is None and "zero_shot" in names:
        names["zero_shot"] = "class centroids"  # without text they stand in for the class names
    compared = ", ".join(f"{names[name]} {_percent(rates[name].value)}" for name in others)
    name = label(own)
    if "candidate" in kept:
        candidate = in_plain_words(label(kept["candidate"]))
        alike = candidate == names.get("erm") and _value(rates["erm"]) != _value(rates[own])
        name += f", which keeps {candidate}{' of another strength' if alike else ''}"
    better = [names[other] for other in others if _value(rates[other]) > _value(rates[own])]
    more = f"; the test rows, which the choice did not use, favor {better[0]}" if better else ""
    return f"Best here: {name}, with {_percent(rates[own].value)} in its worst {unit} ({compared}){more}."


def worst_rate(models: EvaluatedModels, stage: Stage) -> Rate:
    """Return the lowest accuracy of a group of test rows, or of a class if no group is known."""
    test = models.split.test
    groups = models.groups(test)
    names = models.table.labels(test) if groups is None else groups
    known = [name for name in dict.fromkeys(names.tolist()) if name]
    found = worst([rate(name, stage.right[names == name]) for name in known])
    return found or rate("all", stage.right)


def _value(found: Rate) -> float:
    return found.value or 0.0


def _compared(lift: float) -> str:
    return f"{100 * abs(lift):.1f} points {'less' if lift < 0 else 'more'}"


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f} %"
