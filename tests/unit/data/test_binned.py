"""Numbers and dates are cut at quartiles; rare words count as one."""

import numpy as np
import pytest

from evenhand.data.binned import OTHERS, coded, quartiles

DAYS = np.datetime64("2021-01-01") + np.arange(40)


@pytest.mark.parametrize("sign", ["-", ":", "/"])
def test_dates_are_cut_at_their_quartiles(sign: str) -> None:
    values = np.array([str(day).replace("-", sign) for day in DAYS] + [""])
    cut = quartiles(values)
    assert cut[-1] == ""
    names, counts = np.unique(cut[:-1], return_counts=True)
    assert names.tolist() == [
        "2021-01-01 to 2021-01-10",
        "2021-01-10 to 2021-01-20",
        "2021-01-20 to 2021-01-30",
        "2021-01-30 to 2021-02-09",
    ]
    assert counts.tolist() == [10, 10, 10, 10]


@pytest.mark.parametrize(
    "form", ["2021:05:03 10:{:02d}:00", "2021-05-03T10:{:02d}", "2021-05-03 10:{:02d}+02:00"]
)
def test_times_of_one_day_are_cut_too(form: str) -> None:
    cut = quartiles(np.array([form.format(k) for k in range(40)]))
    assert sorted(set(cut.tolist()))[0] == "2021-05-03T10:00 to 2021-05-03T10:09"
    assert len(set(cut.tolist())) == 4


def test_months_are_dates() -> None:
    values = np.array([f"20{10 + k // 12}-{k % 12 + 1:02d}" for k in range(40)])
    assert quartiles(values)[0] == "2010-01-01 to 2010-10-24"


@pytest.mark.parametrize("odd", ["2021-13-01", "yesterday", "03.05.2021"])
def test_what_is_no_date_stays_a_word(odd: str) -> None:
    values = np.array([*map(str, DAYS), odd])
    assert quartiles(values).tolist() == values.tolist()


def test_few_values_stay() -> None:
    values = np.array([str(day) for day in DAYS[:12]] * 2)
    assert quartiles(values).tolist() == values.tolist()


def test_codes_of_rare_words() -> None:
    values = np.array([f"p{k % 30:02d}" for k in range(600)])
    assert coded(values).max() == 11
    assert (coded(values) == sorted([OTHERS, *[f"p{k:02d}" for k in range(11)]]).index(OTHERS)).sum() == 380
    assert coded(np.array([f"r{k}" for k in range(60)])).max() == 0, "a word a row is one value"
