"""The word that an audit suggests to ask about."""

from __future__ import annotations

from pathlib import Path

from evenhand._errors import EvenhandError
from evenhand.audits.error_analysis import search_errors
from evenhand.audits.evaluate import evaluate_models
from evenhand.audits.kept_findings import AuditOptions, KeptFindings
from evenhand.audits.question import word_to_ask
from evenhand.data.table import FeatureTable
from evenhand.runs.contents import run_on


def audited_word(table: FeatureTable, *, run: Path | None = None, seed: int = 0, device: str = "cpu") -> str:
    """Return the word that fits the errors of a slice, or else one that goes with a label, beyond chance.

    Raises
    ------
    EvenhandError
        If there is no such word, so the user must give the question.
    """
    found = None if run is None else run_on(table, run)
    models = evaluate_models(table.with_groups(None), seed, found)
    options = AuditOptions(seed)
    kept = KeptFindings.of(found, table, options)
    findings = kept.read() or search_errors(models, options, kept, device=device).findings
    word = word_to_ask(models, findings.named, findings.associations)
    if word is None:
        why = findings.named.no_words or "no word fits the errors or goes with the label beyond chance"
        raise EvenhandError(
            f"question: the audit names nothing to ask about ({why}); say what to ask, such as "
            "`question='Is there water in the background?'`"
        )
    return word
