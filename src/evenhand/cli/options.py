"""Options that several commands share, and how their texts are read."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import typer

from evenhand._errors import EvenhandError, NotAllowedError
from evenhand.cli.paths import is_file, is_pipe


def one_of(kind: Any, help: str, **more: Any) -> Any:
    """Return an option that takes one of the words of `kind`, a literal type."""
    allowed = get_args(kind)

    def check(parameter: typer.CallbackParam, word: str | None) -> str | None:
        if word is not None and word not in allowed:
            raise NotAllowedError.of(str(parameter.name), word, allowed)
        return word

    return typer.Option(parser=str, callback=check, metavar=f"<{'|'.join(allowed)}>", help=help, **more)


Seed = Annotated[int, typer.Option(min=0, help="Random seed.", rich_help_panel="Shared")]
# Measured for an SGD step of 384 rows, 128 x 128 to 2048 x 1024: where other work shares the cores, a second
# thread makes it 2 to 16 times slower; on idle ones it saves a third at best. It also changes the last bits.
Threads = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="CPU threads; by default all cores, or 1 for fits (more help only on idle cores).",
        rich_help_panel="Shared",
    ),
]
Json = Annotated[
    bool,
    typer.Option("--json", help="Write the results to stdout as JSON.", rich_help_panel="Shared"),
]
Workers = Annotated[
    int | None,
    typer.Option(
        min=0,
        help="Processes that read images, or threads per Ray actor; by default one per core, at most 8.",
    ),
]
MovedModel = Annotated[
    str | None,
    typer.Option("--model", help="New location of the run's model, if it moved: a folder or checkpoint."),
]
MaxPixels = Annotated[
    int | None,
    typer.Option(
        min=1,
        envvar="EVENHAND_MAX_PIXELS",
        help="Largest image, in pixels; by default 89,478,485. A pixel takes 3 to 30 bytes of memory.",
    ),
]
ClassNames = Annotated[
    str | None, typer.Option(help="Class names: label=name,…; or a,b for the labels 0 and 1; or a file.")
]
LabelColumn = Annotated[str, typer.Option(help="Column with the labels.")]
AttributeColumns = Annotated[str | None, typer.Option(help="Columns that define groups: a,b.")]
SplitColumn = Annotated[
    str, typer.Option(help="Column with train, validation or test. Without it, splits are random, by class.")
]
PathColumn = Annotated[str | None, typer.Option(help="Column with the image paths, if its name is unusual.")]
Root = Annotated[
    Path | None, typer.Option(help="Folder that a table's paths start from; by default the table's own.")
]
SplitBy = Annotated[
    str | None,
    typer.Option(help="Column of ids, such as patients. Random splits keep the rows of an id together."),
]
SplitFile = Annotated[
    Path | None, typer.Option(help="Table with a column of paths or ids and a column of splits.")
]
MetricName = Literal["accuracy", "auroc", "average_precision", "precision", "recall", "f1"]
Metric = Annotated[
    MetricName, one_of(MetricName, "Metric to show for each class and group, against the other classes.")
]
GroupBy = Annotated[
    str | None,
    typer.Option(help="Attribute that defines the groups, or several: a,b; by default the first."),
]
StoreArgument = Annotated[Path, typer.Argument(help="Store that embed or import made.")]
RunArgument = Annotated[Path, typer.Argument(help="Run folder that fit made.")]
Seeds = Annotated[int, typer.Option(min=1, help="Number of seeds, starting at --seed.")]
Concepts = Annotated[
    Path | None, typer.Option(help="YAML file of spurious words, for orth_cal and roboshot.")
]
VocabularyFile = Annotated[
    Path | None, typer.Option(help="File of words that name slices, one per line; or none for no words.")
]
Pretrained = Annotated[str | None, typer.Option(help="open_clip tag, or a checkpoint file.")]
Precision = Annotated[str, typer.Option(help="Precision of the model: fp32, bf16, fp16 or auto.")]
BatchSize = Annotated[int, typer.Option(min=1, help="Images per batch.")]

THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def examples(*lines: str) -> str:
    """Return the epilog of a command: its examples, one a line, which are not wrapped."""
    return "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines)])


def listed(text: str | None) -> list[str] | None:
    """Return the names of a comma-separated list, None for None."""
    return None if text is None else [name.strip() for name in text.split(",") if name.strip()]


def set_threads(threads: int | None) -> None:
    """Limit this process to `threads` CPU threads; None leaves the choice to the libraries.

    It must be called before NumPy and torch are loaded: they read their limits only then.
    """
    if threads is None:
        return
    os.environ |= dict.fromkeys(THREAD_VARIABLES, str(threads))
    if torch := sys.modules.get("torch"):  # otherwise it reads the variables when it is imported
        torch.set_num_threads(threads)


def read_mapping(text: str | None) -> dict[str, str] | None:
    """Return {label: class name}.

    `text` is "0=a,1=b", or "a,b" for the labels 0 and 1, or a file with one such entry a line.

    Raises
    ------
    EvenhandError
        If some entries have an equals sign and others none, or one is given twice.
    """
    if text is None:
        return None
    _refuse_pipe(text, "--class-names")
    entries = _lines(Path(text)) if is_file(text) else listed(text) or []
    if not any("=" in entry for entry in entries):
        return {str(label): name for label, name in enumerate(entries)}
    pairs = [tuple(part.strip() for part in entry.split("=", 1)) for entry in entries]
    mapping = {pair[0]: pair[-1] for pair in pairs}
    if any(len(pair) == 1 for pair in pairs) or len(mapping) < len(pairs):
        raise EvenhandError(
            f"--class-names: got {text!r}; give every label once as label=name, or names alone for 0, 1, …"
        )
    return mapping


def read_templates(text: str | None) -> list[str] | str | None:
    """Return "openai" or "simple", or the templates in a file, one a line.

    Raises
    ------
    EvenhandError
        If the file is missing, empty, or a line lacks the {} or {c} that stands for the class name.
    """
    if text is None or text in ("openai", "simple"):
        return text
    _refuse_pipe(text, "--templates")
    if not is_file(text):
        raise NotAllowedError.of(
            "--templates", text, ("openai", "simple", "a file with one template per line")
        )
    lines = _lines(Path(text))
    if not lines:
        raise EvenhandError(f"--templates: {text} is empty; write one template per line")
    for line in lines:
        if "{}" not in line and "{c}" not in line:
            raise EvenhandError(
                f"--templates: {line!r} in {text} has neither {{}} nor {{c}}; write one for the class name"
            )
    return lines


def _refuse_pipe(text: str, option: str) -> None:
    """Refuse a pipe, such as /dev/stdin or <(…): a text that names no file has another meaning."""
    if is_pipe(text):
        raise EvenhandError(f"{option}: {text} is not a regular file; write it to a file first")


def _lines(path: Path) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise EvenhandError(f"{path} is not UTF-8 text; save it as UTF-8") from error
    return [line.strip() for line in text.splitlines() if line.strip()]
