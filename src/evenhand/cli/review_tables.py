"""What a review found, in the terminal."""

from __future__ import annotations

from evenhand.cli import tables
from evenhand.cli.show import as_json, clean, console, interval, worded
from evenhand.review.estimate import AttributeEstimate


def show_estimate(estimate: AttributeEstimate, *, json: bool) -> None:
    """Write the verdict first, then accuracy by group, then how sure the attribute is."""
    found = estimate.model_dump(mode="json")
    if json:
        as_json(found)
        return
    screen = console()
    words = {
        "found": "the shortcut is real",
        "no sign": "no sign of a shortcut",
        "cannot tell": "cannot tell",
    }
    verdict = found["verdict"]
    screen.print(clean(f"{words[verdict['shortcut']]}: {verdict['reason']}"), soft_wrap=True)
    least = found["worst_group"]
    screen.print(
        f"worst group of {clean(found['model'])}: {clean(least['name'])}, {interval(least)} %", soft_wrap=True
    )
    screen.print()
    screen.print(tables.rates(f"Estimated from the answers to {found['question']!r}", found["groups"]))
    counts = ", ".join(f"{n} {word}" for word, n in found["answers"].items())
    shares = ", ".join(f"{name} {100 * share:.0f} %" for name, share in found["shares"].items())
    kind = "drawn at random" if found["error_of"] == "random" else "answered"
    for line in (
        f"answers: {counts}; the estimate contradicts {interval(found['error'])} % of those {kind}",
        f"yes in training: {clean(shares)}",
        "group labels were used in evaluation, not in training",
    ):
        screen.print(line, soft_wrap=True)
    for note in found["notes"]:
        screen.print(worded(note), soft_wrap=True)
