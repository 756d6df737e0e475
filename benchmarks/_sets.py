"""The sets that selection and calibration are tried on, as feature tables, each embedded once.

Scenes are drawn and need nothing. The others come from a folder of real data that is not part of the
project (`--data`); without it they are left out, and the table says so by their absence.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from evenhand import Manifest, import_embeddings, load_openclip, load_store, load_tiny
from evenhand._random import numpy_stream
from evenhand.data import FeatureTable
from evenhand.datasets.scenes import write_scenes
from evenhand.extract import embed

SEEDS = (0, 1)
TRAINING = 3000


@dataclass(frozen=True)
class Scene:
    """A recipe of drawn scenes.

    All have two classes: the pen draws two kinds of birds, and the shipped model was taught no other. Sets of
    three and five classes are among the composed photographs.
    """

    name: str
    correlation: float
    noise: float = 0.0


SCENES = (
    Scene("scenes-none", 0.5),
    Scene("scenes-80", 0.8),
    Scene("scenes-95", 0.95),
    Scene("scenes-99", 0.99),
    Scene("scenes-95-noisy", 0.95, 0.1),
    Scene("scenes-none-noisy", 0.5, 0.1),
)


def all_sets(cache: Path, data: Path | None) -> Iterator[tuple[str, int, FeatureTable, str]]:
    """Yield (family, seed, table, attribute that makes groups) of every set, made in `cache` when missing."""
    for recipe in SCENES:
        for seed in SEEDS:
            yield recipe.name, seed, scenes(recipe, seed, cache), "background"
    if data is None:
        return
    for folder in sorted((data / "composites").iterdir()):
        name, _, number = folder.name.rpartition("-")
        yield name, int(number), composite(folder, cache), "background"
    photographs = photos(data, cache)
    domains = pacs(data, cache)
    for seed in SEEDS:
        yield "photographs", seed, photographs, "background"
        yield "pacs", seed, domains, "domain"


def scenes(recipe: Scene, seed: int, cache: Path, site: str | None = None) -> FeatureTable:
    """Return drawn scenes, embedded up to `site` of the shipped model, a share of training labels flipped."""
    store = cache / f"scenes-{recipe.correlation}-{seed}{f'-{site}' if site else ''}.store"
    if not (store / "card.json").exists():
        folder = cache / f"scenes-{recipe.correlation}-{seed}"
        if not folder.exists():
            write_scenes(folder, seed=seed, train=TRAINING, correlation=recipe.correlation)
        embed(Manifest.read(folder), load_tiny(site=site), store)
    table = load_store(store)
    train = table.rows("train")
    flipped = train[numpy_stream(seed, "noise").random(len(train)) < recipe.noise]
    y = table.y.copy()
    y[flipped] = 1 - y[flipped]
    return replace(table, y=y)


def composite(folder: Path, cache: Path) -> FeatureTable:
    """Return one set of features of composed photographs."""
    return import_features(folder, cache, "background")


def import_features(folder: Path, cache: Path, attribute: str) -> FeatureTable:
    """Return the features, labels and attribute that lie in a folder, and its text features if it has any."""
    store = cache / f"{folder.name}.store"
    text = folder / "text.npy"
    if not (store / "card.json").exists():
        import_embeddings(
            [folder / "features.npy"],
            folder / "rows.csv",
            out=store,
            label_column="label",
            text_features=text if text.exists() else None,
            attribute_columns=[attribute],
            split_column="split",
        )
    return load_store(store)


def photos(data: Path, cache: Path) -> FeatureTable:
    """Return the photographs, embedded by the small CLIP that lies beside them."""
    store = cache / "photographs.store"
    if not (store / "card.json").exists():
        folder = cache / "photographs"
        with tarfile.open(data / "photos-vehicles.tar") as archive:
            archive.extractall(folder, filter="data")
        root = next(path.parent for path in folder.rglob("train") if path.is_dir())
        embed(Manifest.read(root), load_openclip(f"local-dir:{data / 'photo-clip'}"), store)
    table = load_store(store)
    # The given validation split is balanced by group, so that choosing on it would not be label-free.
    return replace(table, split=np.where(table.split == "validation", "unused", table.split))


def pacs(data: Path, cache: Path) -> FeatureTable:
    """Return PACS with its domain as attribute; splits are drawn, so every domain is in training."""
    store = cache / "pacs.store"
    if not (store / "card.json").exists():
        import_embeddings(
            [data / "pacs" / "features.npy"],
            data / "pacs" / "rows.csv",
            out=store,
            label_column="label",
            attribute_columns=["domain"],
        )
    return load_store(store)
