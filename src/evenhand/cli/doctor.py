"""`evenhand doctor`: what this machine offers."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from importlib import util
from pathlib import Path
from typing import Any

import typer

from evenhand._version import __version__
from evenhand.cli.options import Json, examples
from evenhand.cli.show import as_json, clean, console, table
from evenhand.cli.suggest import suggest

NAME = "doctor"
EXAMPLES = examples("evenhand doctor", "evenhand doctor --json")

CORE = ("torch", "torchvision", "open_clip_torch", "numpy", "scipy", "scikit-learn", "pyarrow", "safetensors")
EXTRAS = {
    "hf": ("transformers",),
    "ray": ("ray",),
    "onnx": ("onnx", "onnxscript", "onnxruntime"),
    "heif": ("pillow_heif",),
    "excel": ("openpyxl",),
}


def command(json: Json = False) -> None:
    """Check this machine: versions, devices, model, folder and extras."""
    findings = examine()
    if json:
        as_json(findings)
    else:
        _draw(findings)
        if findings["ok"]:
            suggest("demo")
    if not findings["ok"]:
        raise typer.Exit(1)


def examine() -> dict[str, Any]:
    """Return the findings; `ok` is whether the main job can run here."""
    checks = {"embedded model": _embedded_model(), "working folder": _working_folder()}
    return {
        "evenhand": __version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "versions": {name: _version(name) for name in CORE},
        "devices": _devices(),
        "extras": {name: all(util.find_spec(m) for m in modules) for name, modules in EXTRAS.items()},
        "checks": checks,
        "ok": all(check["ok"] for check in checks.values()),
    }


def _version(name: str) -> str | None:
    from importlib import metadata

    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _devices() -> list[str]:
    import torch

    found = ["cpu"]
    if torch.backends.mps.is_available():
        found.append("mps")
    found += [f"cuda:{n} {torch.cuda.get_device_name(n)}" for n in range(torch.cuda.device_count())]
    return found


def _embedded_model() -> dict[str, Any]:
    from evenhand.backbones.tiny import load_tiny

    try:
        backbone = load_tiny()
    except Exception as error:  # a broken installation may fail in any way; the doctor reports it
        return {"ok": False, "detail": f"{type(error).__name__}: {error}"}
    return {"ok": True, "detail": f"{backbone.name}, width {backbone.width}"}


def _working_folder() -> dict[str, Any]:
    try:
        with tempfile.TemporaryFile(dir="."):
            return {"ok": True, "detail": f"{Path.cwd()} can be written"}
    except OSError as error:  # it may also have been removed
        return {"ok": False, "detail": f"the working folder cannot be written: {error.strerror}"}


def _draw(findings: dict[str, Any]) -> None:
    made = table(f"evenhand {findings['evenhand']}", "what", "found")
    made.add_row("Python", clean(f"{findings['python']} ({sys.executable})"))
    made.add_row("system", clean(f"{findings['system']}, {findings['cores']} cores"))
    for name, version in findings["versions"].items():
        made.add_row(name, clean(version or "missing"))
    made.add_row("devices", clean(", ".join(findings["devices"])))
    for name, present in findings["extras"].items():
        advice = "present" if present else f"absent; pip install 'evenhand[{name}]' brings it"
        made.add_row(f"extra {name}", clean(advice))
    for name, check in findings["checks"].items():
        made.add_row(
            name, ("[green]ok[/green]  " if check["ok"] else "[red]fails[/red]  ") + clean(check["detail"])
        )
    console().print(made)
