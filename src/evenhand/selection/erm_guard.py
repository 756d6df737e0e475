"""Replace ERM by a candidate only if the gain is beyond chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from evenhand._counts import percent
from evenhand._random import numpy_stream
from evenhand._ranges import COUNT, INSIDE, SHARE, check
from evenhand._typing import Bools, Floats, Ints
from evenhand.selection.cells import Partition
from evenhand.selection.held_out import HeldOutPredictions
from evenhand.selection.probe_check import ProbeDiagnostics, ProbeSanityCheck
from evenhand.selection.rules import SHORTCUT_CELL, Rule

NONE_PASSED = "no candidate passed"


@dataclass(frozen=True)
class Choice:
    """The candidate that was kept, and the evidence for it.

    Attributes
    ----------
    candidate : str
        Name of the kept candidate; `erm` if none replaced ERM.
    index : int or None
        Position of the kept candidate; None for ERM.
    gain, low : float or None
        Gain of the best admissible candidate in the rule's score, and its simultaneous lower bound.
    chance : float or None
        The gain that random flips at the same rate would have.
    trusted_gain : float or None
        Its gain without the rows that look mislabeled.
    retention : float or None
        Its accuracy on the rows that ERM classifies correctly.
    looked_at, rows : int
        Number of candidates, and of held-out rows.
    testimony : dict or None
        The fields of `ProbeDiagnostics`; None if there is no probe.
    reason : str
        One sentence that explains the choice.
    trials : tuple of dict, default=()
        `gain`, `trusted_gain` and `retention` of every candidate; empty if none was scored.
    """

    candidate: str
    index: int | None
    gain: float | None
    low: float | None
    chance: float | None
    trusted_gain: float | None
    retention: float | None
    looked_at: int
    rows: int
    testimony: dict[str, float] | None
    reason: str
    trials: tuple[Mapping[str, Any], ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return all attributes but `trials`."""
        return {name: value for name, value in asdict(self).items() if name != "trials"}


@dataclass(frozen=True)
class Evidence:
    """The guard: keep ERM unless a candidate's gain in a rule is beyond chance.

    A candidate is admissible if it is correct on at least 1 − `max_loss` of the rows where ERM is, and if it
    still gains without the suspects, the rows that look mislabeled (`HeldOutPredictions.suspects`). To a rule
    that counts errors, label noise and the victims of a shortcut look alike; the suspects separate them.
    The admissible candidate of largest gain replaces ERM if

        gain − q > max(0, gain of random flips),

    where q is the `confidence` quantile of max_k (drawn gain_k − gain_k) over bootstrap draws within cells.
    This bound holds for all candidates k at once. Random flips change ERM's prediction, per predicted class,
    as often as the candidate does.

    ERM is also kept if the diagnostics of the shortcut probe fail `probe_check`.

    Attributes
    ----------
    rule : Rule, default=SHORTCUT_CELL
        The rule whose score is compared.
    confidence : float, default=0.95
        One-sided level of the bound, above 0 and below 1.
    max_loss : float, default=0.1
        Largest share of the rows that ERM classifies correctly that a candidate may misclassify.
    n_resamples : int, default=1000
        Number of bootstrap samples.
    probe_check : ProbeSanityCheck or None, default=ProbeSanityCheck()
        Bounds on the diagnostics of the shortcut probe; None skips the check. It is also skipped for the
        oracle rule, and if there is no probe.

    Raises
    ------
    EvenhandError
        If a number is out of its range.
    """

    rule: Rule = SHORTCUT_CELL
    confidence: float = 0.95
    max_loss: float = 0.1
    n_resamples: int = 1000
    probe_check: ProbeSanityCheck | None = field(default_factory=ProbeSanityCheck)

    def __post_init__(self) -> None:
        check(self, confidence=INSIDE, max_loss=SHARE, n_resamples=COUNT)

    def choose(
        self, names: Sequence[str], predictions: Ints, held_out: HeldOutPredictions, seed: int
    ) -> Choice:
        """Choose among K candidates.

        Parameters
        ----------
        names : sequence of K str
            Names of the candidates.
        predictions : int64 [K, M]
            Class codes that each candidate predicts on the held-out rows.
        held_out : HeldOutPredictions
            Labels and reference predictions of the same rows.
        seed : int
            Seed of the bootstrap.

        Returns
        -------
        Choice
            The kept candidate, with the figures behind it.
        """
        partition = self.rule.partition(held_out)
        if not names or not any(len(cell) for cell in partition.members):
            return _erm_kept(names, held_out, "too few held-out rows to compare cells")
        diagnostics = ProbeDiagnostics.of(held_out) if self._checks_probe(held_out) else None
        if diagnostics and self.probe_check:
            objection = self.probe_check.objection(diagnostics, has_text=held_out.has_text)
            if objection:
                return _erm_kept(names, held_out, objection, diagnostics)
        right_erm = held_out.erm == held_out.y
        right = predictions == held_out.y
        gain = self._gains(right, right_erm, partition)
        trusted_cells = partition.without(held_out.suspects)
        if not trusted_cells.members:
            return _erm_kept(
                names, held_out, "every held-out row looks mislabeled to zero-shot and ERM alike", diagnostics
            )
        trusted = self._gains(right, right_erm, trusted_cells)
        retention = right[:, right_erm].mean(axis=1) if right_erm.any() else np.ones(len(names))
        trials = _trials(names, gain, trusted, retention)
        if (retention < 1 - self.max_loss).all():
            return _erm_kept(
                names,
                held_out,
                f"every candidate loses more than {percent(self.max_loss)} of the rows where ERM is correct",
                diagnostics,
                trials,
            )
        admissible = (retention >= 1 - self.max_loss) & (trusted > 0)
        if not admissible.any():
            reason = "no candidate gains on rows whose labels can be trusted"
            return _erm_kept(names, held_out, reason, diagnostics, trials)
        best = int(np.where(admissible, gain, -np.inf).argmax())
        low = float(gain[best] - self._excess(right, right_erm, gain, partition, seed))
        chance = self._chance(predictions[best], held_out, partition)
        kept = low > max(0.0, chance)
        figures = f"gain {gain[best]:.3f} by {self.rule.name} (lower bound {low:.3f}, by chance {chance:.3f})"
        figures = figures.replace("-", "−")
        return Choice(
            candidate=names[best] if kept else "erm",
            index=best if kept else None,
            gain=float(gain[best]),
            low=low,
            chance=chance,
            trusted_gain=float(trusted[best]),
            retention=float(retention[best]),
            looked_at=len(names),
            rows=len(held_out.y),
            testimony=None if diagnostics is None else diagnostics.as_dict(),
            reason=figures if kept else f"{NONE_PASSED}: best {figures}",
            trials=trials,
        )

    def _checks_probe(self, held_out: HeldOutPredictions) -> bool:
        """Return whether the probe is checked; it is not for the oracle rule, or without a probe."""
        known = held_out.shortcut_margin is not None and held_out.zero_shot_margin is not None
        return self.probe_check is not None and self.rule.group_labels_used == "none" and known

    def _gains(self, right: Bools, right_erm: Bools, partition: Partition) -> Floats:
        """Return each candidate's score minus ERM's, [K]."""
        both = self.rule.scores(np.vstack([right_erm, right]), partition)
        gains: Floats = both[1:] - both[0]
        return gains

    def _excess(self, right: Bools, right_erm: Bools, gain: Floats, partition: Partition, seed: int) -> float:
        """Return q: how far the drawn gain of any candidate exceeds its observed one."""
        generator = numpy_stream(seed, "evidence")
        both = np.vstack([right_erm, right])
        scores = self.rule.reduce(partition.draw(both, self.n_resamples, generator), partition.classes)
        excess = (scores[:, 1:] - scores[:, :1] - gain).max(axis=1)
        return float(np.quantile(excess, self.confidence))

    def _chance(self, predicted: Ints, held_out: HeldOutPredictions, partition: Partition) -> float:
        """Return the gain of random flips of ERM's predictions at the candidate's rate.

        With flip rate f a correct row becomes wrong with probability f, a wrong one correct with f / (C − 1).
        """
        erm, n_classes = held_out.erm, held_out.n_classes
        changed = (predicted != erm).astype(np.float64)
        counts = np.maximum(1, np.bincount(erm, minlength=n_classes))
        rate = (np.bincount(erm, weights=changed, minlength=n_classes) / counts)[erm]
        right = erm == held_out.y
        expected = np.where(right, 1 - rate, rate / max(1, n_classes - 1))
        scores = self.rule.scores(np.vstack([right, expected]), partition)
        return float(scores[1] - scores[0])


def _trials(
    names: Sequence[str], gain: Floats, trusted: Floats, retention: Floats
) -> tuple[Mapping[str, Any], ...]:
    columns = (gain.tolist(), trusted.tolist(), retention.tolist())
    return tuple(
        {"candidate": name, "gain": g, "trusted_gain": t, "retention": r}
        for name, g, t, r in zip(names, *columns, strict=True)
    )


def _erm_kept(
    names: Sequence[str],
    held_out: HeldOutPredictions,
    reason: str,
    diagnostics: ProbeDiagnostics | None = None,
    trials: tuple[Mapping[str, Any], ...] = (),
) -> Choice:
    return Choice(
        candidate="erm",
        index=None,
        gain=None,
        low=None,
        chance=None,
        trusted_gain=None,
        retention=None,
        looked_at=len(names),
        rows=len(held_out.y),
        testimony=None if diagnostics is None else diagnostics.as_dict(),
        reason=f"{NONE_PASSED}: {reason}",
        trials=trials,
    )
