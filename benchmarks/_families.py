"""Families of sets on which a decision without group labels is scored, as plain arrays.

Besides the sets of `_sets`, and only where the folder of real data is given: real CLIP features, groceries,
pairs of PACS classes tied to pairs of domains, sets whose text is withheld, sets without counterexamples, and
sets of 300 rows. Made sets need nothing.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
from _sets import SCENES, SEEDS, composite, pacs, photos, scenes

from evenhand._random import numpy_stream
from evenhand._typing import Floats, Ints
from evenhand.data.head import Head
from evenhand.data.table import FeatureTable

Truth: TypeAlias = Literal["shortcut", "flat", "no counterexamples"]
PAIRS = (
    ("dog", "horse", "photo", "art_painting"),
    ("dog", "elephant", "art_painting", "cartoon"),
    ("giraffe", "horse", "cartoon", "photo"),
    ("person", "house", "photo", "art_painting"),
    ("elephant", "horse", "sketch", "cartoon"),
)
"""Two classes of PACS and the domain that goes with each."""


@dataclass(frozen=True)
class Sample:
    """One set: training rows, test rows, and what is truly in it.

    Attributes
    ----------
    name, block, seed : str, str, int
        Family, the block of a table that it belongs to, and its number in the family.
    truth : str
        Whether an attribute goes with the class in training, and whether some rows contradict it.
    X, y, a : float32 [N, D], int64 [N], int64 [N]
        Training features, codes, attribute codes; the last for the oracle and for cutting alone.
    X_test, y_test, a_test
        Likewise.
    head : Head
        Projection and text.
    """

    name: str
    block: str
    seed: int
    truth: Truth
    X: Floats
    y: Ints
    a: Ints
    X_test: Floats
    y_test: Ints
    a_test: Ints
    head: Head

    @property
    def key(self) -> str:
        """Name and seed."""
        return f"{self.name}-{self.seed}"

    def rows(self, kept: Ints, **changes: object) -> Sample:
        """Return the set with the training rows `kept`."""
        return replace(self, X=self.X[kept], y=self.y[kept], a=self.a[kept], **changes)  # type: ignore[arg-type]


def families(cache: Path, data: Path | None) -> Iterator[Sample]:
    """Yield every set, those that cost nothing to make last."""
    base = list(_base(cache, data))
    yield from base
    for sample in base:
        if sample.head.text is not None and sample.seed == 0:
            if sample.truth == "shortcut" and "noisy" not in sample.name:
                yield without_counterexamples(sample)
            if len(sample.y) > 1000:
                yield few_rows(sample, 300)
    yield from (no_text(s) for s in base if s.name in WITHHELD and s.seed == 0)
    for kind in MADE:
        yield from (made(kind, seed) for seed in SEEDS)


WITHHELD = (
    "two",
    "five",
    "hard",
    "flat",
    "season-gender-corr",
    "season-gender-flat",
    "scenes-95",
    "photographs",
)
"""Sets that are tried without their text too."""


def without_counterexamples(sample: Sample) -> Sample:
    """Return the set without training rows whose attribute is not the commonest one of their class."""
    kept = np.zeros(len(sample.y), dtype=bool)
    for code in np.unique(sample.y):
        mine = sample.y == code
        kept |= mine & (sample.a == np.bincount(sample.a[mine]).argmax())
    return sample.rows(
        np.flatnonzero(kept),
        name=f"{sample.name}, no counterexamples",
        block="no counterexamples",
        truth="no counterexamples",
    )


def few_rows(sample: Sample, n: int) -> Sample:
    """Return the set with n training rows, drawn by class and attribute in their shares."""
    generator = numpy_stream(sample.seed, "few-rows", sample.name)
    cells = sample.y * (sample.a.max() + 1) + sample.a
    kept = []
    for cell in np.unique(cells):
        mine = np.flatnonzero(cells == cell)
        kept.append(generator.permutation(mine)[: max(2, round(n * len(mine) / len(cells)))])
    return sample.rows(np.sort(np.concatenate(kept)), name=f"{sample.name}, {n} rows", block=f"{n} rows")


def no_text(sample: Sample) -> Sample:
    """Return the set without its class names."""
    return replace(
        sample, name=f"{sample.name}, no text", block="no text", head=replace(sample.head, text=None)
    )


def _base(cache: Path, data: Path | None) -> Iterator[Sample]:
    for recipe in SCENES:
        truth: Truth = "flat" if recipe.correlation == 0.5 else "shortcut"
        for seed in SEEDS:
            table = scenes(recipe, seed, cache)
            yield _of_table(table, "background", recipe.name, "scenes", seed, truth)
    if data is None:
        return
    for seed in SEEDS:
        table = photos(data, cache)
        yield _of_table(table, "background", "photographs", "photographs", seed, "shortcut")
    yield from stored(cache, data)


def stored(cache: Path, data: Path) -> Iterator[Sample]:
    """Yield the sets whose features lie in the folder of real data."""
    for folder in sorted((data / "composites").iterdir()):
        name, _, number = folder.name.rpartition("-")
        truth: Truth = "flat" if name == "flat" else "shortcut"
        yield _of_table(composite(folder, cache), "background", name, "composites", int(number), truth)
    for room in ("realclip", "grocery"):
        for folder in sorted((data / room).iterdir()):
            yield _of_folder(folder, room)
    domains = pacs(data, cache)
    for pair in PAIRS:
        yield from (_pair(domains, pair, share) for share in (0.95, 0.5))


def _of_table(table: FeatureTable, attribute: str, name: str, block: str, seed: int, truth: Truth) -> Sample:
    train, test = table.rows("train"), table.rows("test")
    a = np.unique(table.attributes[attribute], return_inverse=True)[1].astype(np.int64)
    return Sample(
        name, block, seed, truth,
        table.features(train), table.y[train], a[train],
        table.features(test), table.y[test], a[test],
        table.head,
    )  # fmt: skip


def _of_folder(folder: Path, room: str) -> Sample:
    """Read features, text and rows of one folder of real features; scaled to unit length, as in a store."""
    with (folder / "rows.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    name, _, number = folder.name.rpartition("-")
    X = np.load(folder / "features.npy").astype(np.float32)
    classes, y = np.unique([row["label"] for row in rows], return_inverse=True)
    a = np.unique([row["attribute"] for row in rows], return_inverse=True)[1]
    split = np.array([row["split"] for row in rows])
    text = folder / "text.npy"
    prototypes = np.load(text).astype(np.float32) if text.exists() else None
    if prototypes is not None:
        prototypes /= np.linalg.norm(prototypes, axis=1, keepdims=True)
    else:
        X = _principal(X)
    head = Head(np.eye(X.shape[1], dtype=np.float32), None, tuple(classes.tolist()), prototypes)
    train, test = split == "train", split == "test"
    block = room if prototypes is not None else "no text"
    truth: Truth = "flat" if "flat" in name else "shortcut"
    return Sample(
        name, block, int(number), truth,
        X[train], y[train].astype(np.int64), a[train].astype(np.int64),
        X[test], y[test].astype(np.int64), a[test].astype(np.int64),
        head,
    )  # fmt: skip


def _principal(X: Floats, width: int = 256) -> Floats:
    """Return the leading principal components: what a projection of full width costs is not the question."""
    centered = X - X.mean(axis=0)
    _, _, axes = np.linalg.svd(centered, full_matrices=False)
    reduced: Floats = (centered @ axes[:width].T).astype(np.float32)
    return reduced


def _pair(table: FeatureTable, pair: tuple[str, str, str, str], share: float) -> Sample:
    """Tie two classes of PACS to two domains in training; test rows are the same number of each group."""
    first, second, *domains = pair
    classes = [table.classes.index(first), table.classes.index(second)]
    domain = table.attributes["domain"]
    generator = numpy_stream(0, "pair", *pair, str(share))
    cells = [[np.flatnonzero((table.y == c) & (domain == d)) for d in domains] for c in classes]
    cells = [[generator.permutation(cell) for cell in row] for row in cells]
    held = min(len(cell) for row in cells for cell in row) // 2
    size = min(len(cell) - held for row in cells for cell in row)
    train, test = [], []
    for code, row in enumerate(cells):
        for value, cell in enumerate(row):
            n = (
                size
                if share == 0.5
                else (size if code == value else max(2, round(size * (1 - share) / share)))
            )
            train += [(r, code, value) for r in cell[held : held + n]]
            test += [(r, code, value) for r in cell[:held]]
    X = _principal(table.features(np.array([r for r, _, _ in train + test])))
    codes = np.array([(c, v) for _, c, v in train + test], dtype=np.int64)
    n = len(train)
    head = Head(np.eye(X.shape[1], dtype=np.float32), None, (first, second))
    kind = "flat" if share == 0.5 else "95"
    return Sample(
        f"pacs {first}/{second} {kind}", "no text", 0, "flat" if share == 0.5 else "shortcut",
        X[:n], codes[:n, 0], codes[:n, 1], X[n:], codes[n:, 0], codes[n:, 1], head,
    )  # fmt: skip


@dataclass(frozen=True)
class Made:
    """A recipe of drawn features: z = unit(m + class + attributes + noise).

    Attributes
    ----------
    n, classes : int
        Training rows, classes.
    shares : tuple of float
        For each attribute the share of rows that have the value which goes with their class.
    along : float
        How far the attributes' directions turn toward those of the classes, 0 to 1.
    spread : float
        Standard deviation of an attribute's strength, which is 1 in the mean: its noise.
    noise : float
        Share of wrong training labels.
    """

    n: int = 3000
    classes: int = 2
    shares: tuple[float, ...] = (0.95,)
    along: float = 0.0
    spread: float = 0.0
    noise: float = 0.0


MADE = {
    "two attributes": Made(shares=(0.95, 0.95)),
    "half along the class": Made(along=0.7),
    "noisy attribute": Made(spread=0.7),
    "twenty classes": Made(n=6000, classes=20, shares=(0.9,)),
    "hundred rows": Made(n=100, shares=(0.9,)),
    "wrong labels": Made(shares=(0.95,), noise=0.15),
    "flat, 100 rows": Made(n=100, shares=(0.5,)),
    "flat, 1000 rows": Made(n=1000, shares=(0.5,)),
    "flat, five classes": Made(n=2000, classes=5, shares=(0.0,)),
    "flat, wrong labels": Made(n=2000, shares=(0.5,), noise=0.15),
}
"""Made sets; where there is an attribute, one of its values goes with each class."""


def made(kind: str, seed: int, recipe: Made | None = None) -> Sample:
    """Draw a made set; test rows have every attribute at random, 150 a group at least."""
    recipe = recipe or MADE[kind]
    generator = numpy_stream(seed, "made", kind)
    width, C = 128, recipe.classes
    flat = all(share in (0.0, 0.5) for share in recipe.shares)
    values = 2 if C == 2 else 4 if C > 5 else C
    common = _unit(generator.normal(size=width))
    names = _unit(generator.normal(size=(C, width)))
    marks = _unit(generator.normal(size=(len(recipe.shares), values, width)))
    towards = np.stack([names[np.arange(C) % values == v].mean(axis=0) for v in range(values)])
    marks = _unit((1 - recipe.along) * marks + recipe.along * _unit(towards))
    text = _unit(common + 0.5 * names + 0.35 * generator.normal(size=(C, width)) / np.sqrt(width))

    def draw(n: int, y: Ints, a: Ints) -> Floats:
        strength = 1 + recipe.spread * generator.normal(size=(n, len(recipe.shares), 1))
        shift = sum(strength[:, k] * marks[k][a[:, k]] for k in range(len(recipe.shares)))
        noise = generator.normal(size=(n, width)) * 1.1 / np.sqrt(width / 8)
        return _unit(2 * common + 0.6 * names[y] + 0.9 * shift + 0.45 * noise).astype(np.float32)

    y = generator.permutation(np.arange(recipe.n) % C)
    own = (y % values)[:, None]
    a = generator.integers(values, size=(recipe.n, len(recipe.shares)))
    if not flat:
        other = (own + generator.integers(1, values, size=a.shape)) % values
        a = np.where(generator.random(a.shape) < recipe.shares, own, other)
    X = draw(recipe.n, y, a)
    wrong = generator.random(recipe.n) < recipe.noise
    labels = np.where(wrong, (y + 1) % C, y)
    per_group = 150 * C * values ** len(recipe.shares)
    y_test = np.arange(per_group) % C
    a_test = generator.integers(values, size=(per_group, len(recipe.shares)))
    X_test = draw(per_group, y_test, a_test)
    power = values ** np.arange(len(recipe.shares))
    head = Head(
        np.eye(width, dtype=np.float32), None, tuple(f"c{c:02}" for c in range(C)), text.astype(np.float32)
    )
    return Sample(
        kind, "made", seed, "flat" if flat else "shortcut",
        X, labels.astype(np.int64), (a @ power).astype(np.int64),
        X_test, y_test.astype(np.int64), (a_test @ power).astype(np.int64), head,
    )  # fmt: skip


def _unit(x: Floats) -> Floats:
    out: Floats = x / np.linalg.norm(x, axis=-1, keepdims=True)
    return out
