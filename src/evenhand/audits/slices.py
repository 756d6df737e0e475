"""Error-aware slices: one half of the rows finds them, the other half tests them.

A search for rows that a model gets wrong always finds some: of 25 sets of rows drawn blindly one will err
more than the others, and all the more if the search looks at the errors. So the rows that find a slice never
test it, membership of a row that tests depends on its features and label but not on whether the model has it
right, and the test is corrected for the number of slices looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.decomposition import PCA

from evenhand._typing import Bools, Floats, Ints
from evenhand.audits.findings import Slice
from evenhand.data.splits import hold_out
from evenhand.evaluation.metrics import rate
from evenhand.functional.clusters import ClassClusters
from evenhand.functional.excess import excess_errors, holm
from evenhand.functional.mixture import fit_mixture

SLICES = 5
"""Slices of each class and method, before those that do not err more than their class are left out."""
MOST = 100
"""Components of the mixture, however many classes there are."""
COMPONENTS = 16
"""Principal components that the mixture sees."""
LEAST = 5
"""Rows that a slice needs in either half."""
LEVEL = 0.05
SHOWN = 48
"""Rows of a slice that are kept to look at."""


@dataclass(frozen=True)
class Sliced:
    """How one method deals rows to slices.

    Attributes
    ----------
    classes : int64 [K]
        The class of each slice.
    member : int64 [N]
        The slice of each row; −1 for none.
    typical : float [N]
        How typical of its slice a row is; comparable within a slice.
    """

    classes: Ints
    member: Ints
    typical: Floats

    @classmethod
    def of(cls, classes: Ints, score: Floats, y: Ints) -> Sliced:
        """Give each row to the slice of its own class with the largest score [N, K]."""
        own = np.where(classes == y[:, None], score, -np.inf)
        best = own.argmax(axis=1)
        typical = own[np.arange(len(y)), best]
        return cls(classes, np.where(np.isfinite(typical), best, -1), typical)


def halves(y: Ints, seed: int) -> Bools:
    """Return which rows find, about half of each class; the others test."""
    _, held = hold_out(y, seed=seed, share=0.5)
    finds = np.zeros(len(y), dtype=bool)
    finds[held] = True
    return finds


def by_mixture(z: Floats, y: Ints, predicted: Ints, finds: Bools, n_classes: int, slices: int) -> Sliced:
    """Slice by a mixture over principal components, labels and predictions, in the manner of Domino.

    Features are reduced because the mixture's variances are estimated from few rows; results hardly change
    between 8 and 32 components.
    """
    width = min(COMPONENTS, z.shape[1], int(finds.sum()))
    pca = PCA(width, svd_solver="full").fit(z[finds])
    x = pca.transform(z).astype(np.float64)
    components = max(1, min(MOST, slices * n_classes, len(x[finds]) // LEAST))
    model, _ = fit_mixture(x[finds], y[finds], predicted[finds], n_classes, components)
    return Sliced.of(model.log_label.argmax(axis=1), model.log_joint(x, y), y)


def by_clusters(z: Floats, y: Ints, _predicted: Ints, finds: Bools, _classes: int, slices: int) -> Sliced:
    """Slice by k-means within classes."""
    model = ClassClusters.fit(z[finds], y[finds], slices, LEAST)
    return Sliced.of(model.classes, model.nearness(z, y), y)


Slicer = Callable[[Floats, Ints, Ints, Bools, int, int], Sliced]
SLICERS: Mapping[str, Slicer] = {"mixture": by_mixture, "clusters": by_clusters}


@dataclass(frozen=True)
class SlicedRows:
    """The rows that are sliced.

    Attributes
    ----------
    z : float32 [N, D]
        Unit embeddings by the pretrained projection.
    y : int64 [N]
        Codes.
    classes : sequence of C str
        Their names.
    numbers : int64 [N]
        Row numbers in the store.
    finds : bool [N]
        The rows that find; the others test.
    """

    z: Floats
    y: Ints
    classes: Sequence[str]
    numbers: Ints
    finds: Bools


def slice_rows(rows: SlicedRows, predicted: Ints, slices: int = SLICES) -> dict[str, Sliced]:
    """Return how each method slices the rows by the errors of predictions [N]; empty without an error."""
    if not (predicted != rows.y)[rows.finds].any():
        return {}
    return {
        name: slicer(rows.z, rows.y, predicted, rows.finds, len(rows.classes), slices)
        for name, slicer in SLICERS.items()
    }


@dataclass(frozen=True)
class Candidate:
    """A slice that errs more than its class where it was found.

    Attributes
    ----------
    method : str
        A key of `SLICERS`.
    code : int
        Its class.
    members : bool [N]
        Its rows, of both halves.
    typical : float [N]
        As in `Sliced`.
    """

    method: str
    code: int
    members: Bools
    typical: Floats


def candidates(rows: SlicedRows, sliced: Mapping[str, Sliced], wrong: Bools) -> list[Candidate]:
    """Return the slices with enough rows in either half that err more than their class where found."""
    found = []
    for method, part in sliced.items():
        for place, code in enumerate(part.classes):
            members = part.member == place
            of_class = rows.finds & (rows.y == code)
            mine = members & rows.finds
            enough = min(mine.sum(), (members & ~rows.finds).sum()) >= LEAST
            if enough and wrong[mine].mean() > wrong[of_class].mean():
                found.append(Candidate(method, int(code), members, part.typical))
    return found


def assessed(
    rows: SlicedRows, sliced: Mapping[str, Sliced], predictions: Mapping[str, Ints], model: str
) -> list[tuple[Slice, Bools]]:
    """Test the candidates among slices on the rows that did not find them.

    Parameters
    ----------
    rows : SlicedRows
        What was sliced.
    sliced : dict of str to Sliced
        What `slice_rows` returns for `model`.
    predictions : dict of str to int64 [N]
        Codes by every audited model.
    model : str
        Whose errors.

    Returns
    -------
    list of (Slice, bool [N])
        The surest first, with their members of both halves.
    """
    wrong = predictions[model] != rows.y
    tests = ~rows.finds
    found = candidates(rows, sliced, wrong)
    p = np.array([_chance(one, tests, wrong, rows.y) for one in found])
    corrected = holm(p)
    made: list[tuple[Slice, Bools]] = []
    for place in np.argsort(p, kind="stable"):
        one = found[place]
        number = 1 + sum(other.label == rows.classes[one.code] for other, _ in made)
        name = f"{rows.classes[one.code]} {number}"
        twin = next((s.name for s, members in made if _overlap(members, one.members) > 0.5), None)
        made.append(
            (
                _slice(name, model, one, rows, predictions, (float(p[place]), float(corrected[place])), twin),
                one.members,
            )
        )
    return made


def _chance(one: Candidate, tests: Bools, wrong: Bools, y: Ints) -> float:
    mine, of_class = wrong[one.members & tests], wrong[tests & (y == one.code)]
    return excess_errors(int(mine.sum()), len(mine), int(of_class.sum()), len(of_class))


def _overlap(a: Bools, b: Bools) -> float:
    """Return the share of the smaller set that lies in the other."""
    return float((a & b).sum() / max(1, min(a.sum(), b.sum())))


def _slice(
    name: str,
    model: str,
    one: Candidate,
    rows: SlicedRows,
    predictions: Mapping[str, Ints],
    p: tuple[float, float],
    twin: str | None,
) -> Slice:
    tests = ~rows.finds
    mine = np.flatnonzero(one.members & tests)
    rates = {other: rate(name, codes[mine] != rows.y[mine]) for other, codes in predictions.items()}
    predicted = predictions[model]
    wrong = predicted != rows.y
    shown = np.flatnonzero(one.members)
    shown = shown[np.argsort(-one.typical[shown], kind="stable")[:SHOWN]]
    as_what = np.bincount(predicted[mine][wrong[mine]], minlength=len(rows.classes))
    lift = float(wrong[mine].mean() - wrong[tests & (rows.y == one.code)].mean())
    return Slice(
        name=name,
        model=model,
        method=one.method,  # type: ignore[arg-type]
        label=rows.classes[one.code],
        predicted=rows.classes[int(as_what.argmax())] if as_what.any() else None,
        n=len(mine),
        errors=int(wrong[mine].sum()),
        error=rates[model],
        errors_of=rates,
        lift=lift,
        p=p[0],
        p_corrected=p[1],
        beyond_chance=p[1] <= LEVEL,
        same_as=twin,
        rows=rows.numbers[shown].tolist(),
        wrong=wrong[shown].tolist(),
        sentence="",
    )
