"""What cross-fitted margins say about a shortcut: whether there is a hidden minority, and which rows."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from scipy.stats import norm

from evenhand._errors import EvenhandError
from evenhand._typing import Bools, Floats, Ints
from evenhand.functional.class_groups import group_legibility
from evenhand.functional.mirror_noise import mirror_noise, passing_noise, trust
from evenhand.functional.two_parts import lower_parts, separation
from evenhand.functional.within_class import left_skewness, residuals
from evenhand.selection.probe_check import above_chance, within_class_correlation
from evenhand.selection.shortcut_limits import FEWEST_CLASS_ROWS, FEWEST_HIDDEN_ROWS, Limits


@dataclass(frozen=True)
class CrossFits:
    """Training rows as seen by models that were not trained on them; means over repeated cross-fits.

    Margins are `functional.within_class.mean_margins`.

    Attributes
    ----------
    y : int64 [N]
        Class codes.
    zero_shot, erm, probe : int64 [N]
        Codes predicted by zero-shot, by ERM and by the shortcut probe.
    zero_shot_margin, erm_margin, probe_margin : float [N]
        Their margins.
    reference_margin : float [N]
        Margin of the model that knows the classes: zero-shot, or without text a mildly regularized ERM.
    zero_shot_lead, erm_lead : float [N]
        Largest logit minus the second largest.
    has_text : bool
        Whether zero-shot uses class names. Without them, the probe is a strongly regularized model of all
        directions.
    """

    y: Ints
    zero_shot: Ints
    erm: Ints
    probe: Ints
    zero_shot_margin: Floats
    erm_margin: Floats
    probe_margin: Floats
    reference_margin: Floats
    zero_shot_lead: Floats
    erm_lead: Floats
    has_text: bool = True

    def __post_init__(self) -> None:
        for field in fields(self):
            values = getattr(self, field.name)
            if field.name.endswith("margin") and not np.isfinite(values).all():
                raise EvenhandError(
                    f"{field.name} has {int((~np.isfinite(values)).sum())} values that are not finite; every "
                    "row needs a finite margin, so look for features that are not finite"
                )

    @property
    def suspects(self) -> Bools:
        """Rows that neither zero-shot nor ERM classifies as labeled."""
        suspects: Bools = (self.zero_shot != self.y) & (self.erm != self.y)
        return suspects


@dataclass(frozen=True)
class ShortcutSigns:
    """What cross-fitted margins say about a shortcut.

    Attributes
    ----------
    low, trust : float [N]
        P(hidden minority of its class), and how much a row counts.
    skewness, error : float
        g, and its standard error √(6 / N).
    hidden : float
        p, the chance of a hidden minority: Φ((g − g₀) / error); 0 if zero-shot is not competent.
    noise : float
        Share of wrong labels; 0 if zero-shot is not competent.
    competence : float
        Zero-shot's class-mean accuracy above chance, over ERM's; 0 if zero-shot is at chance or below, 1 if
        only ERM is.
    legibility : float
        The probe's class-mean accuracy above chance, with rows weighted by their trust.
    group_legibility : float
        `functional.class_groups.group_legibility` of the probe, with the same weights.
    agreement : float
        Rank correlation within classes of the probe's margin with zero-shot's, without suspects.
    contradiction : float
        Share of the lower part that the probe misclassifies: near 1 in a hidden minority, small in a tail.
        Here and below a row counts by its trust, so that wrong labels do not pass for counterexamples.
    against : float
        Rows of the lower part that the probe misclassifies, in the mean over classes, beyond the wrong labels
        that a model confirms by chance.
    separation : float
        Distance of the two parts in standard deviations.
    rows : float
        Expected rows in the smallest hidden cell, with rows weighted by their trust.
    class_rows : float
        Median rows of a class.
    clear : bool
        The lower part lies apart and contradicts the probe, so it is not a tail.
    uncontradicted : bool
        The probe reads something other than the classes, and few rows or none contradict it.
    shared : bool
        The probe separates groups of classes, so what the classes of a group share would not show.
    competent, has_text : bool
        Whether zero-shot is good enough to vouch; whether it has text.
    """

    low: Floats
    trust: Floats
    skewness: float
    error: float
    hidden: float
    noise: float
    competence: float
    legibility: float
    group_legibility: float
    agreement: float
    contradiction: float
    against: float
    separation: float
    rows: float
    class_rows: float
    clear: bool
    uncontradicted: bool
    shared: bool
    competent: bool
    has_text: bool

    @property
    def is_hidden(self) -> bool:
        """Whether a hidden minority is at least as likely as not."""
        return self.hidden >= 0.5

    @property
    def few(self) -> bool:
        """Whether the smallest hidden cell, or without one the median class, has few rows."""
        return self.rows < FEWEST_HIDDEN_ROWS if self.is_hidden else self.class_rows < FEWEST_CLASS_ROWS


def find_signs(seen: CrossFits, limits: Limits | None = None) -> ShortcutSigns:
    """Return the signs of a shortcut in cross-fitted margins."""
    limits = limits or Limits()
    y, trusted, wrong = seen.y, ~seen.suspects, seen.probe != seen.y
    competence = _share(max(0.0, above_chance(seen.zero_shot, y)), above_chance(seen.erm, y))
    competent = not seen.has_text or competence >= limits.competence
    # A model that does not know the classes is no evidence against a label.
    leads = seen.zero_shot_lead, seen.erm_lead
    noise = mirror_noise(y, seen.zero_shot, seen.erm, *leads) if competent else 0.0
    counted = trust(seen.suspects, noise)
    share = 1.0 if seen.has_text else limits.share_without_text
    r = residuals(seen.probe_margin, seen.reference_margin, y, trusted, share)
    low = lower_parts(r, y)
    skewness, error = left_skewness(r[trusted], y[trusted]), float(np.sqrt(6 / max(1, len(y))))
    legibility, of_groups = above_chance(seen.probe, y, counted), group_legibility(seen.probe, y, counted)
    agreement = within_class_correlation(
        seen.probe_margin[trusted], seen.zero_shot_margin[trusted], y[trusted]
    )
    turn = limits.skewness if seen.has_text else limits.skewness_without_text
    hidden = float(norm.cdf((skewness - turn) / error)) if competent else 0.0
    apart = separation(r, low, y)
    minority = counted * low
    contradiction = float(minority @ wrong) / max(float(minority.sum()), 1e-9)
    passing = passing_noise(y, seen.zero_shot, seen.erm, noise) * len(y) / len(np.unique(y))
    against = max(0.0, float(minority @ wrong) / len(np.unique(y)) - passing)
    reads_else = legibility > 0 and (agreement < limits.agreement or legibility > limits.legibility)
    return ShortcutSigns(
        low=low,
        trust=counted,
        skewness=skewness,
        error=error,
        hidden=hidden,
        noise=noise,
        competence=competence,
        legibility=legibility,
        group_legibility=of_groups,
        agreement=agreement,
        contradiction=contradiction,
        against=against,
        separation=apart,
        clear=contradiction * apart >= limits.clearness,
        rows=max(0.0, min(float(minority[y == code].sum()) for code in np.unique(y)) - passing),
        class_rows=float(np.median(np.unique(y, return_counts=True)[1])),
        uncontradicted=bool(
            seen.has_text
            and competent
            and reads_else
            and (hidden < 0.5 or against < limits.against + passing)
        ),
        shared=seen.has_text and of_groups > limits.legibility,
        competent=competent,
        has_text=seen.has_text,
    )


def _share(part: float, whole: float) -> float:
    return part / whole if whole > 0 else float(part > 0)
