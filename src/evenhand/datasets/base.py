"""The contract of a benchmark, which turns the folder that people have into a manifest."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar, Literal

from evenhand._ranges import COUNT, SHARE, WHOLE, Range, Ranges, check
from evenhand.data.manifest import Manifest

Average = Literal["plain", "train_weighted", "group_mean", "class_mean"]


class Dataset(ABC):
    """A benchmark with its recipe or its policies as parameters.

    Subclasses are final, frozen dataclasses: the fields are the parameters, each with a default. Those that
    `ranges` names are checked when one is made, what more there is by `load`.

    Attributes
    ----------
    title : str
        The name that people know.
    layout : str
        Required content of the folder, in one line for a table.
    origin : str
        Where the data come from, and how to get them; empty if nothing is needed.
    average : str
        Which of the four averages the benchmark's papers report.
    usual_model : str or None
        The default model to embed with.
    made_attributes : tuple of str
        Attributes of images that the benchmark itself makes; empty if its files name them.
    ranges : dict of str to Range or Each
        Allowed values of the numeric parameters, by the names of all benchmarks.
    """

    title: ClassVar[str]
    layout: ClassVar[str]
    origin: ClassVar[str] = ""
    average: ClassVar[Average] = "plain"
    usual_model: ClassVar[str | None] = None
    made_attributes: ClassVar[tuple[str, ...]] = ()
    ranges: ClassVar[Ranges] = {
        "seed": WHOLE,
        "train": COUNT,
        "test": COUNT,
        "correlation": SHARE,
        "noise": SHARE,
        "imbalance": Range(1),
    }

    def __post_init__(self) -> None:
        check(self, **{name: allowed for name, allowed in self.ranges.items() if hasattr(self, name)})

    @abstractmethod
    def load(self, data: Path | None, pictures: Path) -> Manifest:
        """Check the files and return what they hold; the first attribute makes the groups.

        Parameters
        ----------
        data : Path or None
            The folder with the benchmark's files; None where it needs none.
        images : Path
            Where a benchmark that comes as arrays, or is drawn, writes its images, once.

        Raises
        ------
        EvenhandError
            If a file is missing or renamed, a size or a value is not the benchmark's, or a parameter is out
            of range.
        """

    def prompts(self) -> dict[str, tuple[str, ...]]:
        """Return the prompts of the benchmark's papers by class; empty for the usual template."""
        return {}
