"""Error-aware slices: one half of the rows finds them, the other half tests them.

A search for errors always finds some. Of 25 sets of rows drawn at random, one errs more than the others, and
even more so if the search uses the errors. So three rules hold. Rows that find a slice never test it. A
testing row becomes a member by its features and label, whether or not it is classified correctly. The test is
corrected for the number of slices.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.decomposition import PCA

from evenhand._typing import Bools, Floats, Ints
from evenhand.audits.findings import Slice
from evenhand.data.splits import hold_out
from evenhand.evaluation.accuracy import rate
from evenhand.functional.clusters import ClassClusters
from evenhand.functional.excess import excess_errors, holm
from evenhand.functional.mixture import fit_mixture

SLICES = 5
"""Slices per class and method, before those that do not err more than their class are left out."""
MOST = 100
"""Components of the mixture, however many classes there are."""
COMPONENTS = 16
"""Principal components that the mixture sees."""
LEAST = 5
"""Rows that a slice needs in either half."""
LEVEL = 0.05
"""Largest corrected p-value of a slice beyond chance."""
OVERLAP = 0.5
"""Share of the smaller of two slices above which both are the same rows."""
SHOWN = 48
"""Rows of a slice that are listed, the most typical first."""


@dataclass(frozen=True)
class SliceAssignment:
    """How one method assigns rows to slices.

    Attributes
    ----------
    classes : int64 [K]
        The class of each slice.
    member : int64 [N]
        The slice of each row, −1 for none.
    typical : float [N]
        How typical of its slice each row is, comparable within a slice.
    """

    classes: Ints
    member: Ints
    typical: Floats

    @classmethod
    def of(cls, classes: Ints, score: Floats, y: Ints) -> SliceAssignment:
        """Assign each row to the slice of its own class with the largest score [N, K]."""
        own = np.where(classes == y[:, None], score, -np.inf)
        best = own.argmax(axis=1)
        typical = own[np.arange(len(y)), best]
        return cls(classes, np.where(np.isfinite(typical), best, -1), typical)


def halves(y: Ints, seed: int) -> Bools:
    """Return which rows find, about half of each class; the others test."""
    _, half = hold_out(y, seed=seed, share=0.5)
    finds = np.zeros(len(y), dtype=bool)
    finds[half] = True
    return finds


def by_mixture(
    z: Floats, y: Ints, predicted: Ints, finds: Bools, n_classes: int, slices: int
) -> SliceAssignment:
    """Slice by a mixture over principal components, labels and predictions, like Domino (ICLR 2022).

    Features are reduced since the mixture's variances are estimated from few rows. Results hardly change
    between 8 and 32 components.
    """
    width = min(COMPONENTS, z.shape[1], int(finds.sum()))
    pca = PCA(width, svd_solver="full").fit(z[finds])
    x = pca.transform(z).astype(np.float64)
    components = max(1, min(MOST, slices * n_classes, len(x[finds]) // LEAST))
    model, _ = fit_mixture(x[finds], y[finds], predicted[finds], n_classes, components)
    return SliceAssignment.of(model.log_label.argmax(axis=1), model.log_joint(x, y), y)


def by_clusters(
    z: Floats, y: Ints, _predicted: Ints, finds: Bools, _classes: int, slices: int
) -> SliceAssignment:
    """Slice by k-means within classes."""
    model = ClassClusters.fit(z[finds], y[finds], slices, LEAST)
    return SliceAssignment.of(model.classes, model.nearness(z, y), y)


Slicer = Callable[[Floats, Ints, Ints, Bools, int, int], SliceAssignment]
SLICERS: Mapping[str, Slicer] = {"mixture": by_mixture, "clusters": by_clusters}


@dataclass(frozen=True)
class SlicedRows:
    """The rows that are sliced.

    Attributes
    ----------
    z : float32 [N, D]
        Unit embeddings by the pretrained projection.
    y : int64 [N]
        Codes of the labels.
    classes : sequence of C str
        Class names.
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


def slice_rows(rows: SlicedRows, predicted: Ints, slices: int = SLICES) -> dict[str, SliceAssignment]:
    """Return each method's slices of the errors of predictions [N]; empty without an error."""
    if not (predicted != rows.y)[rows.finds].any():
        return {}
    return {
        name: slicer(rows.z, rows.y, predicted, rows.finds, len(rows.classes), slices)
        for name, slicer in SLICERS.items()
    }


@dataclass(frozen=True)
class CandidateSlice:
    """A slice that errs more than its class on the half that found it.

    Attributes
    ----------
    method : str
        A key of `SLICERS`.
    code : int
        Code of its class.
    members : bool [N]
        Its rows, of both halves.
    typical : float [N]
        As in `SliceAssignment`.
    """

    method: str
    code: int
    members: Bools
    typical: Floats

    def places(self) -> Ints:
        """Return the numbers of its rows, the most typical first."""
        mine = np.flatnonzero(self.members)
        return mine[np.argsort(-self.typical[mine], kind="stable")]


def candidate_slices(
    rows: SlicedRows, sliced: Mapping[str, SliceAssignment], wrong: Bools
) -> list[CandidateSlice]:
    """Return the slices with enough rows in either half that err more than their class where found."""
    found = []
    for method, part in sliced.items():
        for place, code in enumerate(part.classes):
            members = part.member == place
            of_class = rows.finds & (rows.y == code)
            mine = members & rows.finds
            enough = min(mine.sum(), (members & ~rows.finds).sum()) >= LEAST
            if enough and wrong[mine].mean() > wrong[of_class].mean():
                found.append(CandidateSlice(method, int(code), members, part.typical))
    return found


def assess_slices(
    rows: SlicedRows, sliced: Mapping[str, SliceAssignment], predictions: Mapping[str, Ints], model: str
) -> list[tuple[Slice, Ints]]:
    """Test slices on the rows that did not find them: Fisher's exact test, one-sided, corrected by Holm.

    Parameters
    ----------
    rows : SlicedRows
        The rows that were sliced.
    sliced : dict of str to SliceAssignment
        What `slice_rows` returns for `model`.
    predictions : dict of str to int64 [N]
        Codes that every audited model predicts.
    model : str
        The model whose errors are tested.

    Returns
    -------
    list of (Slice, int64 [n])
        The smallest p-value first, each with its members of both halves, the most typical first.
    """
    wrong = predictions[model] != rows.y
    tests = ~rows.finds
    found = candidate_slices(rows, sliced, wrong)
    p = np.array([_chance(one, tests, wrong, rows.y) for one in found])
    corrected = holm(p)
    made: list[tuple[Slice, CandidateSlice]] = []
    for place in np.argsort(p, kind="stable"):
        one = found[place]
        number = 1 + sum(other.label == rows.classes[one.code] for other, _ in made)
        name = f"{rows.classes[one.code]} {number}"
        twin = next((s.name for s, other in made if _overlap(other.members, one.members) > OVERLAP), None)
        chances = (float(p[place]), float(corrected[place]))
        made.append((_slice(name, model, one, rows, predictions, chances, twin), one))
    return [(found, one.places()) for found, one in made]


def _chance(one: CandidateSlice, tests: Bools, wrong: Bools, y: Ints) -> float:
    mine, of_class = wrong[one.members & tests], wrong[tests & (y == one.code)]
    return excess_errors(int(mine.sum()), len(mine), int(of_class.sum()), len(of_class))


def _overlap(a: Bools, b: Bools) -> float:
    """Return the share of the smaller set that is in the other."""
    return float((a & b).sum() / max(1, min(a.sum(), b.sum())))


def _slice(
    name: str,
    model: str,
    one: CandidateSlice,
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
    shown = one.places()[:SHOWN]
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
