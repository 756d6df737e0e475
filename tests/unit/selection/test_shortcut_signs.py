"""What cross-fitted margins say of a hidden minority."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import skew
from tests.made_margins import world

from evenhand import EvenhandError
from evenhand.functional.class_groups import group_legibility
from evenhand.functional.mirror_noise import passing_noise
from evenhand.functional.within_class import residuals
from evenhand.selection.shortcut_limits import Limits
from evenhand.selection.shortcut_signs import CrossFits, find_signs


def test_the_limits_are_those_of_the_measurements():
    assert Limits() == Limits(
        skewness=0.25,
        skewness_without_text=0.8,
        share_without_text=0.75,
        competence=0.7,
        agreement=-0.25,
        legibility=0.95,
        against=2.0,
        clearness=1.65,
    )


def test_a_hidden_minority_is_read():
    signs = find_signs(world(2000, 0))
    assert signs.hidden > 0.99
    assert signs.low.mean() == pytest.approx(0.1, abs=0.02)
    assert signs.rows == pytest.approx(100, rel=0.25)
    assert not signs.uncontradicted


def test_none_is_read_where_the_probe_reads_the_class():
    signs = find_signs(world(2000, 0, minority=0))
    assert signs.hidden < 0.01
    assert not signs.uncontradicted


def test_a_probe_that_is_always_right_is_uncontradicted():
    seen = world(2000, 0, minority=0)
    spread = np.random.default_rng(1).normal(size=2000)
    signs = find_signs(replace(seen, probe=seen.y, probe_margin=2 + 0.1 * spread))
    assert signs.hidden < 0.5
    assert signs.uncontradicted
    assert not find_signs(
        replace(seen, probe=seen.y, probe_margin=2 + 0.1 * spread, has_text=False)
    ).uncontradicted


def test_a_minority_contradicts_the_probe_and_a_tail_does_not():
    signs = find_signs(world(2000, 0))
    assert signs.clear
    assert signs.contradiction > 0.9
    seen = world(2000, 0, minority=0)
    tail = 2 - np.random.default_rng(1).exponential(0.5, size=2000)
    signs = find_signs(replace(seen, probe=seen.y, probe_margin=tail))
    assert signs.hidden > 0.9
    assert not signs.clear


def test_zero_shot_at_chance_vouches_for_nothing():
    seen = world(2000, 0)
    guess = np.random.default_rng(1).integers(2, size=2000)
    signs = find_signs(replace(seen, zero_shot=guess))
    assert not signs.competent
    assert signs.hidden == 0
    wrong = find_signs(replace(seen, zero_shot=1 - seen.y))
    assert (wrong.hidden, wrong.competence) == (0, 0)
    both = find_signs(replace(seen, zero_shot=1 - seen.y, erm=1 - seen.y))
    assert (both.competent, both.competence) == (False, 0)
    alone = find_signs(replace(seen, zero_shot=seen.y, erm=1 - seen.y))
    assert (alone.competent, alone.competence) == (True, 1)


def test_suspects_do_not_skew_the_reading():
    seen = world(1000, 0, noise=0.05)
    trusted = ~seen.suspects
    assert not trusted.all()
    r = residuals(seen.probe_margin, seen.reference_margin, seen.y, trusted)
    skewness = [skew(r[trusted & (seen.y == code)]) for code in (0, 1)]
    assert find_signs(seen).skewness == pytest.approx(-np.mean(skewness))


def test_groups_of_classes_are_read_off_rows_by_their_trust():
    seen = world(1000, 0, classes=4, noise=0.1)
    signs = find_signs(seen)
    alike = group_legibility(seen.probe, seen.y, np.ones(1000))
    assert signs.group_legibility == pytest.approx(group_legibility(seen.probe, seen.y, signs.trust))
    assert signs.group_legibility > alike + 0.01


def test_zero_shot_that_does_not_know_the_classes_speaks_against_no_label():
    seen = world(2000, 0, noise=0.15)
    assert find_signs(seen).noise > 0.05
    guessing = replace(seen, zero_shot=np.where(np.arange(2000) % 2 == 0, seen.zero_shot, 1 - seen.zero_shot))
    signs = find_signs(guessing)
    assert not signs.competent
    assert (signs.noise, signs.trust.min()) == (0, 1)


def test_without_text_competence_is_not_asked():
    assert find_signs(replace(world(2000, 0), zero_shot=1 - world(2000, 0).y, has_text=False)).competent


@pytest.mark.parametrize("n", [100, 400, 2000, 10_000])
def test_found_and_not_found_at_their_rates(n):
    found = [find_signs(world(n, seed)).hidden >= 0.9 for seed in range(20)]
    wrong = [find_signs(world(n, seed, minority=0)).hidden >= 0.9 for seed in range(20)]
    assert np.mean(found) >= 0.95
    assert np.mean(wrong) <= 0.05


@pytest.mark.parametrize("classes", [3, 20])
def test_many_classes(classes):
    assert find_signs(world(4000, 0, classes=classes)).hidden > 0.9
    assert find_signs(world(4000, 0, minority=0, classes=classes)).hidden < 0.1


def test_wrong_labels_are_no_minority():
    signs = find_signs(world(4000, 0, minority=0, noise=0.2))
    assert signs.noise == pytest.approx(0.2, abs=0.03)
    assert signs.hidden < 0.1


@pytest.mark.parametrize("classes", [2, 5, 20])
@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_wrong_labels_are_no_counterexamples(noise: float, classes: int):
    signs = find_signs(world(4000, 0, minority=None, classes=classes, noise=noise))
    assert signs.noise == pytest.approx(noise, abs=0.04)
    assert signs.uncontradicted


def test_one_and_two_rows_of_a_class_against_the_probe():
    def signs(rows: int, **limits: float):
        seen = world(600, 0, minority=None)
        lone = np.flatnonzero(seen.y == 0)[: 2 * rows]
        probe, margin = seen.probe.copy(), seen.probe_margin.copy()
        probe[lone], margin[lone] = 1, -8
        return find_signs(replace(seen, probe=probe, probe_margin=margin), Limits(**limits))

    one, two = signs(1), signs(3)
    assert one.hidden > 0.5
    assert two.hidden > 0.5
    assert one.against == pytest.approx(1, abs=0.2)
    assert one.uncontradicted
    assert not two.uncontradicted
    assert not signs(1, against=0.5).uncontradicted


def test_a_counterexample_counts_by_its_trust():
    seen = world(2000, 0, noise=0.2)
    signs = find_signs(seen)
    mass = signs.trust * signs.low
    wrong = seen.probe != seen.y
    passing = passing_noise(seen.y, seen.zero_shot, seen.erm, signs.noise) * 1000
    assert passing > 5
    assert signs.trust[seen.suspects].max() < 0.3
    assert signs.contradiction == pytest.approx(sum(mass[wrong]) / sum(mass))
    assert signs.against == pytest.approx(sum(mass[wrong]) / 2 - passing)
    assert signs.rows == pytest.approx(min(sum(mass[seen.y == c]) for c in range(2)) - passing)
    right = [np.average(~wrong[seen.y == c], weights=signs.trust[seen.y == c]) for c in range(2)]
    assert signs.legibility == pytest.approx(2 * np.mean(right) - 1)


def test_a_probe_of_what_classes_share_is_told():
    seen = world(4000, 0, minority=0, classes=6)
    pairs = np.random.default_rng(9).integers(2, size=4000)
    shared = replace(seen, probe=seen.y // 2 * 2 + pairs)
    assert not find_signs(seen).shared
    signs = find_signs(shared)
    assert signs.shared
    assert signs.group_legibility == 1
    assert signs.legibility == pytest.approx(0.4, abs=0.03)
    mostly = np.where(np.random.default_rng(1).random(4000) < 0.05, (seen.y + 2) % 6, shared.probe)
    assert find_signs(replace(seen, probe=mostly)).group_legibility == pytest.approx(0.925, abs=0.01)
    assert not find_signs(replace(seen, probe=mostly)).shared
    assert find_signs(replace(seen, probe=mostly), Limits(legibility=0.9)).shared
    assert not find_signs(replace(shared, has_text=False)).shared


def test_suspects_are_the_rows_that_neither_model_classifies_as_labeled():
    three = np.zeros(3, dtype=int)
    ones = np.ones(3)
    codes = (np.array([0, 1, 1]), np.array([1, 0, 2]))
    seen = CrossFits(three, *codes, three, *[ones] * 6)
    assert seen.suspects.tolist() == [False, False, True]


def test_scales_and_shifts_of_the_logits_do_not_matter():
    seen = world(500, 0)
    scaled = replace(
        seen,
        zero_shot_margin=3 * seen.zero_shot_margin,
        reference_margin=3 * seen.reference_margin,
        probe_margin=0.1 * seen.probe_margin,
    )
    one, other = find_signs(seen), find_signs(scaled)
    assert other.skewness == pytest.approx(one.skewness)
    np.testing.assert_allclose(other.low, one.low, atol=1e-6)


def test_the_order_of_rows_and_the_names_of_classes_do_not_matter():
    seen = world(500, 0, classes=3)
    order, name = np.random.default_rng(1).permutation(500), np.array([2, 0, 1])
    codes = ("y", "zero_shot", "erm", "probe")
    moved = {key: value[order] for key, value in vars(seen).items() if key != "has_text"}
    moved |= {key: name[moved[key]] for key in codes}
    one, other = find_signs(seen), find_signs(CrossFits(**moved))
    assert other.hidden == pytest.approx(one.hidden)
    np.testing.assert_allclose(other.low, one.low[order], atol=1e-6)


@pytest.mark.parametrize("what", ["zero_shot_margin", "erm_margin", "probe_margin", "reference_margin"])
def test_margins_that_are_not_finite_are_refused(what):
    seen = world(10, 0)
    with pytest.raises(EvenhandError, match=f"{what} has 1 values that are not finite"):
        replace(seen, **{what: np.where(np.arange(10) == 3, np.nan, getattr(seen, what))})


def test_a_probe_that_is_never_right_reads_nothing_that_rows_could_contradict():
    seen = world(500, 0, minority=None)
    against = replace(seen, probe_margin=-seen.zero_shot_margin)
    assert find_signs(against).uncontradicted
    assert not find_signs(replace(against, probe=1 - seen.y)).uncontradicted
    always = replace(against, probe=0 * seen.y)
    assert not find_signs(always, Limits(against=1e9)).uncontradicted, "one class alone is chance, exactly"


def test_degenerate_rows_are_defined():
    flat = np.zeros(4)
    y = np.array([0, 0, 1, 1])
    for margins in (flat, -np.ones(4)):
        signs = find_signs(CrossFits(y, 1 - y, 1 - y, 1 - y, *[margins] * 6))
        assert np.isfinite(signs.low).all()
        assert np.isfinite(signs.trust).all()
        assert (signs.trust > 0).all()
        assert signs.hidden == 0
    many = np.repeat(np.arange(1000), 3)
    noise = np.random.default_rng(0).normal(size=(6, 3000))
    assert np.isfinite(find_signs(CrossFits(many, many, many, many, *noise)).low).all()


def test_rows_that_are_all_suspects_are_defined():
    seen = world(60, 0)
    other = 1 - seen.y
    signs = find_signs(replace(seen, zero_shot=other, erm=other))
    figures = [value for value in vars(signs).values() if isinstance(value, float)]
    assert np.isfinite(figures).all()
    assert signs.hidden == 0
    assert not signs.competent
    # As results.json holds it.
    assert {type(value) for value in vars(signs).values()} == {np.ndarray, float, bool}
    assert signs.trust == pytest.approx(np.full(60, signs.trust[0]))


def test_limits_turn_the_reading():
    assert find_signs(world(2000, 0), Limits(skewness=99)).hidden < 0.01
