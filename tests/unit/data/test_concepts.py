import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evenhand import EvenhandError
from evenhand.data.concepts import ConceptWords, parse_concept_words, read_concept_words, value_pairs

BACKGROUND = {"background": ["a water background", "a land background"]}


def test_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "words.yaml"
    path.write_text(
        "spurious:\n  background: [a water background, a land background]\n  light: [daylight, night, dusk]\n"
        "accept:\n  - [a bird with webbed feet, a bird with claws]\n"
        "pair_template: a {c} in front of {v}\n"
    )
    assert read_concept_words(path) == ConceptWords(
        {"background": ("a water background", "a land background"), "light": ("daylight", "night", "dusk")},
        (("a bird with webbed feet", "a bird with claws"),),
        pair_template="a {c} in front of {v}",
    )


def test_prompts_are_filled_in() -> None:
    words = parse_concept_words({"spurious": BACKGROUND})
    assert words.of_value("a sea") == "a photo of a sea."
    assert words.of_pair("land_bird", "a sea") == "a photo of a land bird with a sea."
    assert words.of_pair("{x}", "a {c}") == "a photo of a {x} with a {c}."


def test_pairs_are_of_different_values() -> None:
    embeddings = np.arange(12.0).reshape(2, 3, 2)
    pairs = [(first.tolist(), second.tolist()) for first, second in value_pairs(embeddings)]
    assert pairs == [
        ([[0, 1], [6, 7]], [[2, 3], [8, 9]]),
        ([[0, 1], [6, 7]], [[4, 5], [10, 11]]),
        ([[2, 3], [8, 9]], [[4, 5], [10, 11]]),
    ]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, r"the mapping has no mapping 'spurious'; write spurious: \{background: \[a water"),
        ({"spurious": ["water"]}, "the mapping has no mapping 'spurious'"),
        (
            {"spurious": BACKGROUND, "acept": []},
            "the mapping has the key 'acept'; the allowed keys are spurious, accept",
        ),
        ({"spurious": {}}, "'spurious' of the mapping is empty; name at least one attribute"),
        (
            {"spurious": {"light": "day"}},
            "spurious attribute 'light' of the mapping is 'day'; give a list of",
        ),
        ({"spurious": {"light": ["day"]}}, r"spurious attribute 'light' of the mapping is \['day'\]; give a"),
        (
            {"spurious": {"light": ["day", True]}},
            "spurious attribute 'light' of the mapping holds True, which is not text; quote",
        ),
        (
            {"spurious": {"light": ["day", " "]}},
            "spurious attribute 'light' of the mapping holds ' ', which is not text",
        ),
        (
            {"spurious": {"light": ["day", "day"]}},
            "spurious attribute 'light' of the mapping holds a value twice; give different",
        ),
        (
            {"spurious": BACKGROUND, "accept": "a, b"},
            "'accept' of the mapping is 'a, b'; give a list of pairs",
        ),
        (
            {"spurious": BACKGROUND, "accept": ["ab"]},
            "a pair of 'accept' of the mapping is 'ab'; give a list",
        ),
        (
            {"spurious": BACKGROUND, "accept": [["a", "b", "c"]]},
            "a pair of 'accept' of the mapping has 3 texts; give two",
        ),
        (
            {"spurious": BACKGROUND, "value_template": "a photo"},
            r"value_template of the mapping is 'a photo', without \{v\}; write one",
        ),
        (
            {"spurious": BACKGROUND, "pair_template": "{v}"},
            r"pair_template of the mapping is '\{v\}', without \{c\}; write one",
        ),
    ],
)
def test_what_is_no_concept_word_is_refused(content: Any, sentence: str) -> None:
    with pytest.raises(EvenhandError, match=f"^concept words: {sentence}"):
        parse_concept_words(content)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EvenhandError, match=r"^concept words: .*words.yaml cannot be read \("):
        read_concept_words(tmp_path / "words.yaml")
    (tmp_path / "words.yaml").write_text("spurious: {a: [b\n")
    with pytest.raises(EvenhandError, match=r"^concept words: .*words.yaml is not YAML \(.*\)$"):
        read_concept_words(tmp_path / "words.yaml")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("spurious: {a: [!!bool abc, b]}", "is not YAML"),
        ("spurious: {a: [!!timestamp abc, b]}", "is not YAML"),
        ("spurious: {a: [!!int abc, b]}", "is not YAML"),
        ("? [a]\n: b", "is not YAML"),
        ('spurious: {a: ["\\ud800", b]}', "which is not text"),
        ('spurious: {"\\udfff": [a, b]}', "has the attribute .* which is not text"),
        ('spurious: {a: [b, c]}\nvalue_template: "{v} \\ud800"', "value_template of .* is"),
    ],
)
def test_odd_yaml_is_one_sentence(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "words.yaml").write_text(text)
    with pytest.raises(EvenhandError, match=reason):
        read_concept_words(tmp_path / "words.yaml")


def test_a_pipe_of_words_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "words.yaml")
    with pytest.raises(EvenhandError, match="not a regular file"):
        read_concept_words(tmp_path / "words.yaml")
