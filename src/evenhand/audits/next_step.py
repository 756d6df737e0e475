"""What to do after an audit, and the command."""

from __future__ import annotations

from pathlib import Path

from evenhand._commands import as_argument, beside
from evenhand.audits.evaluate import EvaluatedModels
from evenhand.audits.kept_findings import Findings
from evenhand.audits.known_groups import FEWEST, GroupSign, group_sign
from evenhand.audits.question import about

PLANNED = 10
"""Points of the gap that the next step plans for."""
ANSWERS = 40
"""Fewest test rows for which a review has enough images to ask about."""
TRAIN = "train a repair, which is kept only if it gains"


def next_step(
    models: EvaluatedModels, findings: Findings, word: str | None, run: Path | None
) -> tuple[str, tuple[str, ...]]:
    """Return why, and the arguments of the command.

    Parameters
    ----------
    models : EvaluatedModels
        The models with their predictions.
    findings : Findings
        What goes with the label, and whether there is a shortcut.
    word : str or None
        The word that a review asks about.
    run : Path or None
        The run that they come from.
    """
    store = models.table.source or Path("STORE")
    signs = findings.signs
    settled = signs.shortcut != "cannot tell"
    sign = None if signs.shortcut == "found" else group_sign(models, models.pair[-1], findings.associations)
    # Groups that a review estimated may not train unless the user says so.
    if sign is not None and sign.column not in models.table.estimated:
        return _next_for(sign, store, run)
    if not settled and (models.table.grouped is not None or len(models.split.test) < ANSWERS):
        against = () if run is None else ("--against", as_argument(run))
        command = ("audit", as_argument(store), *against, "--plan", str(PLANNED))
        return (
            f"{signs.next_step.partition(', or answer')[0]}; to see how many test images are needed",
            command,
        )
    if not settled:
        return signs.next_step, _review(run or store, word)
    if run is None:
        return TRAIN if signs.shortcut == "found" else "train a model", _fit(store)
    own = as_argument(run)
    if signs.shortcut == "no sign":
        return signs.next_step, ("predict", own, "NEW-IMAGES", "--out", "predictions.csv")
    if models.table.grouped is None and len(models.split.test) >= ANSWERS:
        return "name the shortcut and measure every group with about forty answers", _review(run, word)
    return "look at the images", ("report", own, "--out", as_argument(beside(run, ".html")))


def _next_for(sign: GroupSign, store: Path, run: Path | None) -> tuple[str, tuple[str, ...]]:
    """Return the step for a known group that errs, which the rows without groups do not show."""
    if run is None:
        return TRAIN, _fit(store)
    if sign.trained < FEWEST:
        why = f"collect training images of {sign.group}, now {sign.trained}; errors.csv lists what fails"
        return why, ("audit", as_argument(run), "--out", as_argument(beside(run, ".audit")))
    return "train on the known groups", (*_fit(store, "-dfr"), "--method", "dfr")


def _fit(store: Path, name: str = "") -> tuple[str, ...]:
    return ("fit", as_argument(store), "--out", as_argument(beside(store, f"{name}.run")))


def _review(source: Path, word: str | None) -> tuple[str, ...]:
    """Return the command that asks about a word, or about what the user suspects."""
    asked = ("YES-OR-NO QUESTION",) if word is None else (about(word), "--attribute", word)
    return ("review", as_argument(source), "--question", *asked)
