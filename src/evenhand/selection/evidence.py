"""A calibrated state replaces ERM only on evidence."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from evenhand._random import numpy_stream
from evenhand._typing import Bools, Floats, Ints

VERDICT_NONE = "no evidence of a shortcut that calibration can mend"


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
        Gain of the best admissible candidate in the rule on validation, and its simultaneous lower bound.
    chance : float or None
        The gain that flips at random would have had.
    retention : float or None
        Its accuracy on the rows that ERM had right.
    looked_at : int
        Number of candidates.
    reason : str
        One sentence.
    """

    candidate: str
    index: int | None
    gain: float | None
    low: float | None
    chance: float | None
    retention: float | None
    looked_at: int
    reason: str

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return asdict(self)


@dataclass(frozen=True)
class Evidence:
    """Keep ERM unless a candidate's gain in mean cell accuracy is beyond chance.

    The rule is the mean accuracy over cells (class × shortcut probe right or wrong) of at least
    `min_rows` validation rows. Among candidates that lose at most `max_loss` of the rows that ERM had
    right, the one of largest gain is taken when

        gain − q > max(0, gain of random flips),

    q being the `confidence` quantile, over bootstrap draws within cells, of the largest excess over all
    candidates of the drawn gain over the observed one: a bound that holds for all checkpoints at once.
    Random flips change ERM's prediction, per predicted class, as often as the candidate does.

    Attributes
    ----------
    confidence : float
        One-sided level of the bound.
    max_loss : float
        Largest share of ERM's right rows that may become wrong.
    min_rows : int
        Cells with fewer rows do not count.
    draws : int
        Bootstrap draws.
    """

    confidence: float = 0.95
    max_loss: float = 0.1
    min_rows: int = 5
    draws: int = 1000

    name = "shortcut_cell"
    group_labels_used = "none"

    def choose(
        self, names: list[str], predictions: Ints, erm: Ints, y: Ints, cells: Ints, seed: int
    ) -> Choice:
        """Choose among K candidates.

        Parameters
        ----------
        names : list of K str
            Of the candidates.
        predictions : int64 [K, M]
            Predicted codes on validation.
        erm, y, cells : int64 [M]
            ERM's predictions, true codes, cell numbers.
        seed : int
            Root of the bootstrap's stream.
        """
        counts = np.bincount(cells) if len(cells) else np.zeros(0, dtype=np.int64)
        members = [np.flatnonzero(cells == c) for c in np.flatnonzero(counts >= self.min_rows)]
        if len(members) < 2 or not names:
            return _erm_kept(len(names), f"fewer than two cells have {self.min_rows} validation rows")
        right = predictions == y
        right_erm = erm == y
        change = right.astype(np.float64) - right_erm
        gain = np.mean([change[:, rows].mean(axis=1) for rows in members], axis=0)
        retention = right[:, right_erm].mean(axis=1) if right_erm.any() else np.ones(len(names))
        admissible = retention >= 1 - self.max_loss
        if not admissible.any():
            return _erm_kept(
                len(names), f"every candidate loses more than {self.max_loss:.0%} of the rows ERM had right"
            )
        best = int(np.where(admissible, gain, -np.inf).argmax())
        low = float(gain[best] - self._margin(change, gain, members, seed))
        chance = _chance_gain(predictions[best], erm, right_erm, members, int(max(y.max(), erm.max())) + 1)
        kept = low > max(0.0, chance)
        reason = (
            f"gain of {gain[best]:.3f} in mean cell accuracy, lower bound {low:.3f}, chance {chance:.3f}"
            if kept
            else f"{VERDICT_NONE}: best gain {gain[best]:.3f} in mean cell accuracy, lower bound {low:.3f}"
        )
        return Choice(
            names[best] if kept else "erm",
            best if kept else None,
            float(gain[best]),
            low,
            chance,
            float(retention[best]),
            len(names),
            reason,
        )

    def _margin(self, change: Floats, gain: Floats, members: list[Ints], seed: int) -> float:
        """Return q: how far the drawn gain of any candidate exceeds its observed one."""
        generator = numpy_stream(seed, "evidence")
        drawn = np.zeros((self.draws, len(gain)))
        for rows in members:
            weights = generator.multinomial(len(rows), np.full(len(rows), 1 / len(rows)), size=self.draws)
            drawn += weights @ change[:, rows].T / len(rows)
        return float(np.quantile((drawn / len(members) - gain).max(axis=1), self.confidence))


def _erm_kept(looked_at: int, reason: str) -> Choice:
    return Choice("erm", None, None, None, None, None, looked_at, f"{VERDICT_NONE}: {reason}")


def _chance_gain(prediction: Ints, erm: Ints, right_erm: Bools, members: list[Ints], n_classes: int) -> float:
    """Expected gain when ERM's predictions change at the candidate's rate, blind to the truth.

    A right row becomes wrong with its rate f; a wrong row becomes right with f / (C − 1).
    """
    flips = np.array(
        [(prediction[erm == c] != c).mean() if (erm == c).any() else 0.0 for c in range(n_classes)]
    )
    rate = flips[erm]
    expected = np.where(right_erm, -rate, rate / max(1, n_classes - 1))
    return float(np.mean([expected[rows].mean() for rows in members]))
