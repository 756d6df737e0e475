"""Whether some rows err more than the others of their class, corrected for how often that is asked."""

from __future__ import annotations

import numpy as np
from scipy.stats import hypergeom

from evenhand._typing import Floats


def excess_errors(errors: int, n: int, all_errors: int, all_n: int) -> float:
    """One-sided exact test of a part against the rest of its class (Fisher's).

    P(E ≥ errors) with E hypergeometric: n rows drawn from the class's all_n rows, of which all_errors are
    wrong.

    Parameters
    ----------
    errors, n : int
        Of the part.
    all_errors, all_n : int
        Of the whole class, the part included.
    """
    return float(hypergeom.sf(errors - 1, all_n, all_errors, n))


def holm(p: Floats) -> Floats:
    """Holm's corrected p-values, [M]: each at most α with chance α that any true null hypothesis is.

    With p_(1) ≤ … ≤ p_(M): max over j ≤ i of min(1, (M − j + 1) p_(j)). Any dependence is allowed.

    References
    ----------
    S. Holm, Scandinavian Journal of Statistics 6 (1979) 65–70.
    """
    order = np.argsort(p, kind="stable")
    steps = np.minimum(1.0, (len(p) - np.arange(len(p))) * p[order])
    corrected = np.empty(len(p))
    corrected[order] = np.maximum.accumulate(steps)
    return corrected
