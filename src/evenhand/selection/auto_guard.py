"""Which candidate to keep: zero-shot, ERM, or one that gains where it counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from evenhand._errors import EvenhandError
from evenhand._random import numpy_stream
from evenhand._ranges import COUNT, INSIDE, check
from evenhand._typing import Floats, Ints
from evenhand.functional.cell_rates import (
    Cell,
    Others,
    class_cells,
    draw_worst_rates,
    pooled_prior,
    soft_cells,
)
from evenhand.selection.shortcut_signs import ShortcutSigns


@dataclass(frozen=True)
class Decision:
    """What is kept, and on what evidence.

    Attributes
    ----------
    kept, baseline, runner_up : str
        Names of candidates. The runner-up would be kept if the kept one were not a candidate.
    index : int
        Index of the kept candidate.
    gain, low : float
        Its mean gain in U over the baseline, and the lower bound of the gain; 0 if the baseline is kept.
    runner_up_gain, runner_up_low : float
        The same for the runner-up; 0 if it is the baseline.
    utility, gains, lows : tuple of float
        Mean of U, mean gain over the baseline and its lower bound, for every candidate.
    blind : bool
        Zero-shot was kept without a comparison, since few rows or none contradict what the probe reads.
    few : bool
        Rows are too few for a baseline: bounds are of the gain over the better of zero-shot and ERM.
    """

    kept: str
    baseline: str
    runner_up: str
    index: int
    gain: float
    low: float
    runner_up_gain: float
    runner_up_low: float
    utility: tuple[float, ...]
    gains: tuple[float, ...]
    lows: tuple[float, ...]
    blind: bool
    few: bool

    def as_dict(self) -> dict[str, Any]:
        """Return plain data without the figures of every candidate."""
        return {name: value for name, value in asdict(self).items() if not isinstance(value, tuple)}

    def trials(self, names: Sequence[str]) -> list[dict[str, Any]]:
        """Return one record per candidate; without a bound where there was no comparison."""
        lows = [None] * len(names) if self.blind else self.lows
        columns = zip(names, self.utility, self.gains, lows, strict=True)
        return [dict(zip(("candidate", "utility", "gain", "low"), one, strict=True)) for one in columns]


@dataclass(frozen=True)
class DecisionRule:
    """Keep the baseline unless a candidate's gain is beyond chance.

    U(k) = p · min over soft cells θ_k + (1 − p) · min over classes θ_k, with p the chance of a hidden
    minority and θ drawn over rows, the same rows for all candidates. The baseline is zero-shot where p ≥ ½
    and there is text, else ERM. The candidate whose gain in U has the highest lower quantile replaces it, if
    that is above 0: each candidate's own where p ≥ ½, else one for all candidates at once. The bound is
    looser if the hidden minority is clear. It is stricter if the minority may only be a tail, which a set
    without counterexamples has too.

    If there is text and rows are few (`ShortcutSigns.few`), no baseline is safe. The rule then keeps the
    candidate whose gain over the better of zero-shot and ERM, draw by draw, has the highest lower quantile.
    In this case, and without text if rows are not few, cells of one kind borrow from each other
    (`functional.cell_rates.pooled_prior`).

    Attributes
    ----------
    confidence, clear_confidence : float
        One-sided levels of the bound: usual, and if a hidden minority is clear.
    draws : int
        Draws of θ.
    """

    confidence: float = 0.95
    clear_confidence: float = 0.8
    draws: int = 2000

    def __post_init__(self) -> None:
        check(self, confidence=INSIDE, clear_confidence=INSIDE, draws=COUNT)

    def decide(
        self,
        names: Sequence[str],
        right: Floats,
        y: Ints,
        signs: ShortcutSigns,
        *,
        zero_shot: int,
        erm: int,
        seed: int,
        others: Others | None = None,
    ) -> Decision:
        """Decide among K candidates.

        Parameters
        ----------
        names : sequence of K str
            Names of the candidates, including zero-shot and ERM.
        right : float [K, N]
            Share of repeated cross-fits in which a candidate, not trained on the row, classifies it
            correctly.
        y : int64 [N]
            Class codes.
        signs : ShortcutSigns
            The signs in the same rows.
        zero_shot, erm : int
            Indices of the two.
        seed : int
            Seed of the draws.
        others : callable, optional
            For AUROC in place of accuracy: `Ranking.of_others`, and `right` is `Ranking.above`.

        Raises
        ------
        EvenhandError
            If `right` has another shape.
        """
        if right.shape != (len(names), len(y)):
            raise EvenhandError(
                f"right: its shape must be candidates × rows, {len(names)} × {len(y)}, "
                f"but is {' × '.join(map(str, right.shape))}; give the candidates on the held-out rows"
            )
        utility = self._utility(right, y, signs, seed, others)
        if signs.uncontradicted:
            return _decision(names, utility, np.zeros(len(names)), zero_shot, zero_shot, blind=True)
        if signs.few and signs.has_text:
            low = self._own_bounds(utility - utility[:, [zero_shot, erm]].max(axis=1, keepdims=True), signs)
            baseline = max((zero_shot, erm), key=utility.mean(axis=0).__getitem__)
            return _decision(names, utility, low, int(low.argmax()), baseline, few=True)
        baseline = zero_shot if signs.is_hidden and signs.has_text else erm
        gain = utility - utility[:, [baseline]]
        if signs.is_hidden:
            low = self._own_bounds(gain, signs)
        else:
            excess = (gain - gain.mean(axis=0)).max(axis=1)
            low = gain.mean(axis=0) - np.quantile(excess, self.confidence)
        low[baseline] = 0.0
        kept = int(low.argmax()) if low.max() > 0 else baseline
        return _decision(names, utility, low, kept, baseline)

    def _own_bounds(self, gain: Floats, signs: ShortcutSigns) -> Floats:
        """Return each candidate's lower quantile of draws of its gain, [K]."""
        looser = signs.is_hidden and signs.clear
        confidence = self.clear_confidence if looser else self.confidence
        # Equal candidates differ by rounding, up to the root of 10^-16; the first of them is kept.
        low: Floats = np.quantile(gain, 1 - confidence, axis=0).round(6)
        return low

    def _utility(
        self, right: Floats, y: Ints, signs: ShortcutSigns, seed: int, others: Others | None
    ) -> Floats:
        """Return draws of U, [draws, K]."""
        utility = np.zeros((self.draws, len(right)))
        borrow = signs.few if signs.has_text else not signs.few
        kinds: list[tuple[str, float, list[Cell], int]] = [
            ("cells", signs.hidden, list(soft_cells(signs.low, signs.trust, y)), 2),
            ("classes", 1 - signs.hidden, list(class_cells(signs.trust, y)), 1),
        ]
        for name, share, cells, each in kinds:
            if share > 0:
                stream = numpy_stream(seed, "decision", name)
                priors = [pooled_prior(right, cells[k::each]) for k in range(each)] if borrow else None
                utility += share * draw_worst_rates(right, cells, self.draws, stream, others, priors)
        return utility


def _decision(
    names: Sequence[str],
    utility: Floats,
    low: Floats,
    kept: int,
    baseline: int,
    *,
    blind: bool = False,
    few: bool = False,
) -> Decision:
    mean = utility.mean(axis=0)
    gain = mean - mean[baseline]
    # Without the kept candidate the next highest bound would decide.
    others = np.where(np.arange(len(names)) == kept, -np.inf, mean if blind else low)
    second = int(others.argmax()) if len(names) > 1 else kept
    return Decision(
        kept=names[kept],
        baseline=names[baseline],
        runner_up=names[second],
        index=kept,
        gain=float(gain[kept]),
        low=float(low[kept]),
        runner_up_gain=float(gain[second]),
        runner_up_low=float(low[second]),
        utility=tuple(mean.tolist()),
        gains=tuple(gain.tolist()),
        lows=tuple(low.tolist()),
        blind=blind,
        few=few,
    )
