"""The shift that an attribute adds to embeddings, and embeddings with the attribute exchanged."""

from __future__ import annotations

import numpy as np

from evenhand._typing import Bools, Floats, Ints


def attribute_shift(z: Floats, y: Ints, has: Bools) -> Floats | None:
    """Return the mean shift that an attribute adds to the embeddings of a class.

        δ = mean over classes c of (mean of z_i with the attribute − mean of z_i without it, within c)

    Only classes with both kinds of rows count, and all of them count equally: the shift is that of the
    attribute, not of the classes that it occurs with.

    Parameters
    ----------
    z : float [N, D]
        Embeddings.
    y : int64 [N]
        Class codes.
    has : bool [N]
        Whether row i has the attribute.

    Returns
    -------
    float [D] or None
        δ; None if no class has both kinds of rows.

    Examples
    --------
    >>> import numpy as np
    >>> z, y = np.array([[0.0, 0], [0, 1], [5, 0], [5, 1]]), np.array([0, 0, 1, 1])
    >>> attribute_shift(z, y, has=np.array([False, True, False, True])).tolist()
    [0.0, 1.0]
    """
    both = [code for code in np.unique(y) if len(np.unique(has[y == code])) == 2]
    if not both:
        return None
    differences = [z[(y == c) & has].mean(axis=0) - z[(y == c) & ~has].mean(axis=0) for c in both]
    return np.asarray(np.mean(differences, axis=0))


def exchanged(z: Floats, has: Bools, shift: Floats) -> Floats:
    """Return the embeddings with the attribute exchanged.

    unit(z_i − δ) where row i has the attribute, and unit(z_i + δ) where it does not.

    Parameters
    ----------
    z : float [N, D]
        Embeddings.
    has : bool [N]
        Whether row i has the attribute.
    shift : float [D]
        δ (see `attribute_shift`).

    Returns
    -------
    float32 [N, D]
        Unit vectors; a zero vector stays zero.

    Examples
    --------
    >>> import numpy as np
    >>> exchanged(np.array([[1.0, 1], [1, 0]]), np.array([True, False]), np.array([0.0, 1])).round(2).tolist()
    [[1.0, 0.0], [0.7099999785423279, 0.7099999785423279]]
    """
    moved = z + np.where(has, -1, 1)[:, None] * shift
    norm = np.linalg.norm(moved, axis=1, keepdims=True)
    return np.asarray(moved / np.where(norm > 0, norm, 1), dtype=np.float32)
