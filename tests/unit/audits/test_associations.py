"""What goes with the label, on rows whose shortcut is known."""

import dataclasses

import numpy as np
import pytest

from evenhand import FeatureTable, Head
from evenhand.audits import associations
from evenhand.audits.associations import Associations, find_associations, word_associations
from evenhand.audits.text_tower import TextTower
from evenhand.audits.vocabulary import Vocabulary
from evenhand.runs.models import zero_shot_model

WORDS = ("water", "wood", "moss", "rock")


def made(correlation: float, n: int = 600, seed: int = 0) -> FeatureTable:
    """Return rows whose class is along axis 0 and whose place, water or wood, along axes 1 and 2."""
    generator = np.random.default_rng(seed)
    y = np.arange(n) % 2
    place = np.where(generator.random(n) < correlation, y, 1 - y)
    X = generator.normal(size=(n, 12)).astype(np.float32)
    X[:, 0] += 3 * (2 * y - 1)
    X[np.arange(n), 1 + place] += 3
    text = np.zeros((2, 12), dtype=np.float32)
    text[:, 0] = [-1, 1]
    split = np.where(np.arange(n) < 20, "test", "train")
    return FeatureTable.from_arrays(
        X, np.array(["gull", "jay"])[y], split=split, head=Head.from_text(text, ["gull", "jay"])
    )


def associated(table: FeatureTable, words: TextTower | None, why: str, *, seed: int) -> Associations:
    return find_associations(table, zero_shot_model(table), words, why, seed=seed)


def tower(words: tuple[str, ...] = WORDS) -> TextTower:
    embedded = np.eye(12, dtype=np.float32)[1 : 1 + len(words)]
    return TextTower(Vocabulary(words, "four words"), embedded, None)  # type: ignore[arg-type]


@pytest.mark.parametrize("correlation", [0.95, 1.0])
def test_the_place_goes_with_the_label_with_and_without_counterexamples(correlation: float) -> None:
    found = associated(made(correlation), tower(), "", seed=0)
    assert found.n == 580
    assert found.sure_words() == {"gull": ["water"], "jay": ["wood"]}
    assert found.sentence == (
        "beyond the class names, these words go with the label: gull: *water*; jay: *wood*"
    )
    assert all(one.goes_with_label == (one.low > 0.5) and one.low < one.difference for one in found.words)


def test_no_word_goes_with_a_label_without_a_shortcut() -> None:
    """No alarm in 40 sets: the rate is under 1 in 20."""
    found = [associated(made(0.5, seed=seed), tower(), "", seed=0) for seed in range(40)]
    assert not any(one.sure_words() for one in found)
    assert found[0].sentence == "no word goes with the label beyond the class names"


def test_half_a_standard_deviation_is_the_bound_and_one_in_twenty_the_rate() -> None:
    generator = np.random.default_rng(0)
    y = np.arange(400) % 2
    alarms = 0
    for _ in range(300):
        z = generator.normal(size=(400, 3)) + 0.5 * (y == 0)[:, None]
        words = word_associations(z, y, ("a", "b"), "xyz", np.eye(3))
        alarms += any(one.goes_with_label for one in words)
    assert 0 < alarms <= 15


def test_rows_that_contradict_are_those_of_the_other_place() -> None:
    table = made(0.95)
    read = associated(table, tower(), "", seed=0).legibility
    assert read is not None
    place = np.concatenate(table.parts)[:, 2] > np.concatenate(table.parts)[:, 1]
    minority = np.flatnonzero(place != table.y)
    assert read.contradicting >= len(read.contradicting_rows) > 0
    assert np.isin(read.contradicting_rows[:10], minority).all()
    assert (table.split[list(read.contradicting_rows)] == "train").all()
    others = [
        "jay" if label == "gull" else "gull" for label in table.labels(np.array(read.contradicting_rows))
    ]
    assert list(read.taken_for) == others
    assert (read.without_names.value or 0) > 0.8
    flat = associated(made(0.5), tower(), "", seed=0).legibility
    assert flat is not None
    assert flat.without_names.low is not None
    assert flat.without_names.low < 0.55


def test_at_most_five_words_and_contradictions_that_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    words = tuple(f"w{k}" for k in range(11))
    monkeypatch.setattr(associations, "SHOWN", 3)
    found = associated(made(0.9), tower(words), "", seed=0)
    for label in ("gull", "jay"):
        own = [one.difference for one in found.words if one.label == label]
        assert 0 < len(own) <= 5
        assert own == sorted(own, reverse=True)
    assert found.legibility is not None
    assert len(found.legibility.contradicting_rows) == 3 < found.legibility.contradicting


def test_of_many_rows_a_seeded_sample_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(associations, "ROWS", 100)
    first, again, other = (associated(made(0.95), tower(), "", seed=seed) for seed in (0, 0, 1))
    assert first.n == 100
    assert first == again != other


def test_words_that_do_not_fit_the_model_say_nothing() -> None:
    table = made(0.95)
    text = np.zeros((2, 12), dtype=np.float32)
    text[:, 11] = [-1, 1]  # class names that have nothing to do with the images
    odd = dataclasses.replace(table, head=Head.from_text(text, table.classes))
    found = associated(odd, tower(), "", seed=0)
    assert found.words
    assert found.sure_words() == {}
    assert found.no_words is not None
    assert found.sentence == f"words do not show what goes with the label: {found.no_words}"
    assert found.unfit == found.no_words  # and no slice gets words either


def test_a_tower_without_words_says_why() -> None:
    found = associated(made(0.95), tower(()), "it knows no words", seed=0)
    assert (found.words, found.no_words, found.unfit) == ((), "it knows no words", "")


def test_without_a_tower_the_label_is_read_all_the_same() -> None:
    found = associated(made(0.95), None, "no tower", seed=0)
    assert (found.words, found.no_words) == ((), "no tower")
    assert found.legibility is not None


def test_without_class_names_in_text_there_is_nothing_to_take_out() -> None:
    table = made(0.95)
    bare = dataclasses.replace(table, head=dataclasses.replace(table.head, text=None))
    found = associated(bare, None, "no tower", seed=0)
    assert (found.words, found.legibility, found.no_words) == ((), None, "no tower")


def test_names_that_span_the_space() -> None:
    generator = np.random.default_rng(0)
    names = [f"c{k}" for k in range(8)]
    table = FeatureTable.from_arrays(
        generator.normal(size=(80, 12)),
        np.array(names)[np.arange(80) % 8],
        head=Head.from_text(generator.normal(size=(8, 12)).astype(np.float32), names),
    )
    found = associated(table, tower(), "", seed=0)
    assert found.no_words == "the class names span too much of the embedding space to remove their directions"
    assert found.words == ()


def test_classes_of_a_row_or_none() -> None:
    z, y = np.random.default_rng(0).normal(size=(5, 3)), np.array([0, 0, 0, 0, 2])
    assert {one.label for one in word_associations(z, y, ("a", "b", "c"), "xyz", np.eye(3))} <= {"a", "c"}
    assert word_associations(z[:4], y[:4], ("a", "b", "c"), "xyz", np.eye(3)) == ()
    assert word_associations(z, y, ("a", "b", "c"), (), np.zeros((0, 3))) == ()


def test_too_few_rows() -> None:
    table = made(0.95, n=22)
    found = associated(table, tower(), "", seed=0)
    assert found.no_words == "there are too few training rows"
