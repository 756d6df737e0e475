"""Concept words through the embedded model's text tower."""

import numpy as np

from evenhand.backbones.concepts import embed_concepts
from evenhand.backbones.tiny import load_tiny
from evenhand.data.concepts import ConceptWords


def test_every_prompt_is_embedded_in_its_place() -> None:
    backbone = load_tiny()
    words = ConceptWords(
        {"ground": ("water", "land"), "light": ("day", "night", "dusk")}, (("a beak", "a wing"),)
    )
    found = embed_concepts(words, ["land_bird", "water bird"], backbone)

    def text(prompt: str) -> np.ndarray:
        embedded = backbone.head(["x"], {"x": [prompt]}).text
        assert embedded is not None
        return embedded[0]

    assert found.values["light"].shape == (3, found.width)
    assert found.pairs["light"].shape == (2, 3, found.width)
    assert np.allclose(found.values["ground"][1], text("a photo of land."), atol=1e-6)
    assert np.allclose(found.pairs["ground"][0, 1], text("a photo of a land bird with land."), atol=1e-6)
    assert np.allclose(found.pairs["light"][1, 2], text("a photo of a water bird with dusk."), atol=1e-6)
    assert np.allclose(found.accept[0, 1], text("a photo of a wing."), atol=1e-6)
    assert np.allclose(np.linalg.norm(found.pairs["light"], axis=-1), 1, atol=1e-6)
    assert found.classes == ("land_bird", "water bird")
    assert found.weights == backbone.card()["weights_sha256"]


def test_without_accepted_pairs_their_array_is_empty() -> None:
    found = embed_concepts(ConceptWords({"ground": ("water", "land")}), ["a", "b"], load_tiny())
    assert found.accept.shape == (0, 2, found.values["ground"].shape[1])
