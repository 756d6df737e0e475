"""How many labels are wrong, from two models that agree against them, by mirror."""

from __future__ import annotations

import numpy as np

from evenhand._typing import Bools, Floats

LEAST = 0.01
"""Least weight of a row."""


def mirror_noise(z: Floats, e: Floats) -> float:
    """Return the share of wrong labels that the margins of two models speak for.

    η = A / (A + B), A = #{z < −q_z and e < −q_e}, B = #{z > q_z and e > q_e}, with q the medians of the
    positive margins: a row with a wrong label is as clear to both models as one with a right label, on the
    other side. 0 where no margin of either is positive.

    Parameters
    ----------
    z, e : float [N]
        Margins of zero-shot and of ERM.
    """
    if not (z > 0).any() or not (e > 0).any():
        return 0.0
    q_z, q_e = np.median(z[z > 0]), np.median(e[e > 0])
    against = int(((z < -q_z) & (e < -q_e)).sum())
    clear = int(((z > q_z) & (e > q_e)).sum())
    return against / max(1, against + clear)


def trust(suspects: Bools, noise: float) -> Floats:
    """Return how much each row counts, [N]: suspects 1 − min(1, η / their share), the others 1.

    A suspect counts at least `LEAST`, so that rows which are all suspects still count alike.

    Parameters
    ----------
    suspects : bool [N]
        Rows that zero-shot and ERM agree to be of another class.
    noise : float
        η.
    """
    share = float(suspects.mean()) if len(suspects) else 0.0
    kept = max(LEAST, 1 - noise / share) if share > 0 else 1.0
    return np.where(suspects, kept, 1.0)
