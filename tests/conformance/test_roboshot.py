"""RoboShot against its steps, row by row, in every kind of projection."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from evenhand import EvenhandError, Head
from evenhand.backbones.projection import head_projection
from evenhand.data.concepts import Concepts, ConceptWords
from evenhand.methods.roboshot import RoboShot

WIDTH, OUT = 8, 7
GENERATOR = np.random.default_rng(0)


def draw(*shape: int) -> np.ndarray:
    return GENERATOR.normal(size=shape).astype(np.float32)


def unit(*shape: int) -> np.ndarray:
    rows = draw(*shape, OUT)
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


PLAIN = Head(draw(WIDTH, OUT), None, ("a", "b"), unit(2), 20.0)
BIASED = replace(PLAIN, bias=draw(OUT))
POOLED = Head(
    draw(6, OUT),
    draw(OUT),
    ("a", "b"),
    unit(2),
    pool={
        "positional_embedding": draw(3, 4),
        **{f"{name}_weight": draw(4, 3, 2) for name in ("query", "key", "value")},
        **{f"{name}_bias": draw(3, 2) for name in ("query", "value")},
    },
)
CONCEPTS = Concepts(
    ConceptWords({"place": ("sea", "wood", "town"), "light": ("day", "night")}),
    ("a", "b"),
    {"place": unit(3), "light": unit(2)},
    {"place": unit(2, 3), "light": unit(2, 2)},
    unit(2, 2),
)
X, Y = draw(20, WIDTH), np.array(["a", "b"] * 10)


def orthonormal(vectors: list[np.ndarray]) -> list[np.ndarray]:
    """Gram–Schmidt; a vector that adds no direction is left out."""
    found: list[np.ndarray] = []
    for vector in vectors:
        rest = vector - sum(((vector @ other) * other for other in found), np.zeros(OUT))
        if np.linalg.norm(rest) > 1e-5:
            found.append(rest / np.linalg.norm(rest))
    return found


def shot(z: np.ndarray, concepts: Concepts) -> np.ndarray:
    """Reject, then accept, direction by direction, renormalised each time."""
    reject = [
        found[i].astype(np.float64) - found[j]
        for found in concepts.values.values()
        for i in range(len(found))
        for j in range(i + 1, len(found))
    ]
    accept = [pair[0].astype(np.float64) - pair[1] for pair in concepts.accept]
    out = z.astype(np.float64)
    for sign, directions in ((-1, orthonormal(reject)), (1, orthonormal(accept))):
        for direction in directions:
            out = out + sign * np.outer(out @ direction, direction)
            out /= np.linalg.norm(out, axis=1, keepdims=True)
    return out


@pytest.mark.parametrize("head", [PLAIN, BIASED, POOLED], ids=["plain", "bias", "attention pool"])
@pytest.mark.parametrize("accepted", [2, 0])
def test_embeddings_are_those_of_the_steps(head: Head, accepted: int) -> None:
    concepts = replace(CONCEPTS, accept=CONCEPTS.accept[:accepted])
    method = RoboShot(head, concepts).fit(X, Y)
    z = head_projection(head).embed(torch.from_numpy(X)).numpy()
    expected = shot(z, concepts)
    assert np.allclose(method.transform(X), expected, atol=1e-4)
    assert np.array_equal(method.predict(X) == "b", (expected @ head.text.T).argmax(axis=1) == 1)
    assert np.array_equal(method.model_.prototypes, head.text)


def test_the_directions_of_a_value_pair_are_gone() -> None:
    method = RoboShot(BIASED, replace(CONCEPTS, accept=CONCEPTS.accept[:0])).fit(X, Y)
    place, light = CONCEPTS.values["place"], CONCEPTS.values["light"]
    directions = np.stack(
        [place[0] - place[1], place[1] - place[2], place[0] - place[2], light[0] - light[1]]
    )
    assert np.allclose(method.transform(X) @ directions.T, 0, atol=1e-5)
    assert np.linalg.matrix_rank(method.transform(X), tol=1e-4) == OUT - 3


def test_training_rows_do_not_enter() -> None:
    first, second = (RoboShot(PLAIN, CONCEPTS).fit(rows, Y) for rows in (X, draw(20, WIDTH)))
    assert np.allclose(first.transform(X), second.transform(X), atol=1e-5)


@pytest.mark.parametrize(
    ("head", "concepts", "sentence"),
    [
        (None, CONCEPTS, "head: roboshot needs text prototypes but there are none"),
        (PLAIN, None, "concepts: roboshot needs concept words but got none; give what embed_concepts"),
    ],
)
def test_what_is_missing_is_refused(head: Head | None, concepts: Concepts | None, sentence: str) -> None:
    with pytest.raises(EvenhandError, match=f"^{sentence}"):
        RoboShot(head, concepts).fit(X, Y)
