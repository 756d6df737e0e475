"""`evenhand export`: a fitted run for open_clip, transformers or ONNX."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from evenhand._optional import require
from evenhand._outputs import check_new
from evenhand.cli.options import Json, MovedModel, Threads, examples, set_threads

NAME = "export"
EXAMPLES = examples(
    "evenhand export birds.run --to open_clip --out birds-open-clip",
    "evenhand export birds.run --to onnx --out birds-onnx",
)
NEEDS = {
    "transformers": (("transformers", "hf"),),
    "onnx": (("onnxscript", "onnx"), ("onnx", "onnx"), ("onnxruntime", "onnx")),
}
"""Libraries that a format needs, and the extra that brings each."""


def command(
    run: Annotated[Path, typer.Argument(help="Run folder that fit made.")],
    to: Annotated[Literal["open_clip", "transformers", "onnx"], typer.Option(help="Format.")],
    out: Annotated[Path, typer.Option(help="Folder to write, new or empty.")],
    model: MovedModel = None,
    threads: Threads = None,
    json: Json = False,
) -> None:
    """Write the calibrated model for other software, with a model card."""
    set_threads(threads)
    for module, extra in NEEDS.get(to, ()):
        require(module, extra)
    check_new(out)

    from evenhand.runs.card import read_card

    read_card(run)  # a wrong folder is reported at once, before torch is imported

    from evenhand.cli.show import as_json, clean, console
    from evenhand.exports.run import export

    found = export(run, to, out, model=model)
    if json:
        as_json(found)
        return
    console().print(
        clean(
            f"{out}: {', '.join(found['files'])}; logits differ from the run's by at most "
            f"{found['largest_difference']:.1e}"
        ),
        soft_wrap=True,
    )
    console(stderr=True).print(clean(f"next: {out / 'README.md'} says how to load it"), soft_wrap=True)
