import numpy as np
import pytest

from evenhand.audits.vocabulary import common_words
from evenhand.audits.word_fit import PAIRS, pairs_found, why_unfit, why_unknown
from evenhand.evaluation.accuracy import Rate


def names(low: float) -> Rate:
    return Rate(name="by_names", n=100, value=low + 0.05, low=low, high=low + 0.1)


WORDS = tuple(word for pair in PAIRS for word in pair)


def knowing(known: int) -> np.ndarray:
    """Return embeddings in which the first `known` pairs lie together, and the others apart."""
    vectors = np.random.default_rng(0).normal(size=(2 * len(PAIRS), 300)).astype(np.float32)
    vectors[1 : 2 * known : 2] = vectors[0 : 2 * known : 2]
    return vectors + 5  # all words of a model share a part


def test_every_pair_is_in_the_default_vocabulary() -> None:
    assert {word for pair in PAIRS for word in pair} <= set(common_words().words)
    assert common_words().default


@pytest.mark.parametrize(("known", "fits"), [(24, True), (14, True), (6, False), (0, False)])
def test_a_model_that_finds_half_of_the_pairs_knows_the_default_words(known: int, fits: bool) -> None:
    embedded = knowing(known)
    share = pairs_found(embedded, WORDS)
    assert share is not None
    assert share == pytest.approx(known / 24, abs=0.1)
    reason = why_unknown(embedded, WORDS)
    assert (reason == "") == fits
    assert fits or f"only {100 * share:.0f} % of pairs such as boat and ship" in reason


@pytest.mark.parametrize(("low", "n_classes", "fits"), [(0.63, 2, True), (0.62, 2, False), (0.33, 10, True)])
def test_class_names_that_do_not_find_their_images(low: float, n_classes: int, fits: bool) -> None:
    reason = why_unfit(names(low), n_classes)
    assert (reason == "") == fits
    assert fits or reason.startswith("the class names predict only 67 % of their own images (50 % by chance)")


def test_too_few_pairs_tell_nothing() -> None:
    assert pairs_found(np.eye(3, dtype=np.float32), ("boat", "ship", "moss")) is None
    assert why_unknown(np.eye(3, dtype=np.float32), ("boat", "ship", "moss")) == ""
