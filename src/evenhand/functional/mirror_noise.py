"""The share of wrong labels, estimated from rows on which two models agree against the label."""

from __future__ import annotations

import numpy as np

from evenhand._typing import Bools, Floats, Ints

LEAST = 0.01
"""Least weight of a row."""
DOUBT = 2.0
"""Suspects doubted for each wrong label: hard rows are suspects too, but are seldom in a minority."""


def mirror_noise(y: Ints, z: Ints, e: Ints, z_lead: Floats, e_lead: Floats) -> float:
    """Return the share of wrong labels, estimated from two models.

    A row is clear if both models predict the same class and both are sure: their leads are above q_z and q_e,
    the medians of the leads over the rows that each classifies as labeled. A row with a wrong label is as
    clear as one with a correct label, but for another class. So

        η = A / (A + B), A = #{clear for another class than y}, B = #{clear for y}.

    The value is 0 if no row is clear.

    Parameters
    ----------
    y : int64 [N]
        Class codes as given.
    z, e : int [N]
        Codes that zero-shot and ERM predict.
    z_lead, e_lead : float [N]
        Largest logit minus the second largest.
    """
    clear = z == e
    for codes, lead in ((z, z_lead), (e, e_lead)):
        right = codes == y
        if not right.any():
            return 0.0
        clear &= lead > np.median(lead[right])
    return float((clear & (z != y)).sum()) / max(1, int(clear.sum()))


def passing_noise(y: Ints, z: Ints, e: Ints, noise: float) -> float:
    """Return the share of rows whose wrong label zero-shot or ERM confirms by an error of its own, [0, η].

    Both models are correct on a share b / (1 − η) of the correctly labeled rows, with b the share of rows
    that both classify as labeled. If they err as often on mislabeled rows, η · (1 − b / (1 − η)) of the rows
    look correctly labeled although they are not.

    Parameters
    ----------
    y : int64 [N]
        Class codes as given.
    z, e : int [N]
        Codes that zero-shot and ERM predict.
    noise : float
        η.
    """
    both = float(((z == y) & (e == y)).mean()) if len(y) else 1.0
    return noise * max(0.0, 1 - both / max(1 - noise, LEAST))


def trust(suspects: Bools, noise: float) -> Floats:
    """Return how much each row counts, [N]: suspects 1 − min(1, 2 η / their share), the others 1.

    A suspect counts at least `LEAST`, so rows that are all suspects still count the same.

    Parameters
    ----------
    suspects : bool [N]
        Rows that neither zero-shot nor ERM classifies as labeled.
    noise : float
        η.
    """
    share = float(suspects.mean()) if len(suspects) else 0.0
    kept = max(LEAST, 1 - DOUBT * noise / share) if share > 0 else 1.0
    return np.where(suspects, kept, 1.0)
