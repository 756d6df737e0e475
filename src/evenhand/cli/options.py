"""Options that several commands share, and how their texts are read."""

from __future__ import annotations

import ctypes
import os
import re
import sys
from collections.abc import Callable, Sequence
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


Device = Annotated[
    str, typer.Option(help="Device: auto, cpu, mps, cuda or cuda:N.", rich_help_panel="Shared")
]
FitDevice = Annotated[
    str,
    typer.Option(
        help="Device for operations on all rows: auto, cpu, cuda or cuda:N; auto is cuda if there is one.",
        rich_help_panel="Shared",
    ),
]
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


DEVICES = ("auto", "cpu", "mps", "cuda", "cuda:N")
FIT_DEVICES = ("auto", "cpu", "cuda", "cuda:N")


def check_device(text: str, allowed: Sequence[str] = DEVICES) -> None:
    """Refuse a text that names no device, before torch is imported to find those of this machine.

    `allowed` is what the sentence offers.

    Raises
    ------
    EvenhandError
        If the text names none, or a GPU on a machine without its driver.
    """
    if not re.fullmatch(r"auto|cpu|mps|cuda(:\d+)?", text, re.ASCII):
        raise NotAllowedError.of("--device", text, allowed)
    if text.startswith("cuda") and not gpu_driver():
        raise EvenhandError(
            f"--device: {text} is not on this machine: it has no GPU driver; leave --device out to choose "
            "automatically"
        )


def choose_device(text: str) -> str:
    """Return the torch device that `text` means here.

    Raises
    ------
    EvenhandError
        If the text names no device, or one that this machine lacks.
    """
    check_device(text)
    import torch

    present: dict[str, Callable[[], bool]] = {
        "cuda": torch.cuda.is_available,
        "mps": torch.backends.mps.is_available,
        "cpu": lambda: True,
    }
    if text == "auto":
        return next(name for name, here in present.items() if here())
    kind, _, number = text.partition(":")
    if not present[kind]() or (number and int(number) >= torch.cuda.device_count()):
        here = ", ".join(name for name, found in present.items() if found())
        raise EvenhandError(
            f"--device: {text} is not on this machine, which has {here}; leave --device out "
            "to choose automatically"
        )
    return text


def check_fit_device(text: str) -> None:
    """Refuse a device that fits cannot use here, before torch is imported.

    Raises
    ------
    EvenhandError
        As `check_device`, or for mps, which lacks the precision that fits need.
    """
    check_device(text, FIT_DEVICES)
    if text == "mps":
        raise NotAllowedError(
            f"--device: mps has no float64, which fits need; the allowed values are {', '.join(FIT_DEVICES)}"
        )


def fit_device(text: str) -> str:
    """Return the torch device that `text` means for a fit here: `auto` is cuda if there is one, else cpu.

    Raises
    ------
    EvenhandError
        As `check_fit_device`, or if torch does not see the GPU.
    """
    check_fit_device(text)
    if text == "cpu" or not gpu_driver():
        return "cpu"
    found = choose_device(text)
    return found if found.startswith("cuda") else "cpu"


def gpu_driver() -> bool:
    """Tell whether the library of a GPU's driver is installed, of NVIDIA or of AMD."""
    for name in ("libcuda.so.1", "libamdhip64.so"):
        try:
            ctypes.CDLL(name)
        except OSError:
            continue
        return True
    return False


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
