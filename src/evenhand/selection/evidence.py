"""A candidate replaces ERM only on evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

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
    """Which candidate was kept, and on what evidence.

    Attributes
    ----------
    candidate : str
        Its name; `erm` when nothing replaced it.
    index : int or None
        Its place among the candidates, None for ERM.
    gain, low : float or None
        Gain of the best admissible candidate in the rule, and its simultaneous lower bound.
    chance : float or None
        The gain that flips at random would have had.
    trusted_gain : float or None
        Its gain where rows that look mislabelled are left out.
    retention : float or None
        Its accuracy on the rows that ERM had right.
    looked_at, rows : int
        Numbers of candidates and of judged rows.
    testimony : dict or None
        What zero-shot says of the shortcut probe (`ProbeDiagnostics`); None where there is no probe.
    reason : str
        One sentence.
    trials : tuple of dict
        Every candidate with `gain`, `trusted_gain` and `retention` as above; empty where none was judged.
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
        """Return plain data on the choice, without the trials."""
        return {name: value for name, value in asdict(self).items() if name != "trials"}


@dataclass(frozen=True)
class Evidence:
    """Keep ERM unless a candidate's gain in a rule is beyond chance.

    A candidate is admissible if it keeps at least 1 − `max_loss` of the rows that ERM had right, and still
    gains where the suspects are left out: rows that zero-shot and ERM agree to be of another class. Label
    noise looks like a shortcut's victims to every rule that counts errors; the suspects are where the two
    differ. The admissible candidate of largest gain is taken when

        gain − q > max(0, gain of random flips),

    q being the `confidence` quantile, over bootstrap draws within cells, of the largest excess over all
    candidates of the drawn gain over the observed one: a bound that holds for all candidates at once.
    Random flips change ERM's prediction, per predicted class, as often as the candidate does.

    Before all that, zero-shot is heard: where it says that the probe reads no shortcut, ERM is kept.

    Attributes
    ----------
    rule : Rule
        What is gained in.
    confidence : float
        One-sided level of the bound, above 0 and below 1.
    max_loss : float
        Largest share of ERM's right rows that may become wrong.
    draws : int
        Bootstrap draws.
    witness : ProbeSanityCheck or None
        What zero-shot must say of the probe; None asks nothing.
    """

    rule: Rule = SHORTCUT_CELL
    confidence: float = 0.95
    max_loss: float = 0.1
    draws: int = 1000
    witness: ProbeSanityCheck | None = field(default_factory=ProbeSanityCheck)

    def __post_init__(self) -> None:
        check(self, confidence=INSIDE, max_loss=SHARE, draws=COUNT)

    def choose(
        self, names: Sequence[str], predictions: Ints, judged: HeldOutPredictions, seed: int
    ) -> Choice:
        """Choose among K candidates.

        Parameters
        ----------
        names : sequence of K str
            Of the candidates.
        predictions : int64 [K, M]
            Predicted codes on the judged rows.
        judged : HeldOutPredictions
            The rows, with ERM's predictions.
        seed : int
            Root of the bootstrap's stream.
        """
        partition = self.rule.partition(judged)
        if not names or not any(len(cell) for cell in partition.members):
            return _erm_kept(names, judged, "too few judged rows to compare cells")
        heard = ProbeDiagnostics.of(judged) if self._asks(judged) else None
        if heard and self.witness and (objection := self.witness.objection(heard, has_text=judged.has_text)):
            return _erm_kept(names, judged, objection, heard)
        right_erm = judged.erm == judged.y
        right = predictions == judged.y
        gain = self._gains(right, right_erm, partition)
        trusted_cells = partition.without(judged.suspects)
        if not trusted_cells.members:
            return _erm_kept(
                names, judged, "every judged row looks mislabelled to zero-shot and ERM alike", heard
            )
        trusted = self._gains(right, right_erm, trusted_cells)
        retention = right[:, right_erm].mean(axis=1) if right_erm.any() else np.ones(len(names))
        trials = _trials(names, gain, trusted, retention)
        if (retention < 1 - self.max_loss).all():
            return _erm_kept(
                names,
                judged,
                f"every candidate loses more than {self.max_loss:.0%} of the rows ERM had right",
                heard,
                trials,
            )
        admissible = (retention >= 1 - self.max_loss) & (trusted > 0)
        if not admissible.any():
            reason = "no candidate gains on rows whose labels can be trusted"
            return _erm_kept(names, judged, reason, heard, trials)
        best = int(np.where(admissible, gain, -np.inf).argmax())
        low = float(gain[best] - self._excess(right, right_erm, gain, partition, seed))
        chance = self._chance(predictions[best], judged, partition)
        kept = low > max(0.0, chance)
        figures = f"gain {gain[best]:.3f} in {self.rule.name}, lower bound {low:.3f}, chance {chance:.3f}"
        return Choice(
            candidate=names[best] if kept else "erm",
            index=best if kept else None,
            gain=float(gain[best]),
            low=low,
            chance=chance,
            trusted_gain=float(trusted[best]),
            retention=float(retention[best]),
            looked_at=len(names),
            rows=len(judged.y),
            testimony=None if heard is None else heard.as_dict(),
            reason=figures if kept else f"{NONE_PASSED}: best {figures}",
            trials=trials,
        )

    def _asks(self, judged: HeldOutPredictions) -> bool:
        """Tell whether zero-shot is heard: not for the oracle rule, nor where there is no probe."""
        known = judged.shortcut_margin is not None and judged.zero_shot_margin is not None
        return self.witness is not None and self.rule.group_labels_used == "none" and known

    def _gains(self, right: Bools, right_erm: Bools, partition: Partition) -> Floats:
        """Return each candidate's score minus ERM's, [K]."""
        both = self.rule.scores(np.vstack([right_erm, right]), partition)
        gains: Floats = both[1:] - both[0]
        return gains

    def _excess(self, right: Bools, right_erm: Bools, gain: Floats, partition: Partition, seed: int) -> float:
        """Return q: how far the drawn gain of any candidate exceeds its observed one."""
        generator = numpy_stream(seed, "evidence")
        both = np.vstack([right_erm, right])
        scores = self.rule.reduce(partition.draw(both, self.draws, generator), partition.classes)
        excess = (scores[:, 1:] - scores[:, :1] - gain).max(axis=1)
        return float(np.quantile(excess, self.confidence))

    def _chance(self, predicted: Ints, judged: HeldOutPredictions, partition: Partition) -> float:
        """Return the gain if ERM's predictions changed at the candidate's rate, blind to the truth.

        A right row becomes wrong with its rate f; a wrong row becomes right with f / (C − 1).
        """
        erm, n_classes = judged.erm, judged.n_classes
        changed = (predicted != erm).astype(np.float64)
        counts = np.maximum(1, np.bincount(erm, minlength=n_classes))
        rate = (np.bincount(erm, weights=changed, minlength=n_classes) / counts)[erm]
        right = erm == judged.y
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
    judged: HeldOutPredictions,
    reason: str,
    heard: ProbeDiagnostics | None = None,
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
        rows=len(judged.y),
        testimony=None if heard is None else heard.as_dict(),
        reason=f"{NONE_PASSED}: {reason}",
        trials=trials,
    )
