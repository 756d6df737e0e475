"""ONNX: one graph from pixels to logits, for the model of any method."""

from __future__ import annotations

import json
import logging
import warnings
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from evenhand._errors import EvenhandError
from evenhand._optional import optional
from evenhand.backbones.projection import ROWS, projection_of
from evenhand.exports.source import ExportSource, check_agreement

FILE = "model.onnx"
TOLERANCE = 1e-4


class Classifier(nn.Module):
    """Pixels [B, 3, H, W] to logits [B, C]: s · z · t_c + d_c of a run."""

    def __init__(self, source: ExportSource) -> None:
        super().__init__()
        self.trunk: nn.Module = source.backbone.site.trunk
        tensors = source.model.projection.tensors()
        # Two lists: some names have dots, which no parameter's may have.
        self.names = list(tensors)
        self.tensors = nn.ParameterList([nn.Parameter(tensor, False) for tensor in tensors.values()])
        self.prototypes = nn.Buffer(torch.from_numpy(source.model.logit_scale * source.model.prototypes))
        self.intercept = nn.Buffer(torch.from_numpy(source.model.intercept))

    def forward(self, pixels: Tensor) -> Tensor:
        """Return logits."""
        projection = projection_of(dict(zip(self.names, self.tensors, strict=True)))
        z = projection.embed(self.trunk(pixels))
        return z @ self.prototypes.T + self.intercept


def write(source: ExportSource, folder: Path) -> float:
    """Write `model.onnx`; return how far its logits are from the run's.

    The batch size is dynamic. The metadata holds the classes in the order of the logits, the preprocessing,
    and the run.

    Raises
    ------
    EvenhandError
        If the extra is not installed, the model has an operation that ONNX lacks, or the written graph
        predicts something else.
    """
    optional("onnxscript", "onnx")
    onnx = optional("onnx", "onnx")
    runtime = optional("onnxruntime", "onnx")
    program = _traced(source)
    for name, value in _metadata(source).items():
        program.model.metadata_props[name] = value
    program.save(str(folder / FILE))
    onnx.checker.check_model(str(folder / FILE))
    session = runtime.InferenceSession(str(folder / FILE), providers=["CPUExecutionProvider"])

    def predict(pixels: Tensor) -> Tensor:
        return torch.from_numpy(session.run(["logits"], {"pixels": pixels.numpy()})[0])

    return check_agreement(source, predict, TOLERANCE, "onnx")


def _traced(source: ExportSource) -> Any:
    batch = torch.export.Dim("batch", min=1, max=ROWS)
    try:
        # The exporter prints its steps and warns of its own parts.
        with warnings.catch_warnings(), redirect_stdout(StringIO()), redirect_stderr(StringIO()):
            warnings.simplefilter("ignore")
            return torch.onnx.export(
                Classifier(source).eval(),
                (source.pixels,),
                input_names=["pixels"],
                output_names=["logits"],
                dynamic_shapes=({0: batch},),
                dynamo=True,
                verbose=False,
            )
    except Exception as error:
        # The exporter wraps whatever a model raises; to the user all mean the same.
        logging.getLogger(__name__).debug("export to onnx failed", exc_info=True)
        reason = " ".join(str(error).split())[:200]
        raise EvenhandError(f"to: onnx cannot express model {source.backbone.name!r}: {reason}") from error


def _metadata(source: ExportSource) -> dict[str, str]:
    return {
        "classes": json.dumps(source.classes, ensure_ascii=False),
        "preprocessing": json.dumps(source.backbone.preprocessing()),
        "method": str(source.card["method"]),
        "input": "pixels: float32 [batch, 3, height, width], RGB, after the preprocessing",
        "output": "logits: float32 [batch, classes]; their softmax are the probabilities",
    }
