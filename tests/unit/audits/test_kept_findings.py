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
from evenhand.audits.kept_findings import AuditOptions, Findings, keep_findings, read_findings
from evenhand.audits.pipeline import audit
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

    keep_findings(*of(), findings, tower=True)
    assert read_findings(*of()) == findings
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
    assert [read_findings(*one) for one in others] == [None] * len(others)
    keep_findings(*of(named), findings, tower=True)
    assert read_findings(*of(named)) == findings
    (tmp_path / "words.txt").write_text("lake\n")
    assert read_findings(*of(named)) is None
    keep_findings(*of(), findings, tower=True)
    monkeypatch.setattr(kept_findings, "__version__", "another")
    assert read_findings(*of()) is None


def test_what_a_killed_writer_left_is_swept(run: Path, table: FeatureTable, findings: Findings) -> None:
    left = run / f".audit.json.{'0' * 16}.tmp"
    left.touch()
    keep_findings(run_on(table, run), table, AuditOptions(0), findings, tower=True)
    assert not left.exists()
    assert (run / "audit.json").is_file()


@pytest.mark.parametrize("content", ["", "[1]", "{}", '{"key": "', "[" * 100_000])
def test_a_damaged_file_is_as_good_as_none(
    run: Path, table: FeatureTable, findings: Findings, content: str
) -> None:
    state = run_on(table, run), table, AuditOptions(0)
    keep_findings(*state, findings, tower=True)
    (run / "audit.json").write_text(content)
    assert read_findings(*state) is None


def test_an_edit_by_hand_shows(run: Path, table: FeatureTable, findings: Findings) -> None:
    state = run_on(table, run), table, AuditOptions(0)
    keep_findings(*state, findings, tower=True)
    content = json.loads((run / "audit.json").read_text())
    content["unit"]["named"]["nothing"] = "all is well"
    (run / "audit.json").write_text(json.dumps(content))
    assert read_findings(*state) is None


def test_a_folder_that_cannot_be_written_is_no_error(
    run: Path, table: FeatureTable, findings: Findings
) -> None:
    (run / "audit.json").mkdir()
    state = run_on(table, run), table, AuditOptions(0)
    keep_findings(*state, findings, tower=True)
    assert read_findings(*state) is None
    (run / "audit.json").rmdir()


def test_words_that_lack_for_a_model_that_may_come_back_are_looked_for_again(
    make_run: Callable[..., Path], findings: Findings
) -> None:
    run = make_run("gone")
    table = load_store(run.parent / "x.store")
    state = run_on(table, run), table, AuditOptions(0)
    keep_findings(*state, findings, tower=False)
    assert read_findings(*state) is None
    wordless = findings.model_copy(update={"named": findings.named.model_copy(update={"words": None})})
    keep_findings(*state, wordless, tower=True)  # its model is there, and does not know common words
    assert read_findings(*state) == wordless


def test_a_new_fit_takes_the_findings_of_the_old_away(tmp_path: Path) -> None:
    X = np.random.default_rng(0).normal(size=(60, 4))
    table = FeatureTable.from_arrays(X, ["cat", "dog"] * 30)
    fit(table, method="zero_shot", out=tmp_path / "x.run")
    audit(table, run=tmp_path / "x.run")
    assert (tmp_path / "x.run" / "audit.json").is_file()
    fit(table, method="zero_shot", out=tmp_path / "x.run")
    assert not (tmp_path / "x.run" / "audit.json").exists()
