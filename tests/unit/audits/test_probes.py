import numpy as np
import pytest
import torch

from evenhand._typing import Floats
from evenhand.audits.probes import BinaryAttribute, EmbeddedModel, known_attributes, probe, word_attributes
from evenhand.backbones.projection import LinearProjection
from evenhand.methods._training.model import Model


def embedded(name: str, z: Floats, prototypes: Floats) -> EmbeddedModel:
    projection = LinearProjection(torch.eye(z.shape[1]))
    return EmbeddedModel(
        name, Model(projection, np.ascontiguousarray(prototypes), np.zeros(2, np.float32), 1.0), z
    )


def sides(n: int = 400, seed: int = 0) -> tuple[list[EmbeddedModel], np.ndarray, np.ndarray]:
    """A model that leans on an attribute and one that does not, on the same embeddings."""
    generator = np.random.default_rng(seed)
    y, has = np.arange(n) % 2, np.arange(n) // 2 % 2
    z = 0.4 * generator.normal(size=(n, 5))
    z[:, 0] += 2 * y - 1
    z[:, 1] += 2 * has - 1
    z = (z / np.linalg.norm(z, axis=1, keepdims=True)).astype(np.float32)
    leans = np.array([[-1, -1.5, 0, 0, 0], [1, 1.5, 0, 0, 0]], dtype=np.float32)
    fair = leans * np.array([1, 0, 1, 1, 1], dtype=np.float32)
    return [embedded("erm", z, leans), embedded("cfr", z, fair)], y, has


def test_a_shortcut_flips_predictions_and_an_ignored_attribute_does_not() -> None:
    models, y, has = sides()
    found = probe(BinaryAttribute("place", "sea", True, has), models, y, np.arange(400) < 200, 0)
    assert found is not None
    erm, cfr = found.sides
    assert (erm.flipped.value or 0) > 0.6
    assert (cfr.flipped.value or 0) < 0.1
    assert erm.margin_change > 3 * cfr.margin_change
    assert erm.flipped.n == 200
    assert (erm.readable.value or 0) > 0.95
    assert "place sea" in found.sentence


def test_an_attribute_that_goes_with_the_class_alone_is_not_read() -> None:
    """Nine in ten rows agree with the class; nothing else tells the attribute."""
    generator = np.random.default_rng(1)
    models, y, _ = sides(600)
    has = np.where(generator.random(600) < 0.9, y, 1 - y)
    rest = [0, 2, 3, 4]
    blind = [embedded("erm", models[0].z[:, rest], models[0].model.prototypes[:, rest])]
    found = probe(BinaryAttribute("place", "sea", True, has), blind, y, np.arange(600) < 300, 0)
    assert found is not None
    readable = found.sides[0].readable
    assert readable.low is not None
    assert readable.high is not None
    assert readable.low <= 0.5 <= readable.high


def test_unknown_rows_and_thin_classes_are_left_out() -> None:
    models, y, has = sides()
    has = np.where(np.arange(400) < 100, -1, has)
    found = probe(BinaryAttribute("place", "sea", True, has), models, y, np.arange(400) % 8 < 4, 0)
    assert found is not None
    assert found.n == 300
    assert probe(BinaryAttribute("place", "sea", True, y), models, y, np.arange(400) < 200, 0) is None


def test_of_two_values_one_is_probed_and_of_many_the_commonest() -> None:
    columns = {
        "place": np.array(["sea", "wood", "", "sea"]),
        "one": np.array(["a", "a", "a", ""]),
        "many": np.array([f"v{k % 12}" for k in range(40)]),
    }
    found = list(known_attributes({"place": columns["place"]}))
    assert [(one.value, one.has.tolist()) for one in found] == [("sea", [1, 0, -1, 1])]
    assert list(known_attributes({"one": columns["one"]})) == []
    assert len(list(known_attributes({"many": columns["many"]}))) == 8


def test_a_words_attribute_is_the_outer_thirds_within_each_class() -> None:
    z, y = np.arange(12, dtype=np.float32)[:, None], np.arange(12) // 6
    (found,) = word_attributes(z, y, ["sea"], np.ones((1, 1), dtype=np.float32))
    assert found.has.tolist() == [0, 0, -1, -1, 1, 1] * 2
    assert not found.known


@pytest.mark.parametrize("n", [4, 10])
def test_few_rows_are_not_probed(n: int) -> None:
    models, y, has = sides(n)
    assert probe(BinaryAttribute("place", "sea", True, has), models, y, np.arange(n) % 2 == 0, 0) is None
