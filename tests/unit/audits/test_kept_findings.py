"""A report shows what an audit left in the run, and searches again where anything has changed since."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evenhand import EvenhandError, fit, load_store
from evenhand.audits import error_analysis, kept_findings
from evenhand.audits.error_analysis import analyze_run
from evenhand.audits.kept_findings import AuditOptions, Findings, KeptFindings
from evenhand.audits.pipeline import audit
from evenhand.audits.text_tower import TextTower
from evenhand.audits.vocabulary import Vocabulary
from evenhand.data.table import FeatureTable
from evenhand.review import question
from evenhand.runs.contents import RunContents, run_on


@pytest.fixture(scope="module")
def made(make_run: Callable[..., Path]) -> Path:
    """Return a run on imported embeddings."""
    return make_run("kept", n=1200, pictures=False)


@pytest.fixture
def run(made: Path) -> Path:
    (made / "audit.json").unlink(missing_ok=True)
    return made


@pytest.fixture
def table(made: Path) -> FeatureTable:
    return load_store(made.parent / "x.store")


def searched_again(*_: Any, **__: Any) -> Any:
    raise AssertionError("the report searches, though an audit was there")


def test_the_report_reads_what_the_audit_found(
    run: Path, table: FeatureTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched = analyze_run(run)
    assert searched.findings.named.sure()
    (run / "audit.json").unlink()
    found = audit(table, run=run)
    monkeypatch.setattr(error_analysis, "search_errors", searched_again)
    read = analyze_run(run)
    assert read.findings == searched.findings
    assert read.findings.named.slices == found.slices
    assert read.findings.associations == found.associations
    assert (read.suspects, read.bottom_line) == (searched.suspects, searched.bottom_line)


def test_a_report_leaves_its_findings_for_the_next(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = analyze_run(run).findings
    monkeypatch.setattr(error_analysis, "search_errors", searched_again)
    assert analyze_run(run).findings == first
    with pytest.raises(AssertionError, match="searches"):
        analyze_run(run, vocabulary=Path("none"))


def test_a_review_asks_about_what_the_audit_found(
    run: Path, table: FeatureTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    audit(table, run=run)
    monkeypatch.setattr(question, "search_errors", searched_again)
    with pytest.raises(EvenhandError, match=r"to ask about \(the store's embeddings were imported"):
        question.audited_word(table, run=run)
    with pytest.raises(AssertionError, match="searches"):
        question.audited_word(table, run=run, seed=1)


State = tuple[RunContents, FeatureTable, AuditOptions]
FINDINGS = {"named": {"slices": [], "members": [], "words": "w", "notes": [], "no_words": "", "nothing": ""}}


@pytest.fixture
def findings() -> Findings:
    signs = {"shortcut": "no sign", "reason": "so", "next_step": "look"}
    return Findings.model_validate({**FINDINGS, "associations": {"n": 1}, "signs": signs})


def test_findings_of_another_state_are_not_read(
    run: Path,
    table: FeatureTable,
    findings: Findings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own = run_on(table, run)
    named = replace(table, card={**table.card, "model": f"local-dir:{tmp_path}"})

    def of(table: FeatureTable = table, run: RunContents = own, seed: int = 3, **more: Any) -> State:
        return run, table, AuditOptions(seed, **more)

    KeptFindings.of(*of()).write(findings)
    assert KeptFindings.of(*of()).read() == findings
    relabelled = replace(table, attributes={"place": table.attributes["place"][::-1]})
    words = Vocabulary(("lake",), "one word")
    others = [
        of(relabelled),
        of(named),
        of(run=replace(own, card={**own.card, "files": {"bundle.safetensors": "0" * 64}})),
        of(seed=4),
        of(slices=6),
        of(vocabulary=words),
        of(vocabulary=Vocabulary((), "none")),
    ]
    assert [KeptFindings.of(*one).read() for one in others] == [None] * len(others)
    KeptFindings.of(*of(named)).write(findings)
    assert KeptFindings.of(*of(named)).read() == findings
    (tmp_path / "words.txt").write_text("lake\n")
    assert KeptFindings.of(*of(named)).read() is None
    KeptFindings.of(*of()).write(findings)
    monkeypatch.setattr(kept_findings, "__version__", "another")
    assert KeptFindings.of(*of()).read() is None


def test_what_a_killed_writer_left_is_swept(run: Path, table: FeatureTable, findings: Findings) -> None:
    left = run / f".audit.json.{'0' * 16}.tmp"
    left.touch()
    KeptFindings.of(run_on(table, run), table, AuditOptions(0)).write(findings)
    assert not left.exists()
    assert (run / "audit.json").is_file()


@pytest.mark.parametrize("content", ["", "[1]", "{}", '{"key": "', "[" * 100_000])
def test_a_damaged_file_is_as_good_as_none(
    run: Path, table: FeatureTable, findings: Findings, content: str
) -> None:
    state = run_on(table, run), table, AuditOptions(0)
    KeptFindings.of(*state).write(findings)
    (run / "audit.json").write_text(content)
    assert KeptFindings.of(*state).read() is None


def test_an_edit_by_hand_shows(run: Path, table: FeatureTable, findings: Findings) -> None:
    state = run_on(table, run), table, AuditOptions(0)
    KeptFindings.of(*state).write(findings)
    content = json.loads((run / "audit.json").read_text())
    content["unit"]["named"]["nothing"] = "all is well"
    (run / "audit.json").write_text(json.dumps(content))
    assert KeptFindings.of(*state).read() is None


def test_a_folder_that_cannot_be_written_is_no_error(
    run: Path, table: FeatureTable, findings: Findings
) -> None:
    (run / "audit.json").mkdir()
    state = run_on(table, run), table, AuditOptions(0)
    KeptFindings.of(*state).write(findings)
    assert KeptFindings.of(*state).read() is None
    (run / "audit.json").rmdir()


def test_words_that_lack_for_a_model_that_may_come_back_are_looked_for_again(
    make_run: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run("gone")
    assert "cannot be used" in analyze_run(run).findings.named.no_words
    assert not (run / "audit.json").exists()
    wordless = TextTower(Vocabulary((), "no words"), np.zeros((0, 8), np.float32), None, "it knows no words")
    monkeypatch.setattr(error_analysis, "tower_or_reason", lambda *_, **__: (wordless, wordless.unknown))
    found = analyze_run(run).findings  # its model is there, and does not know common words
    monkeypatch.setattr(error_analysis, "search_errors", searched_again)
    assert analyze_run(run).findings == found


def test_a_new_fit_takes_the_findings_of_the_old_away(tmp_path: Path) -> None:
    X = np.random.default_rng(0).normal(size=(60, 4))
    table = FeatureTable.from_arrays(X, ["cat", "dog"] * 30)
    fit(table, method="zero_shot", out=tmp_path / "x.run")
    audit(table, run=tmp_path / "x.run")
    assert (tmp_path / "x.run" / "audit.json").is_file()
    fit(table, method="zero_shot", out=tmp_path / "x.run")
    assert not (tmp_path / "x.run" / "audit.json").exists()
