"""Benchmarks by name. Plug-ins register in the entry-point group `evenhand.datasets`."""

from __future__ import annotations

from inspect import signature
from typing import TYPE_CHECKING, Any

from evenhand._errors import EvenhandError
from evenhand._plugins import check_known, find, known_names

if TYPE_CHECKING:  # names are checked before a benchmark is loaded
    from evenhand.datasets.base import Dataset

GROUP = "evenhand.datasets"

DATASETS = {
    "scenes": "evenhand.datasets.scenes:Scenes",
    "waterbirds": "evenhand.datasets.waterbirds:Waterbirds",
    "celeba": "evenhand.datasets.celeba:CelebA",
    "chexpert": "evenhand.datasets.chexpert:CheXpert",
    "metashift": "evenhand.datasets.metashift:MetaShift",
    "coloured_mnist": "evenhand.datasets.coloured_mnist:ColouredMnist",
    "dominoes": "evenhand.datasets.dominoes:Dominoes",
    "composites": "evenhand.datasets.composites:Composites",
    "folder": "evenhand.datasets.folder:FolderDataset",
}


def names() -> list[str]:
    """Return the names of all benchmarks, built in and plugged in."""
    return known_names(DATASETS, GROUP)


def check_name(name: str) -> None:
    """Refuse a name that no benchmark has, without importing one.

    Raises
    ------
    EvenhandError
        If no benchmark has that name.
    """
    check_known(name, DATASETS, GROUP, kind="benchmark")


def dataset_class(name: str) -> type[Dataset]:
    """Return the class registered under `name`.

    Raises
    ------
    EvenhandError
        If no benchmark has that name.
    """
    found: type[Dataset] = find(name, DATASETS, GROUP, kind="benchmark")
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
