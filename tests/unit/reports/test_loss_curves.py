import pytest

from evenhand.reports.loss_curves import HEIGHT, WIDTH, candidate_gains, loss_charts


def test_each_stage_is_a_chart_with_a_line_per_fold() -> None:
    history = [
        {"stage": stage, "epoch": epoch, "loss": 1 / epoch, "fold": fold}
        for stage in (1, 3)
        for fold in (None, 1.0, 2.0)
        for epoch in (1, 2, 4)
        if stage == 1 or fold is not None
    ]
    erm, calibration = loss_charts(history)
    assert [line.name for line in erm.lines] == ["all training rows", "without fold 1", "without fold 2"]
    assert len(calibration.lines) == 2
    assert (erm.low, erm.high, erm.last) == (0.25, 1.0, 4)
    assert erm.lines[0].points.split(" ")[0] == "0.0,0.0"
    assert erm.lines[0].points.split(" ")[-1] == f"{WIDTH:.1f},{HEIGHT:.1f}"


def test_one_epoch_and_a_loss_that_stands_still_are_drawn_too() -> None:
    (chart,) = loss_charts([{"stage": 1, "epoch": 1, "loss": 0.5}])
    assert chart.lines[0].points == f"0.0,{HEIGHT:.1f}"
    assert loss_charts([]) == []


def test_candidates_lie_on_one_scale_that_holds_zero() -> None:
    grid = [
        {"candidate": name, "gain": gain, "trusted_gain": gain, "retention": 1.0}
        for name, gain in (("a", -0.1), ("b", 0.3))
    ]
    low, high = candidate_gains({"grid": grid, "kept": {"candidate": "b", "runner_up": "a", "baseline": "a"}})
    assert (low["left"], low["width"]) == pytest.approx((0, 25))
    assert (high["left"], high["width"]) == pytest.approx((25, 75))
    assert low["zero"] == high["zero"] == pytest.approx(25)
    assert (low["roles"], high["roles"]) == (["runner-up", "baseline"], ["kept"])


def test_a_grid_without_gains_is_not_a_choice_against_erm() -> None:
    assert candidate_gains({"grid": [{"C": 1.0, "accuracy": 0.9}], "kept": None}) == []
