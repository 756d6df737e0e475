from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evenhand.audits.associations import Associations, Legibility, WordAssociation
from evenhand.audits.column_associations import Bounded, ColumnAssociation
from evenhand.audits.error_analysis import ErrorAnalysis, analyze_run
from evenhand.evaluation.accuracy import rate
from evenhand.reports import embedding_map
from evenhand.reports.galleries import contradicting_gallery
from evenhand.reports.page import render
from evenhand.reports.source import read_source

BAD = "<script>alert(1)</script>"


@pytest.fixture(autouse=True)
def quick_layout(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace the map's layout, which is tested elsewhere."""
    monkeypatch.setattr(embedding_map, "layouts", lambda z, _: [one[:, :2] for one in z])


@pytest.fixture(scope="module")
def view(make_run: Callable[..., Path]) -> ErrorAnalysis:
    return analyze_run(make_run("associations"))


def with_associations(view: ErrorAnalysis, found: Associations) -> ErrorAnalysis:
    findings = view.findings.model_copy(update={"associations": found})
    return replace(view, findings=findings)


def section(view: ErrorAnalysis, found: Associations) -> str:
    results, _ = read_source(view.models.run.folder)
    html = render(results, with_associations(view, found), saliency=False)
    return html[html.index('<section id="associations">') : html.index('<section id="map">')]


def some(**changes: object) -> Associations:
    word = WordAssociation(label="gull", word=BAD, difference=1.25, low=1.0, goes_with_label=True)
    pale = word.model_copy(update={"word": "moss", "difference": 0.25, "goes_with_label": False})
    bounded = Bounded(value=0.75, low=0.5, high=0.875)
    column = ColumnAssociation(
        column="site",
        n=80,
        values=3,
        association=bounded,
        readable=bounded,
        chance=0.5,
        fall=None,
        verdict="confounded",
        sentence="site: goes with the label, and more",
    )
    read = Legibility(
        by_names=rate("by_names", np.arange(100) < 90),
        without_names=rate("without_names", np.arange(100) < 80),
        contradicting=30,
        contradicting_rows=(3, 5),
        taken_for=("jay", "gull"),
    )
    found = Associations(
        n=1234, words=(word, pale), legibility=read, columns=(column,), sentence="*moss* goes with gull"
    )
    return found.model_copy(update=changes)


def test_the_section_shows_words_columns_and_contradictions(view: ErrorAnalysis) -> None:
    html = section(view, some())
    assert BAD not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt; <b>+1.25</b>" in html
    assert '<li class="pale">moss <b>+0.25</b>' in html
    assert "Measured on 1,234 training rows" in html
    assert '<th scope="row">site</th><td>confounded</td><td>0.75<small>0.50 to 0.88</small></td>' in html
    assert "<td>75.0<small>50.0 to 87.5</small></td><td>50.0</td><td>–</td>" in html
    assert "goes with the label, and more</td>" in html
    assert "Images that contradict it: 30" in html
    assert "the 2 surest are shown" in html
    assert "→ jay" in html


def test_words_that_say_nothing_are_left_out(view: ErrorAnalysis) -> None:
    html = section(view, some(no_words="no tower", columns=(), legibility=None))
    for absent in ("Pale words", "Columns of the training rows", "Images that contradict it"):
        assert absent not in html


def test_the_gallery_has_what_the_probe_takes_each_image_for(view: ErrorAnalysis) -> None:
    table = view.models.table
    gallery = contradicting_gallery(table, some().legibility)
    assert gallery.total == 30
    assert [image.row for image in gallery.images] == [3, 5]
    assert [image.predicted for image in gallery.images] == [
        (table.classes[table.y[3]], "jay"),
        (table.classes[table.y[5]], "gull"),
    ]
    assert contradicting_gallery(table, None).images == []
