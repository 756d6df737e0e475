"""What forty answers say, against the truth and slow loops."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.unit.review.conftest import Sea

from evenhand import EvenhandError, fit, load_store
from evenhand.review import Answer, ReviewRows, choose_rows, estimate_attribute, write_attribute
from evenhand.review.attribute_probe import (
    RIGHTS,
    VARIANCES,
    AttributeProbe,
    cross_entropy,
    cross_validated,
    dealt,
    filled,
    right_columns,
)
from evenhand.review.estimate import AttributeEstimate, estimate_on
from evenhand.review.group_rates import drawn_accuracies, group_accuracies


def asked(rows: ReviewRows, sea: Sea, n: int = 40) -> dict[int, Answer]:
    chosen = choose_rows(rows, {}, n)
    return {row: Answer("yes" if sea.water[row] else "no", why) for row, why in chosen}


def truth(rows: ReviewRows, sea: Sea) -> dict[str, float]:
    found = {}
    for code, label in enumerate(("gull", "jay")):
        for side, name in enumerate(("no", "yes")):
            of = (rows.y == code) & (sea.water[rows.numbers] == side)
            found[f"{label} / {name}"] = float(rows.right[of].mean())
    return found


@pytest.fixture(scope="module")
def estimate(rows: ReviewRows, sea: Sea) -> AttributeEstimate:
    return estimate_on(rows, asked(rows, sea), question="Is it at sea?")


def test_groups_are_near_the_truth_and_their_intervals_hold_it(
    rows: ReviewRows, sea: Sea, estimate: AttributeEstimate
) -> None:
    known = truth(rows, sea)
    for group in estimate.groups:
        assert group.value == pytest.approx(known[group.name], abs=0.08)
        assert group.low - 0.005 <= known[group.name] <= group.high + 0.005  # type: ignore[operator]
    assert estimate.worst_group.name == min(known, key=lambda name: known[name])
    assert estimate.worst_group.low <= min(known.values()) <= estimate.worst_group.high  # type: ignore[operator]
    assert sum(group.n for group in estimate.groups) == pytest.approx(len(rows), abs=3)


def test_the_shortcut_is_found_and_the_attribute_of_every_row_too(
    sea: Sea, estimate: AttributeEstimate
) -> None:
    assert estimate.verdict.shortcut in ("found", "cannot tell")
    assert estimate.shares["gull"] > 0.8
    assert estimate.shares["jay"] < 0.2
    assert [gap.usual for gap in estimate.gaps] == ["yes", "no"]
    assert (estimate.values == np.where(sea.water, "yes", "no")).mean() > 0.95
    assert estimate.answers["unclear"] == 0
    assert estimate.error_of == "random"
    assert estimate.error.n == 10
    assert "values" not in estimate.model_dump()


def test_many_answers_settle_it(rows: ReviewRows, sea: Sea) -> None:
    assert estimate_on(rows, asked(rows, sea, 240)).verdict.shortcut == "found"


def test_a_label_free_model_has_no_shortcut(rows: ReviewRows, sea: Sea) -> None:
    fair = replace(rows, right=np.random.default_rng(0).random(len(rows)) < 0.99)
    found = estimate_on(fair, asked(rows, sea, 80))
    assert found.verdict.shortcut in ("no sign", "cannot tell")
    assert found.worst_group.value == pytest.approx(0.99, abs=0.03)


def test_wrong_answers_do_not_move_it_far(rows: ReviewRows, sea: Sea) -> None:
    answers = asked(rows, sea)
    for row in list(answers)[3::20]:
        answers[row] = replace(answers[row], word="no" if answers[row].word == "yes" else "yes")
    found = estimate_on(rows, answers)
    assert found.worst_group.value == pytest.approx(min(truth(rows, sea).values()), abs=0.12)
    assert found.verdict.shortcut != "no sign"


def test_an_attribute_that_cannot_be_read_is_not_claimed(rows: ReviewRows) -> None:
    rng = np.random.default_rng(0)
    answers = {
        row: Answer("yes" if rng.random() < 0.5 else "no", why) for row, why in choose_rows(rows, {}, 60)
    }
    found = estimate_on(rows, answers)
    assert found.verdict.shortcut != "found"
    widths = [group.high - group.low for group in found.groups]  # type: ignore[operator]
    assert min(widths) > 0.05


def test_an_attribute_of_the_errors_alone_is_found(rows: ReviewRows) -> None:
    """Nothing in the embeddings shows it, but wrong rows have it: the columns of right show it."""
    right = np.random.default_rng(0).random(len(rows)) < 0.7
    hidden = replace(rows, right=right)
    answers = {int(rows.numbers[k]): Answer("no" if right[k] else "yes", "random") for k in range(0, 80)}
    found = estimate_on(hidden, answers)
    assert found.worst_group.value < 0.35  # type: ignore[operator]


def test_accuracies_are_those_of_a_loop(rows: ReviewRows) -> None:
    chance = np.random.default_rng(0).random(len(rows))
    values, counts = group_accuracies(chance, rows)
    for code in range(2):
        for side in range(2):
            n = right = 0.0
            for k in range(len(rows)):
                if rows.y[k] == code:
                    weight = chance[k] if side else 1 - chance[k]
                    n += weight
                    right += weight * rows.right[k]
            assert counts[code, side] == pytest.approx(n)
            assert values[code, side] == pytest.approx(right / n)


def test_held_out_probabilities_come_from_the_other_folds(rows: ReviewRows, sea: Sea) -> None:
    probe = AttributeProbe.fit(rows, asked(rows, sea))
    fold = dealt(probe.yes, 0)
    assert {int((fold == k).sum()) for k in range(8)} == {5}
    for kind in (True, False):
        counts = [int((probe.yes[fold == k] == kind).sum()) for k in range(8)]
        assert max(counts) - min(counts) <= 1
    assert cross_entropy(probe.held_out, probe.yes) < np.log(2)


def test_draws_weigh_prior_variances_by_held_out_answers(rows: ReviewRows, sea: Sea) -> None:
    answers = asked(rows, sea)
    probe = AttributeProbe.fit(rows, answers)
    X, variances, fold = rows.features[probe.places], rows.signs.prior_variances(), dealt(probe.yes, 0)
    losses = []
    for one in VARIANCES:
        held_out = cross_validated(X, probe.yes, 1 / filled(variances, one), fold)
        losses.append(cross_entropy(held_out, probe.yes))
    best = int(np.argmin(losses))
    expected = [np.exp(-40 * (loss - losses[best])) for loss in losses for _ in RIGHTS]
    assert [weight for weight, _ in probe.mixture] == pytest.approx(expected)
    assert probe.by_right is probe.mixture[best * len(RIGHTS)][1]
    own = 1 / np.diag(np.linalg.inv(probe.mixture[-1][1].covariance))[-2:]
    assert (own <= RIGHTS[-1]).all()


def rare(rows: ReviewRows, sea: Sea) -> ReviewRows:
    """Return rows of which 8 of each class are exceptions, all of them misclassified."""
    usual = sea.water[rows.numbers] == (rows.y == 0)
    exceptions = [np.flatnonzero(~usual & (rows.y == code))[:8] for code in range(2)]
    kept = np.sort(np.concatenate([np.flatnonzero(usual), *exceptions]))
    return replace(
        rows,
        numbers=rows.numbers[kept],
        y=rows.y[kept],
        right=usual[kept],
        features=rows.features[kept],
        rank=rows.rank[kept],
    )


@pytest.mark.parametrize("seed", range(3))
def test_the_interval_holds_a_rare_group_that_is_always_wrong(rows: ReviewRows, sea: Sea, seed: int) -> None:
    few = rare(rows, sea)
    answers = {
        row: Answer("yes" if sea.water[row] else "no", why) for row, why in choose_rows(few, {}, 40, seed)
    }
    found = estimate_on(few, answers, seed=seed)
    assert found.worst_group.low == 0.0
    assert found.worst_group.value < 0.4  # type: ignore[operator]
    best = max(found.groups, key=lambda group: group.value or 0.0)
    assert best.high == 1.0


def test_limits_are_0_and_1_only_where_all_rows_of_a_draw_agree(rows: ReviewRows, sea: Sea) -> None:
    drawn = drawn_accuracies(rows, AttributeProbe.fit(rows, asked(rows, sea)), 0)
    for limits, end in ((drawn.lows, 0.0), (drawn.highs, 1.0)):
        changed = limits != drawn.values
        assert (limits[changed] == end).all()
    certain = replace(rows, right=np.ones(len(rows), dtype=bool))
    drawn = drawn_accuracies(certain, AttributeProbe.fit(certain, asked(certain, sea)), 0)
    assert (drawn.highs == 1).all()
    assert (drawn.lows == drawn.values).mean() > 0.99, "but for draws without a row in the group"


def test_right_columns() -> None:
    class Rows:
        y = np.array([0, 0, 1])
        right = np.array([True, False, True])

        class table:  # noqa: N801
            classes = ("a", "b")

    np.testing.assert_allclose(right_columns(Rows()), [[0.5, 0], [-0.5, 0], [0, 0.5]])  # type: ignore[arg-type]


def test_answers_stand_in_the_values(rows: ReviewRows, sea: Sea) -> None:
    answers = asked(rows, sea)
    row = next(iter(answers))
    answers[row] = Answer("no" if sea.water[row] else "yes")
    assert estimate_on(rows, answers).values[row] == answers[row].word


@pytest.mark.parametrize(("yes", "no"), [(1, 20), (20, 1), (0, 0)])
def test_too_few_answers_are_one_sentence(rows: ReviewRows, yes: int, no: int) -> None:
    words = ["yes"] * yes + ["no"] * no
    answers = {int(rows.numbers[k]): Answer(word) for k, word in enumerate(words)}  # type: ignore[arg-type]
    with pytest.raises(
        EvenhandError, match=f"answers: {yes} yes and {no} no about evaluated rows; at least 2"
    ):
        estimate_on(rows, answers)


def test_notes_say_what_falls_short(rows: ReviewRows, sea: Sea) -> None:
    test = rows.numbers[:12]
    answers = sea.answers(test, "") | sea.answers(sea.table().rows("train")[:3])
    answers |= {int(row): Answer("unclear") for row in rows.numbers[20:26]}
    notes = " ".join(estimate_on(rows, answers).notes)
    assert "3 answers are about rows that are not evaluated, and left out" in notes
    assert "the error is that of all answered rows" in notes
    assert "12 answers are few" in notes
    assert "6 unclear: the question does not fit" in notes


def test_three_classes_without_text(sea: Sea) -> None:
    labels = [("owl" if k % 3 == 0 else label) for k, label in enumerate(sea.labels)]
    table = type(sea.table()).from_arrays(sea.X, labels, split=sea.split)
    found = estimate_attribute(table, sea.answers(table.rows("test")[:60]))
    assert len(found.groups) == 6
    assert (found.values == np.where(sea.water, "yes", "no")).mean() > 0.9


def test_a_written_column_makes_groups_in_every_command(
    store: Path, stored: ReviewRows, sea: Sea, tmp_path: Path
) -> None:
    import shutil

    mine = tmp_path / "mine.store"
    shutil.copytree(store, mine)
    table = load_store(mine)
    found = estimate_attribute(table, asked(stored, sea), question="Is it at sea?")
    write_attribute(table, found, "sea")
    again = load_store(mine)
    assert (again.attributes["sea"] == found.values).all()
    assert again.card == table.card
    results = fit(again, method="zero_shot", out=tmp_path / "a.run")
    row = results.rows[0]
    assert row.group_labels_from is not None
    assert (row.group_labels_from.answers, row.group_labels_from.used_for) == (40, "evaluation")
    assert any("the answers affect evaluation, not training" in note for note in row.notes)
    assert {rate.name for rate in row.groups} == {"gull / no", "gull / yes", "jay / no", "jay / yes"}
    assert '"used_for": "evaluation"' in (tmp_path / "a.run" / "card.json").read_text()
    with pytest.raises(EvenhandError, match="method: group_dro uses group labels, but 'sea' was estimated"):
        fit(again, method="group_dro", out=tmp_path / "b.run")
    write_attribute(table, found, "sea", used_for="training")
    row = fit(load_store(mine), method="zero_shot", out=tmp_path / "c.run").rows[0]
    assert any("the user lets the answers affect training" in note for note in row.notes)


def test_a_table_in_memory_takes_no_column(sea: Sea, estimate: AttributeEstimate) -> None:
    with pytest.raises(EvenhandError, match="write: the table is in memory"):
        write_attribute(sea.table(), estimate, "sea")
