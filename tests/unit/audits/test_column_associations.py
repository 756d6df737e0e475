"""Columns whose part in the label and in the images is known."""

from dataclasses import replace

import numpy as np
import pytest

from evenhand import FeatureTable
from evenhand.audits.column_associations import (
    Column,
    ColumnAssociation,
    _is_finer,
    column_association,
    column_associations,
    usable_columns,
)

N = 800


def arrays(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return labels, a site that goes with the label in 90 % of the rows, and embeddings that show both."""
    generator = np.random.default_rng(seed)
    y = np.arange(N) % 2
    site = np.where(generator.random(N) < 0.9, y, 1 - y)
    z = generator.normal(size=(N, 6))
    z[:, 0] += y
    z[:, 1] += 3 * site
    return y, site, z


def measured(codes: np.ndarray, y: np.ndarray, z: np.ndarray, confidence: float = 0.95) -> ColumnAssociation:
    codes = codes.astype(np.int64)
    return column_association(Column("site", int(codes.max()) + 1, codes, codes), y, z, confidence, 0)


def test_a_site_that_goes_with_the_label_and_shows_in_the_images_confounds() -> None:
    y, site, z = arrays()
    found = measured(site, y, z)
    assert found.verdict == "confounded"
    assert found.association.low < 0.8 < found.association.high
    assert found.readable is not None
    assert found.readable.value > 0.85
    assert found.chance == 0.5
    assert found.sentence.startswith("site: goes with the label, and can be predicted within a class (9")


def test_a_site_that_no_image_shows_is_clean_though_it_goes_with_the_label() -> None:
    y, site, z = arrays()
    found = measured(site, y, np.delete(z, 1, axis=1))
    assert (found.verdict, found.association.low > 0.7) == ("clean", True)
    assert found.sentence == "site: goes with the label, but cannot be predicted within a class"


def test_a_site_that_is_the_label_cannot_be_told_from_it() -> None:
    y, _, z = arrays()
    found = measured(y, y, z)
    assert (found.verdict, found.readable, found.chance, found.fall) == ("confounded", None, None, None)
    assert found.sentence.endswith("too few rows of a class have another value to separate the two")


def test_a_column_whose_images_differ_inflates_the_accuracy_where_it_is_known() -> None:
    """At one site the label shows in another feature: whoever never saw that site cannot read it there."""
    generator = np.random.default_rng(0)
    y, site = np.arange(N) % 2, np.arange(N) // 2 % 4
    z = generator.normal(size=(N, 6))
    z[np.arange(N), site] += 4 * (2 * y - 1)
    found = measured(site, y, z)
    assert found.verdict == "inflated"
    assert found.fall is not None
    assert 0.2 < found.fall.value < 0.6
    assert found.sentence == (
        f"site: accuracy drops by {100 * found.fall.value:.1f} points on held-out values"
    )


def test_a_column_at_random_is_clean() -> None:
    """No alarm in 20 sets: the rate is under 1 in 20 for all columns together."""
    verdicts = []
    for seed in range(20):
        y, _, z = arrays(seed)
        codes = np.random.default_rng(100 + seed).integers(0, 3, N)
        found = measured(codes, y, z)
        verdicts.append(found.verdict)
        assert found.sentence == "site: does not go with the label" or found.verdict != "clean"
    assert verdicts.count("clean") >= 19


def test_intervals_widen_with_the_number_of_columns() -> None:
    y, site, z = arrays()
    one, many = measured(site, y, z), measured(site, y, z, 1 - 0.05 / 10)
    for name in ("association", "readable", "fall"):
        a, b = getattr(one, name), getattr(many, name)
        assert b.low < a.low < a.value == b.value < a.high < b.high


def table_of(**groups: np.ndarray) -> FeatureTable:
    y, _, z = arrays()
    return FeatureTable.from_arrays(z, np.array(["cat", "dog"])[y], groups=groups, split=["train"] * N)


def test_every_column_is_looked_at_and_the_level_is_shared() -> None:
    _, site, z = arrays()
    noise = np.random.default_rng(5).integers(0, 2, N)
    table = table_of(noise=noise.astype(str), site=site.astype(str), one=np.full(N, "x"))
    found = column_associations(table, np.arange(N), z, 0)
    assert [(one.column, one.verdict) for one in found] == [("site", "confounded"), ("noise", "clean")]
    alone = column_associations(table_of(site=site.astype(str)), np.arange(N), z, 0)
    assert alone[0].association.low > found[0].association.low
    assert column_associations(table_of(), np.arange(N), z, 0) == []


def test_unknown_rows_and_values_of_few_rows_are_left_out() -> None:
    values = np.where(np.arange(N) < 9, "a", np.where(np.arange(N) < 400, "b", "c"))
    values[700:] = ""
    (column,) = usable_columns(table_of(site=values), np.arange(N), 0)
    assert column.codes.tolist() == [-1] * 9 + [0] * 391 + [1] * 300 + [-1] * 100
    assert (column.codes is not column.own, str(column), column.values) == (True, "site", 3)


def photographers(follow: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Return one of 80 names for each row; in a share of the rows the name is one of those of a value."""
    generator = np.random.default_rng(seed)
    any_of_them = generator.integers(0, 80, N)
    of_value = any_of_them - any_of_them % 2 + follow
    return np.char.add("p", np.where(generator.random(N) < share, of_value, any_of_them).astype(str))


def test_eighty_photographers_of_whom_each_has_a_background_confound() -> None:
    _, site, z = arrays()
    for seed in range(5):
        names = photographers(site, 0.95, seed)
        (found,) = column_associations(table_of(photographer=names), np.arange(N), z, 0)
        assert (found.verdict, found.values) == ("confounded", 80)
        assert found.sentence.startswith(
            "photographer (80 values; each rare one counts as its most frequent class): goes with the label, "
            "and can be predicted within a class"
        )


def test_eighty_photographers_at_random_or_of_a_class_that_no_image_shows_are_clean() -> None:
    y, site, z = arrays()
    verdicts = [
        column_associations(table_of(photographer=names), np.arange(N), z, 0)[0].verdict
        for seed in range(10)
        for names in (photographers(site, 0.0, seed), photographers(y, 0.8, seed))
    ]
    assert verdicts.count("clean") >= 19


def test_frequent_values_stay_beside_rare_ones() -> None:
    values = np.array([f"v{k % 30:02d}" for k in range(N)])
    values[:100], values[100:200] = "big", "large"
    (column,) = usable_columns(table_of(site=values), np.arange(N), 0)
    for name, code in (("big", 2), ("large", 3)):
        assert (column.codes[values == name] == code).all()
    rest = column.codes[200:]
    assert set(rest.tolist()) == {-1, 0, 1}
    assert 290 < (rest == -1).sum() < 310, "one half tells what is typical"


def test_file_type_and_folder_are_columns_unless_the_folder_is_the_class() -> None:
    table = table_of()
    ends = np.where(np.arange(N) % 3 == 0, "JPG", "png")
    labels = table.labels(np.arange(N))
    classes = [f"/x/{labels[k]}/{k}.{ends[k]}" for k in range(N)]
    of_class = replace(table, paths=np.array(classes))
    assert [column.name for column in usable_columns(of_class, np.arange(N), 0)] == ["file type"]
    sites = [f"/x/s{k % 5}/{k}.jpg" for k in range(N)]
    of_site = replace(table, paths=np.array(sites))
    assert [column.name for column in usable_columns(of_site, np.arange(N), 0)] == ["folder"]


@pytest.mark.parametrize("rare", [3, 30])
def test_a_class_of_one_site_is_left_out_of_reading(rare: int) -> None:
    y, site, z = arrays()
    label = y.copy()
    label[:rare] = 2
    codes = np.where(label == 2, 0, site)
    found = measured(codes, label, z)
    assert found.readable is not None
    assert found.chance == 0.5


def test_a_finer_name_of_the_class_is_said() -> None:
    y, _, z = arrays()
    kind = np.arange(N) // 2 % 2
    z[:, 2] += 3 * kind
    found = measured(2 * y + kind, y, z)
    assert (found.verdict, found.finer) == ("confounded", True)
    assert found.sentence.endswith("every class has its own values, so it may be a finer name of the class")
    assert _is_finer(np.where(np.arange(N) < 80, 4, 2 * y + kind), y), (
        "rare values count as one, of both classes"
    )


def test_forty_species_are_a_finer_name_though_they_count_by_their_class() -> None:
    y, _, z = arrays()
    species = np.char.add("s", (2 * (np.arange(N) // 2 % 20) + y).astype(str))
    (found,) = column_associations(table_of(species=species), np.arange(N), z, 0)
    assert (found.verdict, found.values, found.finer) == ("confounded", 40, True)


def test_shared_values_or_one_value_of_a_class_are_no_finer_name() -> None:
    y, site, z = arrays()
    kind = np.arange(N) // 2 % 2
    z[:, 2] += 3 * kind
    for codes in (y, site, np.where(y == 0, kind, 2)):
        found = measured(codes, y, z)
        assert (found.verdict, found.finer) == ("confounded", False)
    _, clean = np.unique(2 * y + kind, return_inverse=True)
    assert not measured(clean, y, np.random.default_rng(1).normal(size=z.shape)).finer
