"""What the results show: a headline and a few sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from evenhand._counts import number_of
from evenhand._signed import signed
from evenhand.audits.bottom_line import BottomLine
from evenhand.evaluation.few import FEW
from evenhand.evaluation.labels import NO_BREAK, label
from evenhand.evaluation.metric_view import metric_of
from evenhand.evaluation.verdict_sentences import in_plain_words, verdict_sentences
from evenhand.reports.rates import Estimate, Record
from evenhand.reports.slice_panels import SlicePanel, SliceSection

SAME = 0.0005
"""Smaller differences do not show in a percentage with one decimal."""


@dataclass(frozen=True)
class PageVerdict:
    """The top of the page.

    Attributes
    ----------
    headline : str
        One sentence.
    facts : list of str
        Average, certainty, what was kept, which method does better, what errors look like. Words in asterisks
        are emphasized.
    """

    headline: str
    facts: list[str]


def worst(row: Record) -> Record | None:
    """Return the worst group of a result row, or the worst class without groups."""
    rate = row.get("worst_group") or row.get("worst_class")
    return rate if rate and rate.get("value") is not None else None


def means(rows: Sequence[Record]) -> dict[str, tuple[float, float | None]]:
    """Return each method's mean worst rate and mean plain average over its seeds, as fractions."""
    found: dict[str, tuple[float, float | None]] = {}
    for method in dict.fromkeys(row["method"] for row in rows):
        own = [row for row in rows if row["method"] == method]
        lows = [rate["value"] for rate in map(worst, own) if rate]
        averages = [row["averages"]["plain"] for row in own if row["averages"].get("plain") is not None]
        if lows:
            found[method] = (fmean(lows), fmean(averages) if averages else None)
    return found


def unit_of(rows: Sequence[Record]) -> str:
    """Return what the worst rate belongs to: `group` if groups are known, else `class`."""
    return "group" if any(row.get("worst_group") for row in rows) else "class"


def of_run(found: BottomLine) -> PageVerdict:
    """Return the top of the page of one run: the sentences that `audit` opens with.

    A next step that is the report is left out, because the reader has it.
    """
    first, *others = found.lines
    return PageVerdict(first, others[:-1] if found.command[0] == "report" else others)


def verdict(
    rows: Sequence[Record], slices: SliceSection | None = None, seed: int | None = None
) -> PageVerdict:
    """Return the top of the page.

    Parameters
    ----------
    rows : sequence of Record
        Result rows with status `ok`.
    slices : SliceSection, optional
        The slices of a run's errors.
    seed : int, optional
        The run's seed, if there are rows of other seeds.
    """
    found = means(rows)
    if not found:
        return PageVerdict("No method gave a result.", [])
    by = "" if metric_of(rows[0]) == "accuracy" else f" by {metric_of(rows[0])}"
    unit = f"worst {unit_of(rows)}{by}"
    decided = [row for row in rows if "shortcut" in (row.get("kept") or {}) and row["method"] in found]
    if decided:
        own = decided[0]["method"]
        kept = _worst_of_kept(found[own], decided, unit, beside_erm="erm" in found)
        headline, *others = _decided(decided)
        facts = [*others, *kept, *_better(found, unit, own)]
        return PageVerdict(headline, [*facts, *_named_slice(slices, seed), *_thin(rows)])
    if "cfr" not in found:
        best = max(found, key=lambda method: found[method][0])
        headline = f"The highest {unit} is {_percent(found[best][0])}, by {label(best)}."
        return PageVerdict(headline, [*_named_slice(slices, seed), *_thin(rows)])
    calibrated = [row for row in rows if row["method"] == "cfr"]
    facts = [*_average(found), *_certainty(calibrated), *_kept(calibrated), *_better(found, unit, "cfr")]
    return PageVerdict(
        _headline(found, calibrated, unit), [*facts, *_named_slice(slices, seed), *_thin(rows)]
    )


def _decided(decided: Sequence[Record]) -> list[str]:
    """Return the sentences of one decision; for several, how often each verdict came, then each seed's own.

    A seed's own sentences are the repair, and the verdict if the seeds differ.
    """
    sentences = [verdict_sentences(row["kept"]) for row in decided]
    if len(decided) == 1:
        return sentences[0]
    said = [row["kept"]["shortcut"] for row in decided]
    counts = ", ".join(f"{one} in {said.count(one)}" for one in dict.fromkeys(said))
    first = 1 if len(set(said)) == 1 else 0
    return [
        f"Shortcut: {counts} of {len(said)} seeds.",
        *(
            f"Seed {row['seed']}: {in_plain_words(' '.join(own[first:2]))}"
            for row, own in zip(decided, sentences, strict=True)
        ),
    ]


def _worst_of_kept(
    rates: tuple[float, float | None], decided: Sequence[Record], unit: str, *, beside_erm: bool
) -> list[str]:
    """Return the mean worst rate of the kept model, and that of the ERM among its candidates."""
    (after, average), before = rates, _before(decided)
    beside = "" if before is None else f"; ERM with the L2 strength that it chose has {_percent(before)}"
    if beside and beside_erm:
        beside += " (the method erm is trained with SGD and chooses no strength)"
    plain = "" if average is None else f"; the average over all test rows is {_percent(average)}"
    return [f"The kept model has {_percent(after)} in its {unit}{beside}{plain}."]


def _headline(
    found: Mapping[str, tuple[float, float | None]], calibrated: Sequence[Record], unit: str
) -> str:
    after = found["cfr"][0]
    if all(_erm_kept(row) for row in calibrated):
        return (
            "No calibrated candidate passed: the plainly trained model (ERM) is kept, with "
            f"{_percent(after)} in its {unit}."
        )
    before = found["erm"][0] if "erm" in found else _before(calibrated)
    if before is None:
        return f"Calibrated (CFR), the {unit} is {_percent(after)}."
    if abs(after - before) < SAME:
        return f"Calibration (CFR) leaves the {unit} at {_percent(after)}."
    moved = "raises" if after > before else "lowers"
    used = {row.get("group_labels_used", "none") for row in calibrated}
    without = ", without group labels" if used == {"none"} else ""
    return f"Calibration (CFR) {moved} the {unit} from {_percent(before)} to {_percent(after)}{without}."


def _before(calibrated: Sequence[Record]) -> float | None:
    """Return ERM's mean worst group, from the paired differences of the calibrated rows."""
    known = [
        rate["value"] - row["difference_to_erm"]["value"]
        for row in calibrated
        if row.get("difference_to_erm") and (rate := row.get("worst_group"))
    ]
    return fmean(known) if len(known) == len(calibrated) else None


def _average(found: Mapping[str, tuple[float, float | None]]) -> list[str]:
    before, after = found.get("erm", (0.0, None))[1], found["cfr"][1]
    if before is None or after is None or abs(after - before) < SAME:
        return [] if after is None else [f"The average over all test rows is {_percent(after)}."]
    moved = "rises" if after > before else "falls"
    return [f"The average over all test rows {moved} from {_percent(before)} to {_percent(after)}."]


def _certainty(calibrated: Sequence[Record]) -> list[str]:
    known = [
        row["difference_to_erm"] for row in calibrated if row.get("difference_to_erm") and not _erm_kept(row)
    ]
    if not known:
        return []
    if len(known) == 1:
        gain = known[0]
        chance = "; it may be chance" if gain["low"] <= 0 <= gain["high"] else ""
        value, low, high = (signed(100 * gain[name]) for name in ("value", "low", "high"))
        return [
            f"Where calibration replaced ERM, the worst group changes by {value} points, "
            f"95{NO_BREAK}% interval {low} to {high}{chance}."
        ]
    *first, last = (signed(100 * gain["value"]) for gain in known)
    sure = sum(gain["low"] > 0 for gain in known)
    return [
        f"Where calibration replaced ERM, the worst group changes by {', '.join(first)} and {last} points, "
        f"seed by seed; the 95{NO_BREAK}% interval is above 0 in {sure} of {len(known)}."
    ]


def _kept(calibrated: Sequence[Record]) -> list[str]:
    kept = sum(_erm_kept(row) for row in calibrated)
    if kept in (0, len(calibrated)):
        return []
    return [f"In {kept} of {len(calibrated)} seeds no candidate passed, and ERM was kept."]


def _better(found: Mapping[str, tuple[float, float | None]], unit: str, own: str) -> list[str]:
    best = max(found, key=lambda method: found[method][0])
    if found[best][0] - found[own][0] < SAME:
        return []
    return [f"The highest {unit} here is {_percent(found[best][0])}, by {label(best)}."]


def _named_slice(slices: SliceSection | None, seed: int | None) -> list[str]:
    """Describe the first slice with a name, with the error rates of both models."""
    by_model = [] if slices is None else slices.by_model
    named = ((one.name, panel) for one in by_model for panel in one.panels if panel.named)
    first = next(named, None)
    if slices is None or first is None:
        return []
    sentence = _of_slice(slices.models, *first)
    return [sentence if seed is None else f"With seed {seed}, {sentence}"]


def _of_slice(models: Sequence[str], model: str, panel: SlicePanel) -> str:
    place = models.index(model)
    rates = [_rate(one) for one in panel.rates.estimates]
    own, span = rates[place]
    sentence = (
        f"{panel.slice.sentence}; {model} misclassifies {_percent(own)} of {panel.slice.n:,} such rows "
        f"(95{NO_BREAK}% interval {span})"
    )
    if len(models) == 1:
        return f"{sentence}."
    other, span = rates[1 - place]
    if place:
        return f"{sentence}; {models[0]} misclassifies {_percent(other)} ({span})."
    if abs(other - own) < SAME:
        return f"{sentence}, and {models[1]} does not change that."
    moved = "lowers" if other < own else "raises"
    return f"{sentence}, and {models[1]} {moved} that to {_percent(other)} ({span})."


def _rate(one: Estimate) -> tuple[float, str]:
    """Return an error rate and its interval; both are known, since a slice has rows."""
    assert one.value is not None
    assert one.low is not None
    assert one.high is not None
    return one.value, f"{100 * one.low:.1f} to {_percent(one.high)}"


def _thin(rows: Sequence[Record]) -> list[str]:
    counts = [rate["n"] for rate in map(worst, rows) if rate]
    if min(counts) >= FEW:
        return []
    least = number_of(min(counts), "test row")
    return [f"A worst {unit_of(rows)} has {least}: under {FEW} its rate is mostly luck."]


def _erm_kept(row: Record) -> bool:
    return (row.get("kept") or {}).get("candidate") == "erm"


def _percent(value: float) -> str:
    return f"{100 * value:.1f}{NO_BREAK}%"
