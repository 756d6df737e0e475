"""README.md of an export: a model card with the Hugging Face header, written from the run."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from importlib import resources
from importlib.metadata import version
from pathlib import PurePath
from typing import Any

import yaml
from jinja2 import Environment, StrictUndefined

from evenhand._version import __version__
from evenhand.evaluation.few import FEW
from evenhand.exports.source import ExportSource

_LIBRARY = {"open_clip": "open_clip", "transformers": "transformers", "onnx": "onnx"}
_VERSIONS = ("torch", "open_clip_torch", "numpy")


def model_card(source: ExportSource, to: str, largest: float) -> str:
    """Return the card in Markdown; every name in it is escaped.

    Parameters
    ----------
    source : ExportSource
        The run.
    to : str
        The target of the export.
    largest : float
        How far its logits are from the run's.
    """
    environment = Environment(trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined)
    environment.filters |= {"plain": plain, "percent": _percent, "interval": _interval}
    text = resources.files("evenhand.exports").joinpath("model_card_body.md.j2").read_text(encoding="utf-8")
    row, made = source.result, source.card["store_card"]
    rates = [rate for rate in (*row["groups"], *row["classes"]) if rate["n"] < FEW]
    kept = (row.get("kept") or {}).get("reason")
    return environment.from_string(text).render(
        header=_header(source, to),
        to=to,
        row={"confidence": None, **row},
        base=base_name(made),
        made=made,
        site=made["site"],
        classes=source.classes,
        prompts={name: source.prompts.get(name) for name in source.classes},
        template=_template(source),
        worst=[
            (kind.replace("_", " "), row[kind]) for kind in ("worst_group", "worst_class") if row.get(kind)
        ],
        few=[rate["name"] for rate in rates],
        limit=FEW,
        said=[sentence for sentence in (kept, *row.get("notes", [])) if sentence],
        largest=largest,
        logit_bias=getattr(getattr(source.backbone, "model", None), "logit_bias", None) is not None,
        version=__version__,
        versions=", ".join(f"{name} {version(name)}" for name in _VERSIONS),
    )


def base_name(made: Mapping[str, Any]) -> str:
    """Return the name of a store's model without the folders of this machine."""
    prefix, colon, place = str(made["model"]).rpartition(":")
    # A hub's owner/name is public; a path is not.
    local = prefix == "local-dir" or PurePath(place).is_absolute() or place.startswith(("./", "../", "~"))
    name = f"{prefix}{colon}{PurePath(place).name if local else place}"
    pretrained = made.get("pretrained")
    return f"{name}, {PurePath(str(pretrained)).name}" if pretrained else name


def plain(text: object) -> str:
    """Return text as Markdown that shows it and nothing else: no markup, HTML, table cell or control."""
    shown = "".join("�" if unicodedata.category(c) in ("Cc", "Cf", "Cs") else c for c in str(text))
    return re.sub(r"([\\`*_\[\]<>|&#~$!])", r"\\\1", shown)


def _header(source: ExportSource, to: str) -> str:
    row = source.result
    metrics = [{"type": "accuracy", "name": "Accuracy", "value": row["averages"]["plain"]}]
    if row.get("worst_group"):
        metrics.append(
            {"type": "accuracy", "name": "Worst-group accuracy", "value": row["worst_group"]["value"]}
        )
    found = {
        "library_name": _LIBRARY[to],
        "pipeline_tag": "image-classification" if to == "onnx" else "zero-shot-image-classification",
        "tags": ["clip", "evenhand", "group-robustness"],
        "metrics": ["accuracy"],
        "model-index": [
            {
                "name": f"{base_name(source.card['store_card'])}, {row['method']}",
                "results": [
                    {
                        "task": {"type": "image-classification"},
                        "dataset": {
                            "name": PurePath(source.card["store"] or "store").name,
                            "type": "imagefolder",
                            "split": row["split"],
                        },
                        "metrics": metrics,
                    }
                ],
            }
        ],
    }
    return yaml.safe_dump(found, sort_keys=False, allow_unicode=True)


def _template(source: ExportSource) -> str:
    """Return the first prompt with the class name replaced by {}, as the pipeline takes it."""
    name = source.classes[0]
    prompt = (source.prompts.get(name) or ["a photo of a {}."])[0]
    return plain(prompt.replace(name.replace("_", " "), "{}", 1)).replace('"', "'")


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f}"


def _interval(rate: Mapping[str, Any]) -> str:
    return "–" if rate["low"] is None else f"{_percent(rate['low'])} to {_percent(rate['high'])}"
