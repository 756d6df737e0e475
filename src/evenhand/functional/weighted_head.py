"""A convex head on frozen embeddings. It starts from zero-shot, stays near it, and becomes a projection.

The objective is the weighted cross-entropy of the logits α z·t_c + z·A_c, plus an L2 penalty on A. With t̄
the mean prototype and T − t̄ = U S Vᵀ (singular values above rounding), A = P G Uᵀ. So A adds nothing that
all classes share, and a projection can express it. P divides by the root mean square of what varies among the
rows. It leaves their common direction nearly free, which is the intercept of the head.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.optimize import minimize, minimize_scalar

from evenhand._typing import Floats, Ints
from evenhand.functional.row_products import (
    DeviceProducts,
    HostProducts,
    Products,
    RowSource,
    numbered,
)

PRECISION = 1e-7
"""Relative decrease of the objective below which a fit stops: the precision of float32 rows."""
LEAST = 1e-12
"""Least mean square of what varies among the rows: rounding of unit rows in float32 is about there."""
FREEDOM = 3.0
"""Length of the rows' common direction in the head's coordinates: an intercept at a ninth of the penalty."""


@dataclass(frozen=True)
class HeadFrame:
    """Class directions and coordinates of one training part.

    Attributes
    ----------
    centered : float64 [C, D]
        t_c − t̄.
    classes : float64 [C, r]
        U.
    singular : float64 [r]
        S.
    directions : float64 [D, r]
        V.
    common : float64 [D]
        Unit direction of the rows' mean; zero where they have none.
    common_scale, scale : float
        P = scale (I − m mᵀ) + common_scale m mᵀ.
    """

    centered: Floats
    classes: Floats
    singular: Floats
    directions: Floats
    common: Floats
    common_scale: float
    scale: float

    @classmethod
    def of(cls, z: RowSource, prototypes: Floats) -> HeadFrame:
        """Return the frame of training rows z [N, D] and prototypes [C, D]."""
        centered = prototypes.astype(np.float64) - prototypes.mean(axis=0, dtype=np.float64)
        classes, singular, directions = np.linalg.svd(centered, full_matrices=False)
        kept = singular > 1e-6 * singular[0]
        mean = np.sum([block.sum(axis=0, dtype=np.float64) for _, block in numbered(z)], axis=0) / z.shape[0]
        length = float(np.linalg.norm(mean))
        # Centered embeddings have no common direction, except by chance.
        common = mean / length if length > 0.1 else np.zeros_like(mean)
        total = sum(float((block.astype(np.float64) ** 2).sum()) for _, block in numbered(z))
        along = sum(float(((block @ common) ** 2).sum()) for _, block in numbered(z))
        # If all rows are equal, only rounding is left, with either sign.
        scale = 1 / float(np.sqrt(max((total - along) / z.shape[0], LEAST)))
        return cls(
            centered,
            classes[:, kept],
            singular[kept],
            directions[kept].T,
            common,
            FREEDOM / length if length > 0.1 else scale,
            scale,
        )

    def astype(self, dtype: np.dtype[Any]) -> HeadFrame:
        """Return the frame with arrays of another precision."""
        arrays: dict[str, Any] = {
            k: v.astype(dtype) for k, v in vars(self).items() if isinstance(v, np.ndarray)
        }
        return replace(self, **arrays)

    def stretched(self, g: Floats) -> Floats:
        """Return P g for g [D, ...]."""
        along = np.multiply.outer(self.common, self.common @ g)
        out: Floats = self.scale * g + (self.common_scale - self.scale) * along
        return out

    def head(self, alpha: float, g: Floats) -> Floats:
        """Return the coefficients α (t_c − t̄) + (P G Uᵀ)_c on z, [D, C]."""
        out: Floats = alpha * self.centered.T + self.stretched(g) @ self.classes.T
        return out

    def projection(self, alpha: float, g: Floats) -> Floats:
        """Return M [D, D], with which unit(z M)·t_c orders the classes as the head does.

        M = α I + P G S⁻¹ Vᵀ, so that z M (t_c − t̄) is the head's logit. Normalization scales all logits of
        a row by the same factor. After a linear site, W0 M is a projection like any other.
        """
        added = (self.stretched(g) / self.singular) @ self.directions.T
        out: Floats = alpha * np.eye(len(self.common)) + added
        return out


def head_as_projection(head: Floats, prototypes: Floats) -> Floats:
    """Return M [D, D], with which unit(z M)·t_c orders the classes as z·head_c does, for any head.

    With h̄ the head's mean over classes and T − t̄ = U S Vᵀ: M = (H − h̄) U S⁻¹ Vᵀ + κ (I − V Vᵀ). Directions
    that do not separate the prototypes are kept, so that embeddings keep their width. κ is the
    root-mean-square length of the others. For heads of a frame of the prototypes `HeadFrame.projection` keeps
    more.

    Parameters
    ----------
    head : float [D, C]
        Coefficients of z.
    prototypes : float [C, D]
        Of rank C − 1 once centered.
    """
    centered = prototypes.astype(np.float64) - prototypes.mean(axis=0, dtype=np.float64)
    classes, singular, directions = np.linalg.svd(centered, full_matrices=False)
    kept = singular > 1e-6 * singular[0]
    turned = ((head - head.mean(axis=1, keepdims=True)) @ classes[:, kept]) / singular[kept]
    spanned = directions[kept].T
    length = float(np.sqrt((turned**2).sum() / kept.sum()))
    out: Floats = turned @ spanned.T + length * (np.eye(len(head)) - spanned @ spanned.T)
    return out


def calibrated_scale(z: RowSource, y: Ints, weights: Floats, frame: HeadFrame) -> float:
    """Return α ≥ 0 that minimizes the weighted cross-entropy of α z·t_c."""
    logits = np.concatenate([block @ frame.centered.T for _, block in numbered(z)])
    own = logits[np.arange(len(y)), y]
    share = weights / weights.sum()

    def loss(log_alpha: float) -> float:
        scaled = np.exp(log_alpha) * logits
        top = scaled.max(axis=1)
        sums = np.log(np.exp(scaled - top[:, None]).sum(axis=1)) + top
        return float(share @ (sums - np.exp(log_alpha) * own))

    return float(np.exp(minimize_scalar(loss, bounds=(-6.0, 6.0), method="bounded").x))


def fit_heads(
    z: RowSource,
    y: Ints,
    weights: Floats,
    frame: HeadFrame,
    alpha: float,
    penalties: Sequence[float],
    *,
    steps: int = 60,
    start: Floats | None = None,
    device: str = "cpu",
) -> list[Floats]:
    """Minimize Σ_i w_i CE(z_i H, y_i) / Σ w + ½ λ ‖G‖² with H = α (t_c − t̄) + P G Uᵀ, for every λ in turn.

    L-BFGS in coordinates in which Böhning's bound of the Hessian, ½ Σ w x xᵀ + λ, is the identity: some ten
    passes over the rows. Each λ starts where the last one ended.

    Parameters
    ----------
    z : float32 [N, D]
        Unit embeddings, or an object that reads them in slices.
    y : int64 [N]
        Class codes.
    weights : float [N]
        w_i ≥ 0, not all 0.
    frame : HeadFrame
        Frame of these rows.
    alpha : float
        α.
    penalties : sequence of float
        λ, preferably in descending order.
    steps : int
        Largest number of iterations each.
    start : float [D, r], optional
        G to start from; 0 by default.
    device : str
        Where the products with z are computed. If it is not the CPU, an array z is moved there once.

    Returns
    -------
    list of float64 [D, r]
        G for every λ.

    References
    ----------
    D. Böhning, B. G. Lindsay, Annals of the Institute of Statistical Mathematics 40 (1988) 641–663.
    """
    share = weights / weights.sum()
    products: Products = (
        HostProducts(z, y, share) if device == "cpu" else DeviceProducts.of(z, y, share, device)
    )
    vectors, values = _axes(z, share, frame, products)
    g = np.zeros((z.shape[1], frame.classes.shape[1])) if start is None else start
    found = []
    dtype = z[:1].dtype
    for penalty in penalties:
        metric = vectors / np.sqrt(values / 2 + penalty)
        first = (vectors.T @ g) * np.sqrt(values / 2 + penalty)[:, None]
        best = minimize(
            _objective,
            first.ravel(),
            args=(products, frame.astype(dtype), alpha, penalty, metric.astype(dtype)),
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": steps, "ftol": PRECISION, "gtol": 1e-5},
        )
        g = metric @ best.x.reshape(metric.shape[1], -1)
        found.append(g)
    return found


def _objective(
    flat: Floats,
    products: Products,
    frame: HeadFrame,
    alpha: float,
    penalty: float,
    metric: Floats,
) -> tuple[float, Floats]:
    """Return the objective at G = metric · flat, and its gradient in flat [k r], in the frame's precision."""
    g = metric @ flat.astype(metric.dtype).reshape(metric.shape[1], -1)
    value, slope = products.cross_entropy(frame.head(alpha, g))
    gradient = metric.T @ (frame.stretched(slope @ frame.classes) + penalty * g)
    return value + penalty / 2 * float((g**2).sum(dtype=np.float64)), gradient.ravel().astype(np.float64)


def _axes(z: RowSource, share: Floats, frame: HeadFrame, products: Products) -> tuple[Floats, Floats]:
    """Return directions [D, k] that span x = P z, and Σ_i w_i (x_i·v)² of each, [k].

    With fewer rows than dimensions, k is the number of rows, because the minimum is in their span.
    """
    if z.shape[0] < z.shape[1] // 2:
        rows = frame.stretched((z[:] * np.sqrt(share)[:, None]).T)
        vectors, lengths, _ = np.linalg.svd(rows, full_matrices=False)
        return vectors, lengths**2
    moment = frame.stretched(frame.stretched(products.moment()).T)
    values, vectors = np.linalg.eigh(moment)
    return vectors, np.maximum(values, 0.0)
