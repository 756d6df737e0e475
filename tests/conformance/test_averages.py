"""The adjusted average of Waterbirds weighs groups by training, not alike and not by test."""

import numpy as np
import pytest

from evenhand.evaluation.accuracy import evaluate

TRAIN = {"land / land": 3498, "land / water": 184, "water / land": 56, "water / water": 1057}
TEST = {"land / land": 2255, "land / water": 2255, "water / land": 642, "water / water": 642}
RIGHT = {"land / land": 2233, "land / water": 1700, "water / land": 410, "water / water": 620}


def test_the_train_weighted_average_is_the_one_of_waterbirds() -> None:
    groups = np.repeat(list(TEST), list(TEST.values()))
    right = np.concatenate([np.arange(TEST[name]) < RIGHT[name] for name in TEST])
    y = np.array([int(name.startswith("water")) for name in groups])
    train = np.repeat(list(TRAIN), list(TRAIN.values()))
    averages = evaluate(
        right, y, ["land", "water"], groups=groups, group_names=list(TEST), train_groups=train
    ).averages
    rates = {name: RIGHT[name] / TEST[name] for name in TEST}
    adjusted = sum(TRAIN[name] * rates[name] for name in TEST) / 4795
    assert averages.train_weighted == pytest.approx(adjusted)
    assert averages.group_mean == pytest.approx(sum(rates.values()) / 4)
    assert averages.plain == pytest.approx(sum(RIGHT.values()) / 5794)
    assert adjusted - sum(rates.values()) / 4 > 0.1
