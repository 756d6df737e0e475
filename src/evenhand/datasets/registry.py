"""Benchmarks by name. Plug-ins enter by the same door: the entry-point group `evenhand.datasets`."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points
from inspect import signature
from typing import Any

from evenhand._errors import EvenhandError
from evenhand.datasets.base import Dataset

DATASETS = {
    "scenes": "evenhand.datasets.scenes:Scenes",
    "waterbirds": "evenhand.datasets.waterbirds:Waterbirds",
    "celeba": "evenhand.datasets.celeba:CelebA",
    "chexpert": "evenhand.datasets.chexpert:CheXpert",
    "metashift": "evenhand.datasets.metashift:MetaShift",
    "coloured_mnist": "evenhand.datasets.coloured_mnist:ColouredMnist",
    "dominoes": "evenhand.datasets.dominoes:Dominoes",
    "composites": "evenhand.datasets.composites:Composites",
    "folder": "evenhand.datasets.folder:Folder",
}


def names() -> list[str]:
    """Return the names of all benchmarks, built in and plugged in."""
    return [*DATASETS, *sorted(point.name for point in entry_points(group="evenhand.datasets"))]


def dataset_class(name: str) -> type[Dataset]:
    """Return the class registered under `name`.

    Raises
    ------
    EvenhandError
        If no benchmark has that name.
    """
    plugged = {point.name: point.value for point in entry_points(group="evenhand.datasets")}
    target = DATASETS.get(name) or plugged.get(name)
    if target is None:
        raise EvenhandError(f"benchmark {name!r} is unknown; the benchmarks are {', '.join(names())}")
    module, _, attribute = target.partition(":")
    found: type[Dataset] = getattr(import_module(module), attribute)
    return found


def make(name: str, **params: Any) -> Dataset:
    """Return a benchmark with its parameters.

    Raises
    ------
    EvenhandError
        If the benchmark or a parameter is unknown.
    """
    cls = dataset_class(name)
    allowed = list(signature(cls).parameters)
    unknown = sorted(set(params) - set(allowed))
    if unknown:
        raise EvenhandError(
            f"{name} takes no parameter {unknown[0]!r}; it takes {', '.join(allowed) or 'none'}"
        )
    return cls(**params)
