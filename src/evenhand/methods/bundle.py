"""bundle.safetensors: a fitted model as one file, without pickle and without training code.

Specified byte by byte in docs/reference/bundle.md.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import save

from evenhand._errors import EvenhandError
from evenhand._files import atomic
from evenhand._json import parse_json
from evenhand._typing import Floats
from evenhand.backbones.projection import projection_of
from evenhand.data.arrays.tensors import read_tensors
from evenhand.data.labels import some
from evenhand.methods._training.model import Model

SCHEMA = 1
BUNDLE, ERM_BUNDLE = "bundle.safetensors", "erm.safetensors"
"""File names in a run folder: the fitted model, and the ERM that it is compared with."""
_HEAD = ("prototypes", "intercept", "logit_scale")


def write_bundle(path: Path, model: Model, classes: list[str]) -> None:
    """Write a model to a safetensors file.

    The file holds the tensors of the projection, the prototypes, the intercept and the logit scale. Its
    metadata holds the class names. Equal models give equal bytes.

    Parameters
    ----------
    path : Path
        The file to write.
    model : Model
        The fitted model.
    classes : list of str
        Class names in the order of the class codes.

    Raises
    ------
    EvenhandError
        If the file cannot be written.
    """
    tensors = {
        **{name: tensor.numpy() for name, tensor in model.projection.tensors().items()},
        "prototypes": model.prototypes,
        "intercept": model.intercept,
        "logit_scale": np.array([model.logit_scale], dtype=np.float32),
    }
    # One key only: the order of several keys is undefined, and equal models must give equal bytes.
    metadata = {"evenhand": json.dumps({"schema": SCHEMA, "classes": classes}, ensure_ascii=False)}
    with atomic(path) as temporary:
        # Not save_file, whose errors are not OSErrors: the message would not name a full disk.
        temporary.write_bytes(save({k: np.ascontiguousarray(v) for k, v in tensors.items()}, metadata))


def read_bundle(path: Path) -> tuple[Model, list[str]]:
    """Read a model from a file that `write_bundle` wrote; the file is not trusted.

    Parameters
    ----------
    path : Path
        The file to read.

    Returns
    -------
    model : Model
    classes : list of str
        Class names in the order of the class codes.

    Raises
    ------
    EvenhandError
        If the file is missing, damaged or of another schema version, or its tensors do not make a model.
    """
    try:
        tensors, metadata_texts = read_tensors(path)
        found = parse_json(metadata_texts.get("evenhand", "{}"))
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise EvenhandError(f"{path} is not a readable bundle ({reason}); run fit again") from error
    metadata: Mapping[str, Any] = found if isinstance(found, dict) else {}
    if metadata.get("schema") != SCHEMA:
        raise EvenhandError(
            f"{path} has schema {metadata.get('schema')!r}, this version reads {SCHEMA!r}; "
            "use the version of evenhand that wrote it"
        )
    try:
        return _model(tensors, classes := _classes(metadata)), classes
    except (EvenhandError, IndexError, TypeError) as error:  # the others: tensors without axes
        raise EvenhandError(f"{path} holds a model that this version cannot read: {error}") from error


def read_run_bundle(run: Path, card: Mapping[str, Any], name: str = BUNDLE) -> Model:
    """Return the model of a bundle in a run folder.

    Raises
    ------
    EvenhandError
        As `read_bundle`, or if its width or classes are not those of the run's card.
    """
    model, classes = read_bundle(run / name)
    if model.projection.width != card["width"]:
        raise EvenhandError(
            f"{run / name} takes features of width {model.projection.width}, but the card of the run says "
            f"{card['width']}; run fit again"
        )
    if classes != card["classes"]:
        raise EvenhandError(
            f"{run / name} has the classes {some(classes)}, but the card of the run says "
            f"{some(card['classes'])}; run fit again"
        )
    return model


def _classes(metadata: Mapping[str, Any]) -> list[str]:
    classes = metadata.get("classes")
    if (
        not isinstance(classes, list)
        or len(classes) < 2
        or not all(isinstance(name, str) for name in classes)
        or len(set(classes)) < len(classes)
    ):
        raise EvenhandError("its classes are not a list of two or more different names; run fit again")
    return classes


def _model(tensors: dict[str, Floats], classes: list[str]) -> Model:
    missing = {"weight", *_HEAD} - set(tensors)
    if missing:
        raise EvenhandError(f"the tensor {sorted(missing)[0]!r} is missing; run fit again")
    for name in tensors:
        if name.count(".") > 1:
            raise EvenhandError(f"the tensor {name[:40]!r} belongs to no known projection; run fit again")
    prototypes, intercept, logit_scale = (tensors.pop(name) for name in _HEAD)
    projection = projection_of({name: torch.from_numpy(array) for name, array in tensors.items()})
    wanted = {
        "prototypes": (len(classes), int(projection.weight.shape[1])),
        "intercept": (len(classes),),
        "logit_scale": (1,),
    }
    for name, array in zip(_HEAD, (prototypes, intercept, logit_scale), strict=True):
        if array.shape != wanted[name]:
            raise EvenhandError(
                f"the tensor {name!r} has shape {list(array.shape)} but {len(classes)} classes and the "
                f"projection need {list(wanted[name])}; run fit again"
            )
    return Model(projection, prototypes, intercept, float(logit_scale[0]))
