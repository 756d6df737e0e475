"""Which candidate is handed over."""

from dataclasses import replace

import numpy as np
import pytest
from tests.made_margins import world

from evenhand import EvenhandError
from evenhand.selection.auto_guard import DecisionRule
from evenhand.selection.ranking import Ranking
from evenhand.selection.shortcut_signs import find_signs
from evenhand.selection.shortcut_verdict import shortcut_verdict, verdict

NAMES = ["zero-shot", "ERM", "head"]


def accuracies(seed: int, low: np.ndarray, rates: list[tuple[float, float]]) -> np.ndarray:
    """Return right [K, N] with the rates (in the hidden minority, elsewhere) of every candidate."""
    generator = np.random.default_rng(seed)
    chance = np.stack([np.where(low, minority, rest) for minority, rest in rates])
    return (generator.random(chance.shape) < chance).astype(float)


def decide(seen, right, seed=0, **changes):
    signs = replace(find_signs(seen), **changes)
    decision = DecisionRule(draws=500).decide(NAMES, right, seen.y, signs, zero_shot=0, erm=1, seed=seed)
    return decision, signs


def test_a_repair_of_the_minority_is_kept():
    seen = world(3000, 0)
    low = find_signs(seen).low > 0.5
    right = accuracies(0, low, [(0.8, 0.8), (0.2, 0.97), (0.9, 0.92)])
    decision, signs = decide(seen, right)
    assert (decision.kept, decision.baseline, decision.runner_up) == ("head", "zero-shot", "zero-shot")
    assert decision.gain == pytest.approx(0.1, abs=0.05)
    assert 0 < decision.low < decision.gain
    said = verdict(signs, decision, 3000)
    assert (said.shortcut, said.repair) == ("found", "passed")
    assert said.repair_reason == (
        f"head has an estimated worst accuracy {100 * decision.gain:.1f} points above that of zero-shot, at "
        f"least {100 * decision.low:.1f}"
    )
    bare = verdict(signs, replace(decision, low=0.0004), 3000).repair_reason
    assert bare.endswith("points above that of zero-shot, though hardly beyond chance")
    assert f"about {signs.rows:.0f} of them" in said.shortcut_reason


def test_every_candidate_has_a_record_with_its_bound():
    seen = world(3000, 0)
    right = accuracies(0, find_signs(seen).low > 0.5, [(0.8, 0.8), (0.2, 0.97), (0.9, 0.92)])
    decision, _ = decide(seen, right)
    records = decision.trials(NAMES)
    assert [one["candidate"] for one in records] == NAMES
    assert records[2] == {
        "candidate": "head", "utility": decision.utility[2], "gain": decision.gain, "low": decision.low
    }  # fmt: skip
    assert (records[0]["gain"], records[0]["low"]) == (0, 0)
    assert not any(isinstance(value, tuple) for value in decision.as_dict().values())
    blind, _ = decide(seen, right, uncontradicted=True)
    assert [one["low"] for one in blind.trials(NAMES)] == [None] * 3
    assert blind.runner_up == "head", "that of the highest mean, since there are no bounds"


def test_zero_shot_is_kept_where_nothing_repairs():
    seen = world(3000, 0)
    right = accuracies(0, find_signs(seen).low > 0.5, [(0.8, 0.8), (0.2, 0.97), (0.6, 0.95)])
    decision, signs = decide(seen, right)
    gain, low = (
        f"{100 * share:+.1f}".replace("-", "−") for share in (decision.runner_up_gain, decision.runner_up_low)
    )
    assert verdict(signs, decision, 3000).repair_reason == (
        f"zero-shot is kept; the next best is {decision.runner_up}, with a gain of {gain} points, at least "
        f"{low}"
    )
    assert decision.kept == decision.baseline == "zero-shot"
    assert verdict(signs, decision, 3000).repair == "none passed"


def test_erm_is_kept_where_there_is_no_minority():
    seen = world(3000, 0, minority=0)
    right = accuracies(0, seen.y < 0, [(0.8, 0.8), (0.9, 0.9), (0.9, 0.9)])
    decision, signs = decide(seen, right)
    assert decision.kept == decision.baseline == "ERM"
    said = verdict(signs, decision, 3000)
    assert (said.shortcut, said.repair) == ("no sign", "none needed")


def test_chance_keeps_the_baseline():
    kept = []
    for seed in range(20):
        seen = world(300, seed, minority=0)
        right = accuracies(seed, seen.y < 0, [(0, 0.9)] * 3)
        decision, _ = decide(seen, right, seed)
        kept.append(decision.kept == decision.baseline)
    assert np.mean(kept) >= 0.95


def test_what_harms_a_clear_minority_is_not_kept():
    harmed = []
    for seed in range(20):
        seen = world(600, seed)
        right = accuracies(seed, find_signs(seen).low > 0.5, [(0.9, 0.9), (0.6, 0.97), (0.75, 0.95)])
        harmed.append(decide(seen, right, seed)[0].kept != "zero-shot")
    assert np.mean(harmed) <= 0.05


def test_a_few_counterexamples_are_counted_and_wrong_labels_told():
    seen = world(500, 0, minority=None, noise=0.1)
    signs = replace(find_signs(seen), uncontradicted=True, legibility=0.987, against=0.8, noise=0.104)
    decision, _ = decide(seen, np.ones((3, 500)))
    assert verdict(signs, decision, 500).shortcut_reason == (
        "something besides the class names tells the classes apart (99 % above chance), and only about 0.8 "
        "rows of a class contradict it, besides 10 % wrong labels"
    )


def test_zero_shot_is_kept_unseen_where_nothing_contradicts_the_probe():
    seen = world(500, 0, minority=0)
    right = accuracies(0, seen.y < 0, [(0, 0.7), (0, 0.99), (0, 0.99)])
    decision, signs = decide(seen, right, uncontradicted=True, against=0.0)
    assert decision.kept == "zero-shot"
    assert decision.blind
    said = verdict(signs, decision, 500)
    assert said.shortcut == "cannot tell"
    assert "no row contradicts it" in said.shortcut_reason
    assert said.repair == "none passed"


@pytest.mark.parametrize(
    ("hidden", "said"),
    [
        (0.9, "found"),
        (0.899, "cannot tell"),
        (0.101, "cannot tell"),
        (1 - 0.9, "no sign"),
        (0.099, "no sign"),
    ],
)
def test_the_chance_of_a_minority_decides_what_is_said(hidden, said):
    signs = replace(
        find_signs(world(500, 0)),
        hidden=hidden,
        clear=True,
        uncontradicted=False,
        rows=20.0,
        class_rows=200.0,
    )
    assert shortcut_verdict(signs, 500)[0] == said


def test_without_text_a_thousand_rows_rule_a_shortcut_out():
    signs = replace(find_signs(world(500, 0)), hidden=0.0, skewness=0.25, has_text=False, class_rows=200.0)
    signs = replace(signs, uncontradicted=False)
    assert [shortcut_verdict(signs, n)[0] for n in (999, 1000)] == ["cannot tell", "no sign"]
    assert shortcut_verdict(replace(signs, skewness=0.251), 1000)[0] == "cannot tell"


def test_wrong_labels_are_said_from_one_percent_on():
    signs = replace(find_signs(world(500, 0)), uncontradicted=True)
    said = [shortcut_verdict(replace(signs, noise=noise), 500)[1] for noise in (0.01, 0.0099)]
    assert ["wrong labels" in one for one in said] == [True, False]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"competent": False, "competence": 0.4},
            "prompts do not fit: zero-shot is 40 % as far above",
        ),
        ({"competent": False, "competence": 0.0}, "prompts do not fit: zero-shot is no better than chance"),
        ({"uncontradicted": True, "against": 9.9}, "only about 9.9 rows of a class contradict it"),
        (
            {"uncontradicted": True, "against": 10.0},
            "the rows of a class that contradict it, about 10, do not form",
        ),
        ({"hidden": 0.5}, "do not settle whether"),
        ({"hidden": 0.99, "clear": False}, "no clear counterexamples"),
        ({"hidden": 0.99, "rows": 4.0}, "has about 4 rows"),
        ({"hidden": 0.01, "has_text": False, "skewness": 0.1}, "without text features 500 rows are too few"),
        (
            {"hidden": 0.01, "shared": True, "group_legibility": 0.974},
            "something besides the class names separates groups of classes (97 % above chance); the rows",
        ),
        ({"hidden": 0.01, "has_text": False, "skewness": 0.5}, "hard rows and a hidden minority look alike"),
    ],
)
def test_these_data_cannot_tell(changes, words):
    seen = world(500, 0)
    right = accuracies(0, seen.y < 0, [(0, 0.9)] * 3)
    decision, signs = decide(seen, right, **changes)
    said = verdict(signs, decision, 500)
    assert said.shortcut == "cannot tell"
    assert words in said.shortcut_reason
    assert said.as_dict()["next_step"]


def few_rows(rates, seed=0, **changes):
    """Decide on 120 rows of two classes, whose smallest hidden cell is said to have two."""
    seen = world(120, seed)
    right = accuracies(seed, find_signs(seen).low > 0.5, rates)
    usual = {"hidden": 1.0, "clear": True, "uncontradicted": False, "rows": 2.0}
    return decide(seen, right, seed, **(usual | changes))


def test_on_two_rows_of_a_hidden_cell_zero_shot_is_not_kept_far_under_erm():
    rates = [(0.6, 0.6), (0.9, 0.95), (0.9, 0.95)]
    assert few_rows(rates)[0].baseline == "ERM"
    assert few_rows(rates)[0].kept != "zero-shot"
    assert few_rows([(0.9, 0.9), (0.1, 0.95), (0.1, 0.95)])[0].kept == "zero-shot"


def test_few_rows_are_those_of_the_smallest_hidden_cell_or_of_a_class():
    signs = replace(find_signs(world(120, 0)), has_text=True)
    for hidden, rows, class_rows, few in (
        (0.5, 9.9, 500, True),
        (0.5, 10, 5, False),
        (0.49, 0, 99, True),
        (0.49, 0, 100, False),
    ):
        found = replace(signs, hidden=hidden, rows=rows, class_rows=class_rows)
        assert found.few == few
    rates = [(0.7, 0.7), (0.7, 0.7), (0.7, 0.7)]
    assert few_rows(rates, rows=9.9)[0].few
    assert not few_rows(rates, rows=10.0)[0].few
    assert not few_rows(rates, has_text=False)[0].few


@pytest.mark.parametrize(("clear", "level"), [(True, 0.2), (False, 0.05)])
def test_on_few_rows_the_bound_is_over_the_better_of_zero_shot_and_erm(clear, level):
    decision, signs = few_rows([(0.6, 0.9), (0.3, 0.98), (0.6, 0.95)], clear=clear)
    rule, seen = DecisionRule(draws=500), world(120, 0)
    right = accuracies(0, find_signs(seen).low > 0.5, [(0.6, 0.9), (0.3, 0.98), (0.6, 0.95)])
    drawn = rule._utility(right, seen.y, signs, 0, None)
    slow = [float(np.quantile([line[k] - max(line[0], line[1]) for line in drawn], level)) for k in range(3)]
    np.testing.assert_allclose(decision.lows, slow, atol=1e-6)
    assert decision.index == int(np.argmax(slow))


def test_on_few_rows_the_sentence_says_how_far_the_kept_may_be_under():
    decision, signs = few_rows([(0.6, 0.9), (0.6, 0.9), (0.5, 0.9)])
    assert decision.low <= 0
    said = verdict(signs, decision, 120)
    assert said.repair == "none passed"
    assert said.repair_reason == (
        f"few rows: {decision.kept} is kept as the safest, at most {-100 * decision.low:.1f} points below "
        "the better of zero-shot and ERM"
    )
    level = replace(decision, low=-0.0004)
    assert "as the safest, not below the better of" in verdict(signs, level, 120).repair_reason
    better, signs = few_rows([(0.1, 0.5), (0.1, 0.5), (0.95, 0.95)])
    assert better.low > 0
    assert verdict(signs, better, 120).repair == "passed"


def test_cells_borrow_where_text_has_few_rows_or_no_text_has_enough():
    """The two rows of one class are wrong by chance; those of the others are right."""
    seen = world(120, 0, classes=4)
    y, low = seen.y, np.zeros(120)
    for code in range(4):
        low[np.flatnonzero(y == code)[:2]] = 1
    right = np.ones((3, 120))
    right[:, np.flatnonzero((y == 0) & (low > 0))] = 0.5
    usual = {"hidden": 1.0, "low": low, "trust": np.ones(120), "uncontradicted": False}
    few, enough, without_text, few_without = (
        decide(seen, right, **usual, **changes)[0].utility[0]
        for changes in (
            {"rows": 2.0},
            {"rows": 10.0},
            {"rows": 10.0, "has_text": False},
            {"rows": 9.0, "has_text": False},
        )
    )
    assert few == without_text
    assert few_without == enough < few - 0.1


def test_the_bound_is_looser_only_where_a_clear_minority_is_likely():
    seen = world(120, 0)
    right = accuracies(0, find_signs(seen).low > 0.5, [(0.8, 0.8), (0.2, 0.97), (0.9, 0.92)])
    clear, unclear = (decide(seen, right, hidden=0.3, class_rows=50.0, clear=one)[0] for one in (True, False))
    assert clear.few
    assert clear.lows == unclear.lows


def test_hidden_cells_borrow_from_hidden_cells_and_not_from_their_rests():
    """No row of a hidden cell is right, and all others are."""
    seen = world(120, 0, classes=4)
    low = np.zeros(120)
    for code in range(4):
        low[np.flatnonzero(seen.y == code)[:2]] = 1
    right = np.repeat(1 - low[None], 3, axis=0)
    usual = {"hidden": 1.0, "low": low, "trust": np.ones(120), "uncontradicted": False}
    assert decide(seen, right, rows=2.0, **usual)[0].utility[0] < 0.1


def test_on_few_rows_a_bound_that_is_higher_by_rounding_alone_wins_nothing():
    seen = world(120, 0)
    right = accuracies(0, find_signs(seen).low > 0.5, [(0.7, 0.7)])[[0, 0, 0]]
    usual = {"hidden": 1.0, "clear": True, "uncontradicted": False, "rows": 2.0}
    for nudge in (1e-9, 1e-8):
        nudged = right + nudge * np.array([[0.0], [0.0], [1.0]])
        assert decide(seen, nudged, **usual)[0].kept == "zero-shot"


@pytest.mark.parametrize("has_text", [True, False])
def test_equal_candidates_leave_the_baseline(has_text):
    """They differ by rounding alone, which another processor does otherwise."""
    seen = world(3000, 0)
    right = accuracies(0, find_signs(seen).low > 0.5, [(0.8, 0.9)])[[0, 0, 0]]
    for noise in (1e-9, -1e-9):
        nudged = right + noise * np.array([[0.0], [0.0], [1.0]])
        kept = decide(seen, nudged, hidden=1.0, has_text=has_text, uncontradicted=False)[0].kept
        assert kept == ("zero-shot" if has_text else "ERM")


def test_the_order_of_the_rows_does_not_matter():
    seen = world(400, 0)
    right = accuracies(0, find_signs(seen).low > 0.5, [(0.8, 0.8), (0.2, 0.97), (0.9, 0.92)])
    order = np.random.default_rng(1).permutation(400)
    moved = type(seen)(**{k: v if k == "has_text" else v[order] for k, v in vars(seen).items()})
    one, other = decide(seen, right)[0], decide(moved, right[:, order])[0]
    assert one.kept == other.kept
    np.testing.assert_allclose(one.utility, other.utility, atol=1e-6)


def test_utility_equals_a_loop_where_rows_abound():
    seen = world(60_000, 0)
    right = accuracies(0, find_signs(seen).low > 0.5, [(0.8, 0.8), (0.2, 0.97), (0.9, 0.92)])
    decision, signs = decide(seen, right, hidden=0.7)
    for k in range(3):
        cells, classes = [], []
        for code in range(2):
            mine = seen.y == code
            for weight in (signs.trust * signs.low, signs.trust * (1 - signs.low)):
                cells.append((weight * right[k])[mine].sum() / weight[mine].sum())
            classes.append((signs.trust * right[k])[mine].sum() / signs.trust[mine].sum())
        assert decision.utility[k] == pytest.approx(0.7 * min(cells) + 0.3 * min(classes), abs=0.01)


def test_another_shape_is_refused():
    seen = world(50, 0)
    with pytest.raises(
        EvenhandError, match="right: its shape must be candidates × rows, 3 × 50, but is 2 × 50"
    ):
        decide(seen, np.ones((2, 50)))


def test_a_thousand_classes_of_three_rows_are_defined():
    y = np.repeat(np.arange(1000), 3)
    seen = world(3000, 0)
    seen = replace(seen, y=y, zero_shot=y, erm=y, probe=y)
    decision, signs = decide(seen, np.ones((3, 3000)), hidden=0.0, uncontradicted=False)
    assert decision.few
    assert decision.kept == decision.baseline
    said = verdict(signs, decision, 3000)
    assert said.shortcut == "cannot tell"
    assert said.shortcut_reason.startswith("few rows: half of the classes have 3 or fewer")
    for rows, shortcut in ((99.0, "cannot tell"), (100.0, "no sign")):
        assert verdict(replace(signs, class_rows=rows, shared=False), decision, 3000).shortcut == shortcut


def test_by_auroc_a_candidate_with_a_shifted_threshold_is_kept():
    """It classifies the minority wrongly, but ranks it above the other class."""
    seen = world(3000, 0)
    signs = find_signs(seen)
    low, sign = signs.low > 0.5, np.where(seen.y == 1, 1.0, -1.0)
    noise = np.random.default_rng(0).normal(size=(3, len(low)))
    shift = np.array([[0.0], [0.0], [4.0]])
    strength = np.stack([np.full(len(low), 0.8), np.where(low, -1.0, 2.0), np.full(len(low), 2.0)])
    margin = strength * sign + noise + shift
    scores = np.stack([-margin, margin], axis=2).astype(np.float32)
    right = ((margin > 0) == (seen.y == 1)).astype(float)
    rule, places = DecisionRule(draws=500), {"zero_shot": 0, "erm": 1, "seed": 0}
    assert rule.decide(NAMES, right, seen.y, signs, **places).kept == "zero-shot"
    ranking = Ranking(scores, seen.y)
    found = rule.decide(NAMES, ranking.above(), seen.y, signs, **places, others=ranking.of_others)
    assert found.kept == "head"
    assert "an estimated worst AUROC" in verdict(signs, found, 3000, "AUROC").repair_reason
