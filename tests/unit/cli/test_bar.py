import pytest

from evenhand.cli.bar import progress_bar


def test_nothing_is_drawn_where_stderr_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar() as report:
        report("images", 0, 10)
        report("images", 10, 10)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.strip() == ""


def test_a_terminal_sees_stage_count_and_rate(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    with progress_bar() as report:
        report("[images]", 5, 10)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "[images]" in captured.err
    assert "5/10" in captured.err
