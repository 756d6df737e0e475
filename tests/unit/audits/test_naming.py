import numpy as np

from evenhand.audits.findings import Slice, Word
from evenhand.audits.naming import beside_classes, name_errors, sentence
from evenhand.evaluation.accuracy import rate


def a_slice(**changes: object) -> Slice:
    return Slice(
        name="jay 1",
        model="erm",
        method="mixture",
        label="jay",
        predicted="gull",
        n=9,
        errors=6,
        error=rate("jay 1", np.arange(9) < 6),
        errors_of={},
        lift=0.5,
        p=0.001,
        p_corrected=0.01,
        beyond_chance=True,
        rows=[],
        wrong=[],
        sentence="",
    ).model_copy(update=changes)


def test_nothing_is_left_along_the_classes() -> None:
    generator = np.random.default_rng(0)
    text = generator.normal(size=(3, 8)).astype(np.float32)
    found = beside_classes(generator.normal(size=(5, 8)).astype(np.float32), text)
    assert np.abs(found @ (text[0] - text[1])).max() < 1e-5
    many = generator.normal(size=(6, 8)).astype(np.float32)
    assert np.array_equal(beside_classes(many, many), many), "nothing would be left"
    assert np.array_equal(beside_classes(many, None), many)


def test_the_word_that_goes_with_the_errors_is_named() -> None:
    generator = np.random.default_rng(0)
    words = np.eye(6, dtype=np.float32)
    z = generator.normal(size=(60, 6)).astype(np.float32)
    errors = np.arange(60) < 15
    z[errors] += 2 * words[4]
    found = name_errors(z, errors, ~errors, list("abcdef"), words, 0)
    assert found[0].word == "e"
    assert [word.beyond_chance for word in found] == [True, False, False, False, False]
    assert found == name_errors(z, errors, ~errors, list("abcdef"), words, 0)


def test_few_errors_and_no_words_name_nothing() -> None:
    z, errors = np.random.default_rng(0).normal(size=(60, 6)), np.arange(60) < 4
    assert name_errors(z, errors, ~errors, ["a"], np.eye(6)[:1], 0) == []
    assert name_errors(z, ~errors, ~errors, [], np.eye(6)[:0], 0) == []


def test_the_sentence() -> None:
    words = [
        Word(word=w, score=1.0, p=p, beyond_chance=p <= 0.05) for w, p in (("forest", 0.01), ("tar", 0.3))
    ]
    assert sentence(a_slice(words=words), named=True) == "jay: errors look like *forest*"
    unnamed = "jay: 6 of 9 wrong here, mostly predicted as gull"
    assert sentence(a_slice(), named=False) == unnamed
    assert sentence(a_slice(words=words[1:]), named=True) == f"{unnamed}; no word fits them beyond chance"
    assert sentence(a_slice(beyond_chance=False), named=True) == "jay: 6 of 9 wrong, which may be chance"
