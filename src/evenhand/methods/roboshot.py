"""RoboShot (arXiv 2309.04344): embeddings lose what spurious words point along."""

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
from evenhand.methods._training.state import State
from evenhand.methods.base import Method


class RoboShot(Method):
    """Zero-shot on z that lost the reject directions and has the accept directions twice.

    A direction is the difference of the embeddings of a pair of words: of two values of a spurious attribute
    to reject, of an accepted pair to accept. The directions of each kind are orthonormalized. All of it is
    one linear map of z, which becomes part of W and b; no row of training is used. The authors ask a language
    model for the pairs; here they are the user's.

    Parameters
    ----------
    head : Head
        Projection and class embeddings of the store.
    concepts : Concepts
        Embedded concept words.
    random_state : int
        Unused.
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
        # In double precision the third difference of three values adds no direction to the other two.
        reject = [
            first - second
            for found in concepts.values.values()
            for first, second in value_pairs(found.astype(np.float64))
        ]
        accepted = concepts.accept.astype(np.float64)
        change = reject_accept_map(
            torch.from_numpy(np.stack(reject)), torch.from_numpy(accepted[:, 0] - accepted[:, 1])
        )
        projection = problem.start.projection
        last = {name: projection.tensors().get(name) for name in ("weight", "bias")}
        mapped = {name: (t.double() @ change).float() for name, t in last.items() if t is not None}
        return Model.of_state(problem, State(projection.with_tensors(mapped), problem.start.log_scale))
