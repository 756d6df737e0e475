import json
from pathlib import Path

import pytest

from evenhand.cli.results import show_results
from evenhand.cli.tables import one
from evenhand.evaluation.accuracy import Averages, Rate
from evenhand.evaluation.results import Difference, ResultRow, Results, summarize


def rate(name: str, n: int = 100) -> Rate:
    return Rate(name=name, n=n, value=0.5, low=0.4, high=0.6)


def row(seed: int) -> ResultRow:
    return ResultRow(
        method="cfr",
        seed=seed,
        kept={"candidate": "erm", "reason": "no candidate passed: too few rows"},
        worst_group=rate("waterbird / land", 12),
        worst_class=rate("waterbird"),
        averages=Averages(plain=0.75, train_weighted=None, group_mean=0.625, class_mean=0.7),
        classes=[rate("landbird"), rate("waterbird")],
        groups=[rate("waterbird / land", 12), Rate(name="[x]\x1b[2J", n=0, value=None, low=None, high=None)],
        difference_to_erm=Difference(value=0.0, low=-0.01, high=0.01),
        notes=["the calibration set was empty"],
    )


def results(seeds: int) -> Results:
    rows = [row(seed) for seed in range(seeds)]
    return Results(schema=1, provenance={}, rows=rows, summary=summarize(rows))


def test_one_row_shows_classes_groups_reason_and_notes(capsys: pytest.CaptureFixture[str]) -> None:
    show_results(results(1), Path("x.run"), json=False)
    out = capsys.readouterr().out
    for text in (
        "50.0 [40.0, 60.0]",
        "75.0",
        "0.0 [-1.0, 1.0]",
        "none",
        "cfr, seed 0: accuracy on the test split, percent",
        "waterbird / land, 12 few rows",
        "points above plain training (ERM) in the worst group",
        "12 few",
        "[x]�[2J",
        "no candidate passed: too few rows",
        "the calibration set was empty",
        "written to x.run",
    ):
        assert text in out
    assert "\x1b[2J" not in out


def test_the_n_of_a_ranking_is_named() -> None:
    worst = {**results(1).model_dump(mode="json")["rows"][0], "metric": "auroc"}
    assert next(iter(one(worst).columns[2].cells)) == "waterbird / land, 12 few rows of the rarer side"
    assert next(iter(one({**worst, "metric": "f1"}).columns[2].cells)) == "waterbird / land, 12 few rows"


def test_many_rows_are_cut_with_a_count(capsys: pytest.CaptureFixture[str]) -> None:
    show_results(results(43), Path("x.run"), json=False)
    out = capsys.readouterr().out
    assert "… and 3 more rows; --json has all" in out
    assert "cfr, seed 39: " in out
    assert "cfr, seed 40: " not in out


def test_what_is_not_known_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    found = results(1)
    found.rows[0].worst_group = found.rows[0].difference_to_erm = None
    show_results(found, Path("x"), json=False)
    out = capsys.readouterr().out
    assert "worst class" in out
    assert "worst group" not in out
    assert "train_weighted" not in out


def test_a_kept_candidate_is_told_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    found = results(1)
    figures = {"gain": 0.081, "low": 0.0513, "chance": -0.039, "retention": 0.9524}
    found.rows[0].kept = {
        "candidate": "epoch 4",
        "index": 3,
        "rule": "shortcut_cell",
        "looked_at": 18,
        **figures,
    }
    show_results(found, Path("x"), json=False)
    assert (
        "kept epoch 4 of 18 candidates instead of plain training (ERM): on held-out rows, the label-free "
        "score shortcut_cell is 8.1 points higher (at least 5.1), and 95.2 % of the rows that ERM classifies "
        "correctly stay correct\n"
    ) in capsys.readouterr().out


def test_cells_of_erm_itself_say_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    for method, shown in (("cfr", True), ("erm", False)):
        found = results(1)
        found.rows[0].method, found.rows[0].cells = method, [rate("waterbird / ERM right")]
        show_results(found, Path("x"), json=False)
        assert ("Cells: each class" in capsys.readouterr().out) == shown


def test_several_rows_name_method_and_seed(capsys: pytest.CaptureFixture[str]) -> None:
    show_results(results(2), Path("x"), json=False)
    out = capsys.readouterr().out
    assert "cfr, seed 1: no candidate passed" in out
    assert "Classes" not in out


def test_failed_rows_show_the_reason(capsys: pytest.CaptureFixture[str]) -> None:
    found = results(2)
    found.rows[0].status = "failed"
    found.rows[0].reason = "the loss is not finite"
    show_results(found, Path("x"), json=False)
    assert "the loss is not" in capsys.readouterr().out


def test_json_is_the_results_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    found = results(1)
    show_results(found, Path("x"), json=True)
    found.write(tmp_path / "results.json")
    assert json.loads(capsys.readouterr().out) == json.loads((tmp_path / "results.json").read_text())


def test_both_verdicts_what_is_kept_and_the_next_step_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    found = results(1)
    found.rows[0].kept = {
        "candidate": "zero-shot",
        "runner_up": "ERM (L2 1/n)",
        "index": 0,
        "looked_at": 15,
        "rows": 300,
        "shortcut": "cannot tell",
        "shortcut_reason": "120 rows do not settle whether there is a hidden minority",
        "repair": "none passed",
        "repair_reason": "zero-shot is kept; the next best is ERM (L2 1/n)",
        "next_step": "add rows",
    }
    show_results(found, Path("x"), json=False)
    out = capsys.readouterr().out
    for sentence in (
        "Shortcut: cannot tell; 120 rows do not settle whether there is a hidden minority.\n",
        "Repair: none passed; zero-shot is kept; the next best is ERM (L2 1/n).\n",
        "Kept: zero-shot, of 15 candidates on 300 rows; the runner-up is ERM (L2 1/n). L2 k/n means "
        "an L2 penalty of k divided by the number n of training rows.\n",
        "Next: add rows.\n",
    ):
        assert sentence in out
    both = results(2)
    both.rows[0].kept = found.rows[0].kept
    show_results(both, Path("x"), json=False)
    out = capsys.readouterr().out
    assert "cfr, seed 0: Shortcut: cannot tell. Repair: none passed. Kept: zero-shot, of 15" in out
    assert "do not settle" not in out
