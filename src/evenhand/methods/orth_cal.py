"""Orthogonal calibration: prototypes without the directions of spurious words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from evenhand._errors import EvenhandError
from evenhand._ranges import NOT_NEGATIVE, Ranges
from evenhand._typing import Floats
from evenhand.data.concepts import Concepts, value_pairs
from evenhand.data.head import Head
from evenhand.functional.concept_maps import calibrated_projection
from evenhand.functional.geometry import unit
from evenhand.methods._training.concepts import checked
from evenhand.methods._training.model import Model
from evenhand.methods._training.problem import Problem
from evenhand.methods.base import Method

TINY = 1e-5
"""A projected unit vector of this length or less is only rounding errors."""


class OrthCal(Method):
    """Zero-shot with calibrated prototypes t_c ← unit(P t_c), P = P0 (λ M + I)⁻¹; nothing is trained.

    P0 projects onto the null space of the prompts of spurious values. M is the mean of
    (u_i − u_j)(u_i − u_j)ᵀ over pairs of prompts that name one class with different values of one attribute.
    P therefore also brings the prompts of one class closer together.

    Parameters
    ----------
    head : Head
        Projection and prototypes of the store; it must have text.
    concepts : Concepts
        Embedded concept words.
    l2 : float, default=1000.0
        λ, at least 0: the L2 penalty on differences within pairs; 1000 as published.
    random_state : int, default=0
        Not used.

    References
    ----------
    C.-Y. Chuang et al., Debiasing Vision-Language Models via Biased Prompts, 2023, arXiv 2302.00070.
    """

    needs: ClassVar[tuple[str, ...]] = ("text", "words")
    configurations: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {},
        {"l2": 100.0},
        {"l2": 10.0},
        {"l2": 0.0},
    )
    paper: ClassVar[str] = "Chuang et al., 2023, arXiv 2302.00070"
    streams: ClassVar[bool] = True
    ranges: ClassVar[Ranges] = {"l2": NOT_NEGATIVE}

    def __init__(
        self,
        head: Head | None = None,
        concepts: Concepts | None = None,
        l2: float = 1000.0,
        random_state: Any = 0,
    ) -> None:
        self.head = head
        self.concepts = concepts
        self.l2 = l2
        self.random_state = random_state

    def _learn(self, problem: Problem) -> Model:
        concepts = checked(self.concepts, self.head, "orth_cal")
        spurious = np.concatenate(list(concepts.values.values()))
        pairs = [np.stack(pair, axis=1) for found in concepts.pairs.values() for pair in value_pairs(found)]
        change = calibrated_projection(_double(spurious), _double(np.concatenate(pairs)), self.l2)
        mapped = problem.prototypes.double() @ change.T
        if not bool(mapped.norm(dim=1).min() > TINY):
            raise EvenhandError(
                "concepts: the span of the spurious words contains a whole class embedding; "
                "name fewer values, or values that do not name the class"
            )
        return replace(Model.of_state(problem, problem.start), prototypes=unit(mapped).float().numpy())


def _double(array: Floats) -> Tensor:
    return torch.from_numpy(array.astype(np.float64))
