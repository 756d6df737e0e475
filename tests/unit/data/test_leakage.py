"""Copies in two splits or under two labels are told, listed, and kept together."""

import csv

import numpy as np

from evenhand.data.leakage import leakage, write_copies


def text(letters: str) -> np.ndarray:
    return np.array(letters.split())


def test_counts_and_names_a_pair():
    told = leakage([[0, 2, 3]], text("v w x y"), text("train train test train"), text("a a a a"), drawn=False)
    assert told == [
        "leakage: 3 images have the same content as an image in another split, "
        "for example v (train) and x (test)"
    ]


def test_copies_within_a_split_do_not_leak():
    assert leakage([[0, 1]], text("v w"), text("train train"), text("a a"), drawn=False) == []


def test_one_content_under_two_labels_is_a_conflict_and_no_leak():
    told = leakage([[0, 1]], text("v w"), text("train test"), text("a b"), drawn=False)
    assert told == [
        "label conflict: 2 images have the same content as an image with another label, "
        "for example v (a) and w (b)"
    ]


def test_copies_that_were_drawn_together_are_said():
    told = leakage([[0, 1]], text("v w"), text("test test"), text("a a"), drawn=True)
    assert told == ["2 images are copies of others: copies are kept in one split"]


def test_every_copy_is_listed_with_its_kind(tmp_path):
    sets = [[0, 1, 2], [3, 4]]
    split, labels = text("train train test train test"), text("a a a b c")
    write_copies(tmp_path / "copies.csv", sets, [[0, 1]], text("p q r s t"), split, labels)
    with (tmp_path / "copies.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["kind"], row["id"], row["copy_id"], row["content"]) for row in rows] == [
        ("copy", "p", "q", "the same"),
        ("leakage", "p", "r", "nearly the same"),
        ("label conflict", "s", "t", "nearly the same"),
    ]
