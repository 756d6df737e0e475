"""`evenhand export`: a fitted run for open_clip, transformers or ONNX."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from evenhand._errors import EvenhandError
from evenhand._optional import require
from evenhand._outputs import check_new
from evenhand.cli.early import check_moved
from evenhand.cli.options import Json, MovedModel, RunArgument, Threads, examples, one_of, set_threads

NAME = "export"
EXAMPLES = examples(
    "evenhand export birds.run --to open_clip --out birds-open-clip",
    "evenhand export birds.run --to onnx --out birds-onnx",
    "evenhand export birds.run --to transformers --out birds-hf --push me/birds",
)
Format = Literal["open_clip", "transformers", "onnx"]
NEEDS = {
    "transformers": (("transformers", "hf"),),
    "onnx": (("onnxscript", "onnx"), ("onnx", "onnx"), ("onnxruntime", "onnx")),
}
"""Libraries that a format needs, and the extra that brings each."""


def command(
    run: RunArgument,
    to: Annotated[Format, one_of(Format, "Format of the exported model.")],
    out: Annotated[Path, typer.Option(help="Folder to write, new or empty.")],
    push: Annotated[
        str | None, typer.Option(help="Upload the folder to OWNER/NAME on the Hugging Face Hub.")
    ] = None,
    private: Annotated[bool, typer.Option("--private", help="Make a new repository private.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Upload without asking.")] = False,
    model: MovedModel = None,
    threads: Threads = None,
    json: Json = False,
) -> None:
    """Write the calibrated model for other software, with a model card.

    --push lists the files to upload, and asks for confirmation.
    """
    set_threads(threads)
    for module, extra in NEEDS.get(to, ()):
        require(module, extra)
    check_new(out)
    check_moved(model)
    _check_push(push, private=private, asks=not yes)

    from evenhand.exports.places import check_place
    from evenhand.runs.card import read_card

    check_place(run, read_card(run), to)  # what is wrong is reported before torch is imported
    if push is not None:
        from evenhand.exports.push import check_login

        check_login(push)

    from evenhand.cli.show import as_json, clean, console
    from evenhand.exports.run import export

    found = export(run, to, out, model=model)
    if push is not None:
        found["pushed"] = _upload(out, push, private=private, asks=not yes)
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
    if push is not None:
        console().print(clean(f"uploaded to {found['pushed']}"), soft_wrap=True)
    console(stderr=True).print(clean(f"next: {out / 'README.md'} says how to load it"), soft_wrap=True)


def can_ask() -> bool:
    """Return whether a person can answer at the terminal."""
    return sys.stdin.isatty()


def _check_push(repo: str | None, *, private: bool, asks: bool) -> None:
    if repo is None:
        given = "--private" if private else None if asks else "--yes"
        if given is not None:
            raise EvenhandError(f"{given} needs --push; add it, or leave {given} out")
        return

    from evenhand.exports.push import check_push

    check_push(repo)
    if asks and not can_ask():
        raise EvenhandError(
            "--push: this is not a terminal, so nobody can confirm; add --yes to upload without asking"
        )


def _upload(folder: Path, repo: str, *, private: bool, asks: bool) -> str:
    from evenhand.cli.show import clean, console
    from evenhand.exports.push import files_of, push

    screen = console(stderr=True)
    files = files_of(folder)
    for name, size in files.items():
        screen.print(clean(f"  {name}  {size:,} bytes"), soft_wrap=True)
    what = f"{len(files)} files, {sum(files.values()):,} bytes, to {repo} on the Hub"
    screen.print(clean(f"to upload: {what}{', private if it is new' if private else ''}"), soft_wrap=True)
    if asks and not typer.confirm("Upload?", err=True):
        raise EvenhandError(f"--push: nothing was uploaded; the export is in {folder}")
    screen.print(clean(f"if the upload breaks off: hf upload {repo} {folder}"), soft_wrap=True)
    return push(folder, repo, private=private)
