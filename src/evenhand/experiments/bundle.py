"""bundle.safetensors: a fitted model as one file that needs no pickle and no training code."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from evenhand._errors import EvenhandError
from evenhand._files import atomic
from evenhand.backbones.projection import projection_of
from evenhand.methods._model import Model

SCHEMA = 1
BUNDLE, ERM_BUNDLE = "bundle.safetensors", "erm.safetensors"
"""In a run folder: the fitted model, and the ERM that it started from, to compare with."""
_HEAD = ("prototypes", "intercept", "logit_scale")


def write_bundle(path: Path, model: Model, classes: list[str]) -> None:
    """Write the projection's tensors, prototypes, intercept and logit scale; class names in the metadata."""
    tensors = {
        **{name: tensor.numpy() for name, tensor in model.projection.tensors().items()},
        "prototypes": model.prototypes,
        "intercept": model.intercept,
        "logit_scale": np.array([model.logit_scale], dtype=np.float32),
    }
    # One key: the format keeps no order among several, and equal runs must give equal bytes.
    metadata = {"evenhand": json.dumps({"schema": SCHEMA, "classes": classes}, ensure_ascii=False)}
    with atomic(path) as temporary:
        # Not save_file: its errors are no OSError, so that a full disk would go unnamed.
        temporary.write_bytes(save({k: np.ascontiguousarray(v) for k, v in tensors.items()}, metadata))


def read_bundle(path: Path) -> tuple[Model, list[str]]:
    """Read what `write_bundle` wrote.

    Raises
    ------
    EvenhandError
        If the file is absent, damaged, of another schema version, or its tensors make no model.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = json.loads((file.metadata() or {}).get("evenhand", "{}"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, ValueError, SafetensorError) as error:
        raise EvenhandError(f"{path} is not a readable bundle ({error}); run fit again") from error
    if metadata.get("schema") != SCHEMA:
        raise EvenhandError(
            f"{path} has schema {metadata.get('schema')!r}, this version reads {SCHEMA!r}; "
            "use the version of evenhand that wrote it"
        )
    missing = {"weight", *_HEAD} - set(tensors)
    if missing:
        raise EvenhandError(f"{path} lacks the tensor {sorted(missing)[0]!r}; run fit again")
    prototypes, intercept, logit_scale = (tensors.pop(name) for name in _HEAD)
    try:
        projection = projection_of({name: torch.from_numpy(array) for name, array in tensors.items()})
    except EvenhandError as error:
        raise EvenhandError(f"{path} holds a model that this version cannot read: {error}") from error
    return Model(projection, prototypes, intercept, float(logit_scale[0])), list(metadata["classes"])
