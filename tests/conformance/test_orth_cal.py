"""Orthogonal calibration against the authors' formula in numpy, and what it refuses."""

from dataclasses import replace

import numpy as np
import pytest

from evenhand import EvenhandError, Head, ZeroShot
from evenhand.data.concepts import Concepts, ConceptWords
from evenhand.methods.orth_cal import OrthCal

WIDTH = 9
GENERATOR = np.random.default_rng(0)


def unit(*shape: int) -> np.ndarray:
    rows = GENERATOR.normal(size=(*shape, WIDTH))
    return (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)


HEAD = Head(np.eye(WIDTH, dtype=np.float32), None, ("a", "b", "c"), unit(3), 20.0)
CONCEPTS = Concepts(
    ConceptWords({"place": ("sea", "wood", "town"), "light": ("day", "night")}),
    HEAD.classes,
    {"place": unit(3), "light": unit(2)},
    {"place": unit(3, 3), "light": unit(3, 2)},
    np.zeros((0, 2, WIDTH), dtype=np.float32),
)
X, Y = unit(30), np.array(["a", "b", "c"] * 10)


@pytest.mark.parametrize("l2", [0.0, 3.0, 1000.0])
def test_prototypes_are_those_of_the_formula(l2: float) -> None:
    columns = np.concatenate([CONCEPTS.values["place"], CONCEPTS.values["light"]]).T.astype(np.float64)
    P0 = np.eye(WIDTH) - columns @ np.linalg.inv(columns.T @ columns) @ columns.T
    terms = []
    for values, pairs in ((3, CONCEPTS.pairs["place"]), (2, CONCEPTS.pairs["light"])):
        for c in range(3):
            for i in range(values):
                for j in range(i + 1, values):
                    difference = pairs[c, i].astype(np.float64) - pairs[c, j]
                    terms.append(np.outer(difference, difference))
    assert len(terms) == 3 * (3 + 1)
    P = P0 @ np.linalg.inv(l2 * np.mean(terms, axis=0) + np.eye(WIDTH))
    expected = np.stack([P @ t for t in HEAD.text.astype(np.float64)])
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    model = OrthCal(HEAD, CONCEPTS, l2).fit(X, Y).model_
    assert np.allclose(model.prototypes, expected, atol=1e-5)
    assert np.allclose(model.prototypes @ columns, 0, atol=1e-5)


def test_the_published_strength_is_the_default() -> None:
    assert OrthCal().l2 == 1000


def test_the_images_and_the_scale_stay_as_they_are() -> None:
    found, plain = OrthCal(HEAD, CONCEPTS).fit(X, Y), ZeroShot(HEAD).fit(X, Y)
    assert np.array_equal(found.transform(X), plain.transform(X))
    assert found.model_.logit_scale == pytest.approx(20)


def test_training_rows_do_not_enter() -> None:
    first = OrthCal(HEAD, CONCEPTS).fit(X, Y).model_
    second = OrthCal(HEAD, CONCEPTS).fit(unit(6), ["a", "b", "c"] * 2).model_
    assert np.array_equal(first.prototypes, second.prototypes)


@pytest.mark.parametrize(
    ("head", "concepts", "sentence"),
    [
        (None, CONCEPTS, r"head: orth_cal needs text prototypes but there are none; use a store that has"),
        (replace(HEAD, text=None), CONCEPTS, r"head: orth_cal needs text prototypes but there are none"),
        (HEAD, None, r"concepts: orth_cal needs concept words but got none; give what embed_concepts"),
        (
            HEAD,
            replace(CONCEPTS, classes=("a", "c")),
            r"concepts: they are for the classes a, c but",
        ),
        (
            HEAD,
            replace(CONCEPTS, accept=np.zeros((0, 2, 4), dtype=np.float32)),
            r"concepts: they have width 4 but the head's text has 9; embed them with the model",
        ),
    ],
)
def test_what_is_missing_or_of_another_model_is_refused(
    head: Head | None, concepts: Concepts | None, sentence: str
) -> None:
    with pytest.raises(EvenhandError, match=f"^{sentence}"):
        OrthCal(head, concepts).fit(X, Y)


def test_a_negative_strength_is_refused() -> None:
    with pytest.raises(EvenhandError, match="l2 must be at least 0, but it is -1; the default is 1000"):
        OrthCal(HEAD, CONCEPTS, -1).fit(X, Y)


def test_words_that_span_a_class_are_refused() -> None:
    spans = replace(CONCEPTS, values={"place": np.concatenate([HEAD.text[:1], unit(1)])})
    with pytest.raises(
        EvenhandError,
        match="concepts: the span of the spurious words contains a whole class embedding",
    ):
        OrthCal(HEAD, spans, 0.0).fit(X, Y)
