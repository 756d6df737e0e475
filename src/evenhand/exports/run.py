"""`export`: a run into a folder that other software loads."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from evenhand._errors import NotAllowedError
from evenhand._files import atomic_folder
from evenhand._outputs import keep_apart
from evenhand._typing import PathLike
from evenhand.exports.model_card import model_card
from evenhand.exports.places import check_place
from evenhand.exports.source import ExportSource, read_source
from evenhand.runs.card import read_card

TARGETS = {
    "open_clip": "evenhand.exports.openclip",
    "transformers": "evenhand.exports.transformers",
    "onnx": "evenhand.exports.onnx",
}
"""Modules by target; each has `write(source, folder)`, which returns the largest difference in logits."""


def export(run: PathLike, to: str, out: PathLike, *, model: str | None = None) -> dict[str, Any]:
    """Write a run's model for other software, with a model card.

    Before the folder takes its place, the model in it is loaded and compared with the run on noise images.

    Parameters
    ----------
    run : str or Path
        Folder of the run.
    to : "open_clip", "transformers" or "onnx"
        Format of the export.
    out : str or Path
        Folder to write, new or empty.
    model : str, optional
        New place of the run's model, if it moved.

    Returns
    -------
    dict
        `out`, `to`, the names of the `files`, and `largest_difference`, that of the logits.

    Raises
    ------
    EvenhandError
        If the target is unknown; `out` is not empty or cannot be written; the run is damaged; its model
        cannot be loaded; or the format cannot hold the model.
    """
    if to not in TARGETS:
        raise NotAllowedError.of("to", to, TARGETS)
    run, out = Path(run), Path(out)
    keep_apart(out, [run])
    write: Callable[[ExportSource, Path], float] = import_module(TARGETS[to]).write
    check_place(run, read_card(run), to)
    with atomic_folder(out, argument="out") as folder:
        source = read_source(run, model=model)
        largest = write(source, folder)
        (folder / "README.md").write_text(model_card(source, to, largest), encoding="utf-8")
        files = sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())
    return {"out": str(out), "to": to, "files": files, "largest_difference": largest}
