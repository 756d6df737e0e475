"""Slices on the page: what is shown, how the map is coloured by them, and hard stores."""

import dataclasses
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.small_hf import write_hf
from tests.small_open_clip import write_open_clip

from evenhand import EvenhandError, FeatureTable, Head, fit, load_store
from evenhand.audits import evaluate as evaluate_module
from evenhand.audits import named_slices, text_tower
from evenhand.audits.error_analysis import ErrorAnalysis, analyze_run
from evenhand.audits.naming import beside_classes
from evenhand.audits.pipeline import audit
from evenhand.audits.text_tower import TextTower
from evenhand.audits.vocabulary import Vocabulary
from evenhand.backbones.load import Loaded, load_backbone
from evenhand.data.store_write import StoreWriter
from evenhand.reports import embedding_map
from evenhand.reports.embedding_map import map_data
from evenhand.reports.page import render, report
from evenhand.reports.sampling import shown_rows
from evenhand.reports.slice_panels import (
    IMAGES,
    MOST,
    NO_SLICE,
    NOT_SLICED,
    SliceSection,
    p_value,
    slice_section,
)
from evenhand.reports.source import read_source
from evenhand.reports.template import emphasized

BAD = "<script>alert(1)</script>"


@pytest.fixture(autouse=True)
def quick_layout(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where points lie is of no account here, and t-SNE is slow."""
    monkeypatch.setattr(embedding_map, "layouts", lambda parts, _: [np.zeros((len(z), 2)) for z in parts])


@pytest.fixture(scope="module")
def run(make_run: Callable[..., Path]) -> Path:
    return make_run("slices", n=1200)


@pytest.fixture(scope="module")
def view(run: Path) -> ErrorAnalysis:
    return analyze_run(run)


@pytest.fixture(scope="module")
def found(view: ErrorAnalysis) -> SliceSection:
    return slice_section(view)


def page(run: Path) -> str:
    results, _ = read_source(run)
    out = run.parent / "report.html"
    return report(results, out, analysis=analyze_run(run), saliency=False).read_text(encoding="utf-8")


def test_the_images_are_listed_beside_the_page_as_the_audit_lists_them(run: Path, tmp_path: Path) -> None:
    page(run)
    audit(load_store(run.parent / "x.store"), run=run, out=tmp_path / "audit")
    for name in ("slices.csv", "errors.csv", "suspects.csv"):
        listed = (run.parent / "report-files" / name).read_bytes()
        assert listed == (tmp_path / "audit" / name).read_bytes()
        assert listed.startswith(b"id,path,label,predicted,slice,model")


def test_files_of_others_beside_the_page_stay(run: Path, view: ErrorAnalysis, tmp_path: Path) -> None:
    (tmp_path / "r-files").mkdir()
    (tmp_path / "r-files" / "mine.txt").touch()
    results, _ = read_source(run)
    with pytest.raises(
        EvenhandError, match=r"folder of the report's files: .*r-files exists and holds mine.txt"
    ):
        report(results, tmp_path / "r.html", analysis=view)
    assert not (tmp_path / "r.html").exists()


def test_they_are_the_audits_sure_slices_with_pictures_of_errors(run: Path, found: SliceSection) -> None:
    table = load_store(run.parent / "x.store")
    sure = [one for one in audit(table, run=run).slices if one.beyond_chance and one.same_as is None]
    assert found.models == ["ERM", "CFR"]
    for side, model in zip(found.by_model, ("erm", "cfr"), strict=False):
        own = [one for one in sure if one.model == model]
        assert side.total == len(own)
        assert [one.slice for one in side.panels] == own[:MOST]
        for one in side.panels:
            assert len(one.errors.images) == min(IMAGES, one.errors.total)
            # Chosen by the first or the last model's errors: that prediction is wrong.
            predicted = [image.predicted[side.name == "CFR"] for image in one.errors.images]
            assert all(name != one.slice.label for name in predicted)
            assert one.rates.estimates[side.name == "CFR"].value == one.slice.error.value


def test_each_row_on_the_map_is_in_its_surest_slice_or_in_none(
    view: ErrorAnalysis, found: SliceSection
) -> None:
    test = view.models.split.test
    points = map_data(view.models, shown_rows(view.models).on_map, found.fields(test), [])
    fields = {one["name"]: one for one in points["fields"]}
    values = fields["slice (ERM)"]["values"]
    named = np.array(values)[fields["slice (ERM)"]["codes"]]
    side = found.by_model[0]
    first = side.panels[0].slice
    on_map = np.isin(view.models.split.test, first.rows)
    assert set(named[on_map]) == {first.name}
    assert values[-1] == NO_SLICE
    rows = np.array([found.numbers[0], len(view.models.table) + 1])
    assert found.fields(rows)[0][1][1] == NOT_SLICED


def test_without_a_text_tower_images_alone_are_shown_and_that_is_said(run: Path) -> None:
    html = page(run)
    assert "shown without words: the text tower cannot be used" in html
    assert "Where ERM errs" in html


def test_words_are_shown_and_escaped(
    view: ErrorAnalysis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = (BAD, "plain")

    def tower(*_: Any, **__: Any) -> Any:
        text = view.models.table.head.text
        assert text is not None
        embedded = np.stack([text[0], -text[0]])
        known = Vocabulary(words, f"the words of {BAD}")
        return TextTower(known, embedded, None)  # type: ignore[arg-type]

    monkeypatch.setattr(text_tower, "load_tower", tower)
    monkeypatch.setattr(named_slices, "beside_classes", lambda vectors, _: vectors)
    results, _ = read_source(view.models.run.folder)
    copied = Path(shutil.copytree(view.models.run.folder, tmp_path / "x.run"))
    html = render(results, analyze_run(copied), saliency=False)
    assert "<script>alert(1)" not in html
    assert 'class="words"' in html
    assert "plain <b>" in html or "&lt;script&gt;alert(1)&lt;/script&gt; <b>" in html
    assert "Words come from the words of &lt;script&gt;" in html


def test_words_that_say_nothing_name_no_slice(view: ErrorAnalysis) -> None:
    text = view.models.table.head.text
    assert text is not None
    embedded = np.stack([text[0], -text[0]])
    tower = TextTower(Vocabulary(("a", "b"), "two words"), embedded, None)  # type: ignore[arg-type]
    named, _ = named_slices.name_slices(view.models, tower, "the words do not fit", seed=0)
    assert (named.words, named.no_words) == (None, "the words do not fit")
    assert not any(one.words for one in named.slices)
    assert all("no word fits" not in one.sentence for one in named.slices)


@pytest.mark.parametrize(
    ("p", "said"), [(4e-10, "p < 0.001"), (0.001, "p = 0.001"), (0.0234, "p = 0.02"), (1.0, "p = 1")]
)
def test_p_values_are_short_and_never_folded(p: float, said: str) -> None:
    assert p_value(p) == said.replace(" ", "\u00a0")


def test_a_sentence_is_escaped_before_its_words_are_emphasized() -> None:
    assert emphasized(f"{BAD}: *a*, *{BAD}*") == (
        "&lt;script&gt;alert(1)&lt;/script&gt;: <em>a</em>, <em>&lt;script&gt;alert(1)&lt;/script&gt;</em>"
    )


def test_models_that_predict_alike_are_shown_once(view: ErrorAnalysis) -> None:
    models = view.models
    first, second = models.audited
    twins = [*models.on_sliced[:-2], first, dataclasses.replace(first, name=second.name)]
    alike = dataclasses.replace(models, on_sliced=twins)
    found = slice_section(dataclasses.replace(view, models=alike))
    assert [one.name for one in found.by_model] == ["ERM"]


def fitted(folder: Path, table: FeatureTable, method: str = "erm") -> Path:
    """Return a run on a table written as an imported store."""
    n = len(table)
    rows = {
        "id": table.ids.tolist(),
        "path": [""] * n,
        "label": table.labels(np.arange(n)).tolist(),
        "split": table.split,
    }
    width = table.features(np.arange(1)).shape[1]
    identity = {"model": "none", **table.card}
    with StoreWriter(
        folder / "x.store", identity=identity, head=table.head, width=width, dtype="float32"
    ) as writer:
        writer.write_part(table.features(np.arange(n)), rows, (), None)
        writer.finish()
    fit(load_store(folder / "x.store"), method=method, out=folder / "x.run")
    return folder / "x.run"


def synthetic(n: int, classes: int, noise: float) -> FeatureTable:
    generator = np.random.default_rng(0)
    y = np.arange(n) % classes
    names = tuple(f"c{k:04d}" for k in range(classes))
    directions = generator.normal(size=(classes, 16)).astype(np.float32)
    return FeatureTable(
        parts=[(directions[y] + noise * generator.normal(size=(n, 16))).astype(np.float32)],
        y=y,
        split=np.where(np.arange(n) // classes % 2 == 0, "train", "test"),
        ids=np.arange(n).astype(str),
        paths=np.full(n, ""),
        attributes={},
        head=Head(np.eye(16, dtype=np.float32), None, names),
        card={"family": "import"},
    )


@pytest.mark.parametrize(
    ("n", "classes", "noise", "said"),
    [
        (10, 2, 1.0, "4 held-out rows were searched"),
        (2000, 1000, 0.3, "1,000 held-out rows were searched"),
        (400, 2, 0.0, "there are no errors among 200 rows"),
    ],
)
def test_few_rows_many_classes_and_no_errors(
    tmp_path: Path, n: int, classes: int, noise: float, said: str
) -> None:
    html = page(fitted(tmp_path, synthetic(n, classes, noise)))
    assert said in html


def misled(backbone: Loaded, n: int = 800) -> FeatureTable:
    """Return rows of a model: all look like dogs, but every fourth waterbird like a cat and a landbird."""
    classes, words = ("landbird", "waterbird"), ("cat", "dog")
    head = backbone.head(classes, {name: [f"a photo of a {name}."] for name in classes})
    known = backbone.head(words, Vocabulary(words, "").prompts())
    assert head.text is not None
    assert known.text is not None
    to_water = np.diff(head.text, axis=0)[0]
    to_water /= np.linalg.norm(to_water)
    # Across the classes, toward dogs as much as away from cats.
    to_dog = np.linalg.pinv(beside_classes(known.text, head.text)) @ [-1.0, 1.0]
    to_dog /= np.linalg.norm(to_dog)
    generator = np.random.default_rng(0)
    y = np.arange(n) % 2
    cat = (y == 1) & (np.arange(n) % 8 == 1)
    middle = head.text.mean(axis=0)
    z = middle - (middle @ to_dog) * to_dog + np.outer(np.where(y & ~cat, 0.5, -0.5), to_water)
    z += np.outer(np.where(cat, -1.0, 1.0), to_dog) + 0.05 * generator.normal(size=z.shape)
    return FeatureTable(
        parts=[(z @ np.linalg.pinv(head.weight)).astype(np.float32)],
        y=y,
        split=np.where(np.arange(n) < n // 2, "train", "test"),
        ids=np.arange(n).astype(str),
        paths=np.full(n, ""),
        attributes={},
        head=head,
        card=backbone.card(),
    )


@pytest.mark.parametrize("kind", ["clip", "siglip", "vit"])
def test_errors_are_named_by_the_models_own_text_tower(kind: str, tmp_path: Path) -> None:
    """`vit` is open_clip's: models of transformers are named no otherwise."""
    folder = tmp_path / "model"
    source = f"local-dir:{write_open_clip(kind, folder)}" if kind == "vit" else f"hf:{write_hf(kind, folder)}"
    (folder / "words.txt").write_text("cat\ndog\nwaterbird\n")
    run = fitted(tmp_path, misled(load_backbone(source)), "zero_shot")
    html = page(run)
    top = html[html.index('<section id="verdict"') : html.index("</section>")]
    assert re.search(r"<li>Hurt: the slice waterbird \d+, \d+ rows whose errors look like <em>cat<", top)
    assert f"the 3 words that model {source} knows" in html
    found = audit(load_store(tmp_path / "x.store"))
    first = next(one for one in found.slices if one.beyond_chance)
    assert [word.word for word in first.words if word.beyond_chance] == ["cat"]
    assert found.words == f"the 3 words that model {source} knows"


def test_zero_shot_alone_has_a_page(tmp_path: Path) -> None:
    html = page(fitted(tmp_path, synthetic(200, 2, 1.0), "zero_shot"))
    assert "only what changed" not in html
    assert "no prediction on the test rows changed" in html


def test_of_many_rows_a_sample_is_sliced_and_that_is_said(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluate_module, "MOST", 400)
    view = analyze_run(run)
    found = slice_section(view)
    assert len(found.numbers) == 400
    results, _ = read_source(run)
    assert "use 400 of 600 rows, drawn with seed 0" in render(results, view, saliency=False)
    if found.by_model:
        assert (found.fields(view.models.split.test)[0][1] == NOT_SLICED).sum() == 200


def test_a_page_of_a_million_rows_has_at_most_2000_points(tmp_path: Path) -> None:
    """The store is one table in memory whose rows repeat, so that only the sampling is at work."""
    view = analyze_run(fitted(tmp_path, synthetic(400, 2, 1.0)))
    models = view.models
    many = dataclasses.replace(
        models,
        split=dataclasses.replace(models.split, test=np.tile(models.split.test, 2500)),
        on_test=[
            dataclasses.replace(
                stage,
                predicted=np.tile(stage.predicted, 2500),
                margins=np.tile(stage.margins, 2500),
                right=np.tile(stage.right, 2500),
            )
            for stage in models.on_test
        ],
    )
    points = map_data(many, shown_rows(many).on_map, [], [])
    assert (points["shown"], points["total"]) == (2000, 500_000)


def test_a_page_is_not_written_into_what_it_was_read_from(view: ErrorAnalysis) -> None:
    run, store = view.folders
    results, _ = read_source(run)
    for folder in (run, store):
        with pytest.raises(EvenhandError, match=r"out: .* is inside .*name a place outside it"):
            report(results, folder / "report.html", analysis=view)
        assert not (folder / "report.html").exists()


def test_results_and_analysis_are_of_one_run(run: Path, view: ErrorAnalysis, tmp_path: Path) -> None:
    results, _ = read_source(run)
    for change in ({"method": "erm"}, {"seed": 7}, {"fit_seconds": 1e9}):
        other = {**results, "rows": [{**results["rows"][0], **change}]}
        with pytest.raises(EvenhandError, match=r"^analysis: it is of .*x.run, which the results do not"):
            report(other, tmp_path / "r.html", analysis=view)
    assert not list(tmp_path.iterdir())
    among = {**results, "rows": [{**results["rows"][0], "seed": 7}, *results["rows"]]}
    html = report(among, tmp_path / "r.html", analysis=view, saliency=False).read_text(encoding="utf-8")
    assert '<section id="slices">' in html
    assert "Saliency was left out." in html


def test_a_page_is_not_written_into_the_folder_of_its_results(run: Path) -> None:
    with pytest.raises(EvenhandError, match=r"^out: .* is inside .*x.run, which this command reads"):
        report(run, run / "report.html")
    assert not (run / "report.html").exists()


def test_what_a_killed_process_left_of_a_page_is_removed(run: Path, tmp_path: Path) -> None:
    left = tmp_path / ".r.html.0123456789abcdef.tmp"
    left.touch()
    report(run, tmp_path / "r.html")
    assert [path.name for path in tmp_path.iterdir()] == ["r.html"]
