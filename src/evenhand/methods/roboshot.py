"""RoboShot: embeddings without the directions of spurious words."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import torch

from evenhand.data.concepts import Concepts, value_pairs
from evenhand.data.head import Head
from evenhand.functional.concept_maps import reject_accept_map
from evenhand.methods._training.concepts import checked
from evenhand.methods._training.model import Model
from evenhand.methods._training.problem import Problem
from evenhand.methods._training.trained_state import State
from evenhand.methods.base import Method


class RoboShot(Method):
    """Zero-shot on embeddings without the reject directions and with doubled accept directions.

        z ← unit( z (I − R Rᵀ)(I + B Bᵀ) )

    A direction is the difference between the embeddings of two words: two values of a spurious attribute to
    reject, an accepted pair to accept. R and B are orthonormal bases of the directions. The map becomes part
    of W and b; nothing is trained. The authors ask a language model for the words; here the user gives them.

    Parameters
    ----------
    head : Head
        Projection and prototypes of the store; it must have text.
    concepts : Concepts
        Embedded concept words.
    random_state : int, default=0
        Not used.

    References
    ----------
    D. Adila et al., Zero-Shot Robustification of Zero-Shot Models, ICLR 2024, arXiv 2309.04344.
    """

    needs: ClassVar[tuple[str, ...]] = ("text", "words")
    paper: ClassVar[str] = "Adila et al., ICLR 2024, arXiv 2309.04344"
    streams: ClassVar[bool] = True

    def __init__(
        self, head: Head | None = None, concepts: Concepts | None = None, random_state: Any = 0
    ) -> None:
        self.head = head
        self.concepts = concepts
        self.random_state = random_state

    def _learn(self, problem: Problem) -> Model:
        concepts = checked(self.concepts, self.head, "roboshot")
        # Float64, so that the third difference between three values adds no direction to the other two.
        reject = [
            first - second
            for found in concepts.values.values()
            for first, second in value_pairs(found.astype(np.float64))
        ]
        accepted = concepts.accept.astype(np.float64)
        change = reject_accept_map(
            torch.from_numpy(np.stack(reject)), torch.from_numpy(accepted[:, 0] - accepted[:, 1])
        )
        projection = problem.start.projection.to("cpu")
        last = {name: projection.tensors().get(name) for name in ("weight", "bias")}
        mapped = {name: (t.double() @ change).float() for name, t in last.items() if t is not None}
        return Model.of_state(problem, State(projection.with_tensors(mapped), problem.start.log_scale))
