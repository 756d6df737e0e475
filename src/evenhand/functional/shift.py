"""What an attribute adds to embeddings, and embeddings with it exchanged."""

from __future__ import annotations

import numpy as np

from evenhand._typing import Bools, Floats, Ints


def attribute_shift(z: Floats, y: Ints, has: Bools) -> Floats | None:
    """Return δ = mean over classes c of (mean of z_i with the attribute − mean without it, within c), [D].

    Each class counts alike, so that an attribute that goes with a class does not bring the class along. Only
    classes with both kinds of rows count; None where there is none.

    Parameters
    ----------
    z : float [N, D]
        Embeddings.
    y : int64 [N]
        Codes.
    has : bool [N]
        Whether a row has the attribute.
    """
    both = [code for code in np.unique(y) if len(np.unique(has[y == code])) == 2]
    if not both:
        return None
    differences = [z[(y == c) & has].mean(axis=0) - z[(y == c) & ~has].mean(axis=0) for c in both]
    return np.asarray(np.mean(differences, axis=0))


def exchanged(z: Floats, has: Bools, shift: Floats) -> Floats:
    """Return unit(z_i − δ) where the row has the attribute and unit(z_i + δ) where not, [N, D]."""
    moved = z + np.where(has, -1, 1)[:, None] * shift
    norm = np.linalg.norm(moved, axis=1, keepdims=True)
    return np.asarray(moved / np.where(norm > 0, norm, 1), dtype=np.float32)
