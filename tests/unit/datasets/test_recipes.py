"""Coloured MNIST, dominoes and composites: what their recipes promise, on fixtures of the archives."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from evenhand import EvenhandError, Manifest
from evenhand.datasets.coloured_mnist import ColouredMnist
from evenhand.datasets.composites import OBJECT, SIDE, Composites
from evenhand.datasets.dominoes import Dominoes

ANY = {"expected": None}


def groups(found: Manifest, split: str) -> Counter[tuple[str, str]]:
    rows = found.split == split
    (values,) = found.attributes.values()
    labels = np.asarray(found.classes)[found.y]
    return Counter(zip(labels[rows].tolist(), values[rows].tolist(), strict=True))


def pixels(path: object) -> Any:
    return np.asarray(Image.open(str(path))).astype(int)


def files(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(folder.rglob("*.*"))}


def test_composites_are_correlated_in_training_and_balanced_in_the_test_split(cifar: Path) -> None:
    found = Composites(train=40, test=20, correlation=0.9, **ANY).load(cifar, cifar / "made")
    assert groups(found, "train") == {
        ("automobile", "horse"): 18,
        ("automobile", "ship"): 2,
        ("truck", "ship"): 18,
        ("truck", "horse"): 2,
    }
    assert set(groups(found, "test").values()) == {5}
    assert list(found.attributes) == ["background"]


def test_a_composite_is_an_object_on_a_background(cifar: Path) -> None:
    """In the fixture picture k of a batch has the grey k of its own, and k mod 10 is its class."""
    found = Composites(train=12, test=8, **ANY).load(cifar, cifar / "made")
    codes = {"automobile": 1, "truck": 9, "horse": 7, "ship": 8}
    for row in np.flatnonzero(found.split == "test"):
        picture = pixels(found.paths[row])
        assert picture.shape == (SIDE, SIDE, 3)
        greys, counts = np.unique(picture[..., 0] % 200, return_counts=True)
        assert sorted(counts.tolist()) == sorted([OBJECT**2, SIDE**2 - OBJECT**2])
        front, back = greys[counts == OBJECT**2][0], greys[counts != OBJECT**2][0]
        assert front % 10 == codes[found.classes[found.y[row]]]
        assert back % 10 == codes[str(found.attributes["background"][row])]


def test_noise_moves_training_labels_only(cifar: Path) -> None:
    clean, noisy = (
        Composites(train=40, test=20, correlation=1.0, noise=noise, **ANY).load(
            cifar, cifar / f"made-{noise}"
        )
        for noise in (0.0, 0.1)
    )
    assert sum(clean.y != noisy.y) == 4
    assert (clean.y == noisy.y)[clean.split == "test"].all()
    assert (clean.attributes["background"] == noisy.attributes["background"]).all()


def test_imbalance_is_the_ratio_of_the_first_class_to_each_other(cifar: Path) -> None:
    task = Composites("deer,dog,horse", "frog,cat,automobile", imbalance=8, train=60, test=18, **ANY)
    found = task.load(cifar, cifar / "made")
    assert found.classes == ("deer", "dog", "horse")
    assert np.bincount(found.y[found.split == "train"]).tolist() == [48, 6, 6]
    assert set(groups(found, "test").values()) == {2}


def test_dominoes_stack_a_digit_on_a_vehicle(cifar: Path, mnist: Path) -> None:
    found = Dominoes(train=40, test=8, **ANY).load(mnist, mnist / "made")
    assert groups(found, "train") == {
        ("automobile", "zero"): 19,
        ("automobile", "one"): 1,
        ("truck", "one"): 19,
        ("truck", "zero"): 1,
    }
    for row in range(len(found)):
        picture = pixels(found.paths[row])
        assert picture.shape == (64, 64, 3)
        assert picture[15, 32, 0] == {"zero": 20, "one": 40}[str(found.attributes["digit"][row])]
        assert (picture[40, 32, 0] % 200) % 10 == {"automobile": 1, "truck": 9}[found.classes[found.y[row]]]
        assert not picture[:, :16].any()


def test_coloured_digits_keep_their_shape_and_get_a_colour(mnist: Path) -> None:
    found = ColouredMnist(correlation=1.0, noise=0.0, **ANY).load(mnist, mnist / "made")
    assert (found.split == "train").sum() == 60
    assert set(groups(found, "train")) == {("digit below five", "red"), ("digit of five or more", "green")}
    assert len(groups(found, "test")) == 4
    for row in range(len(found)):
        picture = pixels(found.paths[row])
        channel = ["red", "green"].index(str(found.attributes["colour"][row]))
        assert not picture[..., 1 - channel].any()
        assert not picture[..., 2].any()
        digit = (picture[14, 14, channel] - 20) // 20
        assert found.classes[found.y[row]] == ("digit of five or more" if digit >= 5 else "digit below five")
    assert set(ColouredMnist().prompts()) == set(found.classes)


def test_noise_of_coloured_mnist_flips_labels_in_both_splits(mnist: Path) -> None:
    clean, flipped = (
        ColouredMnist(noise=noise, **ANY).load(mnist, mnist / f"made-{noise}") for noise in (0.0, 1.0)
    )
    assert (clean.y != flipped.y).all()


@pytest.mark.parametrize("cls", [ColouredMnist, Dominoes, Composites])
def test_same_recipe_same_bytes_and_no_second_writing(cls: Any, cifar: Path, mnist: Path) -> None:
    small = {} if cls is ColouredMnist else {"train": 12, "test": 8}
    first, second, other = (
        files(Path(cls(seed=seed, **small, **ANY).load(mnist, mnist / name).root))
        for name, seed in (("a", 0), ("b", 0), ("c", 1))
    )
    assert first == second
    assert first != other
    assert cls(**small, **ANY).load(None, mnist / "a").root.endswith("a")  # the archive is not needed again


@pytest.mark.parametrize(
    ("cls", "sentence"),
    [
        (ColouredMnist, "MNIST: train has 60 rows, MNIST has 60,000"),
        (Composites, "CIFAR-10: train has 200 rows, CIFAR-10 has 50,000"),
        (Dominoes, "MNIST train has 60 rows, .* has 60,000"),
    ],
)
def test_official_sizes_are_expected(cls: Any, sentence: str, cifar: Path, mnist: Path) -> None:
    with pytest.raises(EvenhandError, match=sentence):
        cls().load(mnist, mnist / "made")
    assert not (mnist / "made/recipe.json").exists()


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"classes": "car,truck"}, "'car' is not a class of CIFAR-10; it has airplane, automobile"),
        ({"classes": "deer"}, "classes are deer and backgrounds horse, ship; give two or more of each"),
        ({"classes": "deer,horse"}, "and none twice"),
        ({"test": 3}, "test is 3; give at least 4, an image for each group"),
    ],
)
def test_recipes_that_cannot_be_drawn_are_refused(cifar: Path, params: Any, sentence: str) -> None:
    with pytest.raises(EvenhandError, match=f"CIFAR composites: .*{sentence}"):
        Composites(**params, **ANY).load(cifar, cifar / "made")
