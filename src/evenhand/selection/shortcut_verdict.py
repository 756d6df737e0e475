"""Two verdicts in plain words: one on the shortcut, one on the repair."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

from evenhand._counts import number_of, percent
from evenhand._signed import signed
from evenhand.selection.auto_guard import Decision
from evenhand.selection.shortcut_limits import FEWEST_CLASS_ROWS, FEWEST_HIDDEN_ROWS
from evenhand.selection.shortcut_signs import ShortcutSigns

Shortcut: TypeAlias = Literal["found", "no sign", "cannot tell"]
Repair: TypeAlias = Literal["passed", "none passed", "none needed"]

SURE = 0.9
"""Least p for the verdict `found`; the verdict `no sign` needs p at or below 1 − `SURE`."""
ROWS_WITHOUT_TEXT = 1000
"""Least number of rows for the verdict `no sign` if there are no class names."""
SKEWNESS_WITHOUT_TEXT = 0.25
"""Largest skewness for the verdict `no sign` in that case: above it, hard rows and a minority look alike."""


@dataclass(frozen=True)
class Verdict:
    """What can be said, and what to do next.

    Attributes
    ----------
    shortcut : str
        `found`, `no sign` or `cannot tell`.
    shortcut_reason : str
        One sentence, with the figure behind it.
    repair : str
        `passed`, `none passed` or `none needed`.
    repair_reason : str
        One sentence.
    next_step : str
        One sentence.
    """

    shortcut: Shortcut
    shortcut_reason: str
    repair: Repair
    repair_reason: str
    next_step: str

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return asdict(self)


def verdict(signs: ShortcutSigns, decision: Decision, n: int, figure: str = "accuracy") -> Verdict:
    """Return both verdicts on a decision over n rows; `figure` is the metric that decided."""
    shortcut, reason, next_step = shortcut_verdict(signs, n)
    repair, repaired = _repair(shortcut, decision, figure)
    return Verdict(shortcut, reason, repair, repaired, next_step)


def shortcut_verdict(signs: ShortcutSigns, n: int) -> tuple[Shortcut, str, str]:
    """Return the verdict on the signs in n rows, why, and what to do next."""
    figure = f"skewness {_minus(f'{signs.skewness:.2f}')} ± {signs.error:.2f}"
    answers = "answer a question about forty images"
    if not signs.competent:
        far = f"{percent(signs.competence)} as far above chance as ERM"
        return (
            "cannot tell",
            f"the prompts do not fit: zero-shot is {far if signs.competence else 'no better than chance'}",
            f"give better class names or templates, or {answers}",
        )
    if signs.uncontradicted:
        against = "no row contradicts it"
        if signs.against >= FEWEST_HIDDEN_ROWS:
            against = (
                f"the rows of a class that contradict it, about {signs.against:.0f}, do not form a group"
            )
        elif signs.against >= 0.05:
            against = f"only about {signs.against:.1f} rows of a class contradict it"
        if signs.noise >= 0.01:
            against += f", besides {percent(signs.noise)} wrong labels"
        return (
            "cannot tell",
            "something besides the class names tells the classes apart "
            f"({percent(signs.legibility)} above chance), and {against}",
            f"look for counterexamples, or {answers}",
        )
    if signs.hidden >= SURE and not signs.clear:
        return (
            "cannot tell",
            "no clear counterexamples: something besides the class names goes with the label, and only "
            f"{percent(signs.contradiction)} of the rows that show it least look like another class "
            f"({figure})",
            f"look for counterexamples, or {answers}",
        )
    if signs.hidden >= SURE:
        if signs.rows < FEWEST_HIDDEN_ROWS:
            return (
                "cannot tell",
                f"few rows: a hidden minority shows ({figure}), but some class has about "
                f"{number_of(round(signs.rows), 'row')} of it",
                f"collect rows that contradict what goes with the label, or {answers}",
            )
        return (
            "found",
            "in every class a hidden minority of images contradicts what goes with the label, about "
            f"{signs.rows:.0f} of them in the class with the fewest ({figure})",
            "look at the slices of the report to name it",
        )
    if signs.hidden > 1 - SURE:
        reason = f"{number_of(n, 'row')} do not settle whether there is a hidden minority ({figure})"
        return "cannot tell", reason, f"add rows, or {answers}"
    if signs.class_rows < FEWEST_CLASS_ROWS:
        return (
            "cannot tell",
            f"few rows: half of the classes have {signs.class_rows:.0f} or fewer, a tenth of which cannot "
            f"show a hidden minority ({figure})",
            f"add rows, or {answers}",
        )
    if signs.shared:
        return (
            "cannot tell",
            "something besides the class names separates groups of classes "
            f"({percent(signs.group_legibility)} above chance); the rows cannot show whether the classes "
            "of a group share real features or a shortcut",
            f"look for counterexamples, or {answers}",
        )
    if not signs.has_text and signs.skewness > SKEWNESS_WITHOUT_TEXT:
        reason = f"no text features: hard rows and a hidden minority look alike here ({figure})"
        return "cannot tell", reason, f"give text features of the class names, or {answers}"
    if not signs.has_text and n < ROWS_WITHOUT_TEXT:
        return (
            "cannot tell",
            f"few rows: without text features {n:,} rows are too few to rule a shortcut out ({figure})",
            f"add rows or text features of the class names, or {answers}",
        )
    return (
        "no sign",
        f"no hidden minority shows among {n:,} rows ({figure})",
        "test on data from another source",
    )


def _repair(shortcut: Shortcut, decision: Decision, figure: str) -> tuple[Repair, str]:
    if decision.blind:
        return "none passed", f"{decision.kept} is kept, because no row could show the gain of a repair"
    if decision.few and decision.low <= 0:
        under = f"{abs(100 * decision.low):.1f}"
        least = f"at most {under} points below" if float(under) else "not below"
        return (
            "none passed",
            f"few rows: {decision.kept} is kept as the safest, {least} the better of zero-shot and ERM",
        )
    if decision.kept != decision.baseline:
        least = f"{100 * decision.low:.1f}"
        return (
            "passed",
            f"{decision.kept} has an estimated worst {figure} {100 * decision.gain:.1f} points above that of "
            f"{decision.baseline}, {f'at least {least}' if float(least) else 'though hardly beyond chance'}",
        )
    gain = signed(100 * decision.runner_up_gain)
    best = f"the next best is {decision.runner_up}, with a gain of {gain} points"
    if shortcut == "no sign":
        return "none needed", f"{decision.kept} is kept; {best}"
    return "none passed", f"{decision.kept} is kept; {best}, at least {signed(100 * decision.runner_up_low)}"


def _minus(number: str) -> str:
    return number.replace("-", "−")
