"""The audit as one library call, and what it does with hard tables."""

import dataclasses
import json
import shutil
import warnings
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from evenhand import EvenhandError, FeatureTable, Head, fit, load_openclip, load_store, load_tiny
from evenhand.audits import evaluate as evaluate_module
from evenhand.audits import suspects as suspects_module
from evenhand.audits import text_tower
from evenhand.audits.error_analysis import analyze_run
from evenhand.audits.pipeline import Audit, audit
from evenhand.audits.suspects import find_suspects
from evenhand.audits.text_tower import load_tower
from evenhand.audits.vocabulary import Vocabulary, default_words


@pytest.fixture(scope="module")
def run(make_run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CFR run on 1,200 rows whose images are gone and whose model cannot be loaded."""
    made: Path = make_run("audit", n=1200)
    return made


@pytest.fixture(scope="module")
def found(run: Path) -> Audit:
    return audit(load_store(run.parent / "x.store"), run=run)


def test_before_and_after_of_a_run(found: Audit) -> None:
    assert found.models == ["erm", "cfr"]
    assert found.method == "cfr"
    assert found.before is not None
    assert found.before.method == "erm"
    assert found.sampled == 600
    sure = [one for one in found.slices if one.model == "erm" and one.beyond_chance]
    assert {one.label for one in sure} == {"gull", "jay"}
    assert all(set(one.errors_of) == {"erm", "cfr"} for one in sure)
    assert {(one.model, one.method) for one in found.matches} == {
        (model, method) for model in ("erm", "cfr") for method in ("mixture", "clusters")
    }
    (probed,) = [one for one in found.probes if one.known]
    assert [side.model for side in probed.sides] == ["erm", "cfr"]
    assert all((side.flipped.value or 0) > 0.3 for side in probed.sides), "validation kept ERM here"


def test_images_that_moved_and_a_model_that_is_gone_are_said(found: Audit) -> None:
    assert any(
        "are no longer at their paths; the store's thumbnails show them" in note for note in found.notes
    )
    assert any(note.startswith("no words: the text tower cannot be used") for note in found.notes)
    assert all(cost.reason for cost in found.costs)
    assert {cost.name for cost in found.costs} == {
        "zero_shot:place",
        "retrieval:place",
        "words_kept",
        "retrieval_kept",
    }


def test_the_audit_is_plain_data(found: Audit) -> None:
    text = json.dumps(found.model_dump(mode="json"), allow_nan=False)
    assert Audit.model_validate(json.loads(text)) == found


def test_group_labels_are_shown_and_never_used(run: Path, found: Audit) -> None:
    table = load_store(run.parent / "x.store")
    shuffled = np.random.default_rng(0).permutation(table.attributes["place"])
    other = audit(dataclasses.replace(table, attributes={"place": shuffled}), run=run)
    assert other.slices == found.slices
    assert other.suspects == found.suspects
    assert other.worst_group != found.worst_group


@pytest.mark.parametrize(
    ("kept", "may_be"),
    [
        ({"candidate": "epoch 3"}, {"wrong label or hard image"}),
        ({"candidate": "erm"}, set()),
        ({"candidate": "zero-shot"}, set()),
    ],
)
def test_suspects_are_named_only_where_something_was_calibrated(
    run: Path, kept: dict[str, str], may_be: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    view = analyze_run(run, vocabulary=Path("none"))
    records = [{**one, "low": 0.2} for one in view.calibration_set.records]
    calibration = dataclasses.replace(view.calibration_set, records=records)
    monkeypatch.setattr(suspects_module, "mostly_correct", lambda *_: np.ones(2, dtype=bool))
    found = find_suspects(view.models, calibration, kept)
    assert {one.may_be for one in found} == may_be


def test_rates_of_the_gate(found: Audit) -> None:
    rates = found.rates()
    own = [one for one in found.slices if one.model == "cfr" and one.beyond_chance]
    assert rates["plain"] == found.averages.plain
    assert rates["worst-slice"] == min([1 - one.errors / one.n for one in own], default=rates["worst-class"])


def test_zero_shot_alone(table: FeatureTable) -> None:
    found = audit(table)
    assert found.models == ["zero_shot"]
    assert found.before is None
    assert found.costs == found.suspects == []


def test_a_run_that_has_no_before(table: FeatureTable, tmp_path: Path) -> None:
    fit(table, method="zero_shot", out=tmp_path / "zero.run")
    found = audit(table, run=tmp_path / "zero.run")
    assert found.models == ["zero_shot"]
    assert found.before is None


def test_no_error_at_all(table: FeatureTable) -> None:
    X = table.features(np.arange(len(table)))
    X[:, 0] = 20 * (2 * table.y - 1)
    found = audit(dataclasses.replace(table, parts=[X]))
    assert found.slices == []
    assert any("no errors among 200 rows" in note for note in found.notes)


def small(n: int, classes: int) -> FeatureTable:
    generator = np.random.default_rng(0)
    y = np.arange(n) % classes
    names = tuple(f"c{k:04d}" for k in range(classes))
    return FeatureTable(
        parts=[generator.normal(size=(n, 16)).astype(np.float32)],
        y=y,
        split=np.where(np.arange(n) // classes % 2 == 0, "train", "test"),
        ids=np.arange(n).astype(str),
        paths=np.full(n, ""),
        attributes={},
        head=Head(np.eye(16, dtype=np.float32), None, names),
        card={"family": "import"},
    )


def test_without_text_it_is_class_centroids_that_are_audited() -> None:
    assert audit(small(40, 2)).models == ["class_centroids"]


def test_ten_rows() -> None:
    found = audit(small(10, 2))
    assert found.slices == found.probes == found.matches == []


def test_a_thousand_classes() -> None:
    table = small(6000, 1000)
    text = np.random.default_rng(1).normal(size=(1000, 16)).astype(np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = audit(dataclasses.replace(table, head=dataclasses.replace(table.head, text=text)))
    assert len(found.classes) == 1000
    assert found.sampled == 3000


def test_of_many_rows_a_sample_is_sliced_and_that_is_said(
    table: FeatureTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluate_module, "MOST", 150)
    found = audit(table)
    assert found.sampled == 150
    assert found.classes[0].n == 100
    assert any("150 of 200 rows" in note and "seed 0" in note for note in found.notes)


def test_rows_that_chose_are_not_sliced(table: FeatureTable, tmp_path: Path) -> None:
    split = table.split.astype("<U10")
    split[400:500] = "validation"
    given = dataclasses.replace(table, split=split)
    fit(given, method="erm", out=tmp_path / "e.run", validation_from="given")
    assert audit(given).sampled == 200
    found = audit(given, run=tmp_path / "e.run")
    assert found.sampled == 100
    assert any("the test split" in note for note in found.notes)


def test_a_text_tower_embeds_words_without_the_classes(table: FeatureTable) -> None:
    model = load_tiny()
    head = model.head(("landbird", "waterbird"), {n: [f"a {n}."] for n in ("landbird", "waterbird")})
    tower = load_tower(dataclasses.replace(table, head=head, card=model.card()), None)
    assert "waterbird" not in tower.vocabulary.words
    assert tower.vocabulary.source == "the 12 words that model tiny knows"
    assert tower.embedded.shape == (10, 128)
    assert np.allclose(np.linalg.norm(tower.embedded, axis=1), 1, atol=1e-5)
    alone = model.head(("grass", "lake"), Vocabulary(("grass", "lake"), "").prompts())
    for word, vector in zip(alone.classes, alone.text, strict=True):
        np.testing.assert_allclose(tower.embedded[tower.vocabulary.words.index(word)], vector, atol=1e-6)
        np.testing.assert_allclose(tower.embed({word: alone.prompts[word]}), [vector], atol=1e-6)
    empty = load_tower(
        dataclasses.replace(table, head=head, card=model.card()), Vocabulary(("landbird",), "one word")
    )
    assert empty.embedded.shape == (0, 128)


def test_a_folder_that_does_not_say_its_words_gets_the_default_ones_and_a_warning(
    table: FeatureTable, tmp_path: Path
) -> None:
    with resources.as_file(resources.files("evenhand.backbones") / "tiny_model") as source:
        for name in ("open_clip_config.json", "open_clip_model.safetensors"):
            (tmp_path / name).write_bytes((source / name).read_bytes())
    model = load_openclip(f"local-dir:{tmp_path}")
    head = model.head(("landbird", "waterbird"), {n: [f"a {n}."] for n in ("landbird", "waterbird")})
    other = dataclasses.replace(table, head=head, card=model.card())
    given = load_tower(other, Vocabulary(("lake",), "one word"))
    assert given.vocabulary.notes == ()
    unknown = load_tower(other, None)  # the tiny model knows 12 words
    assert unknown.vocabulary.words == unknown.vocabulary.notes == ()
    assert "it does not know common words" in unknown.unknown
    assert text_tower.tower_or_reason(other, None)[1] == unknown.unknown
    (note,) = default_words(model.name, ()).notes
    assert "does not list the words" in note
    assert default_words("ViT-B-32", ()).notes == ()
    assert default_words(f"hf:{tmp_path}", ()).notes == (note.replace("local-dir:", "hf:"),)
    assert default_words("hf:openai/clip-vit-large-patch14", ()).notes == ()


def test_no_tower(table: FeatureTable) -> None:
    with pytest.raises(EvenhandError, match="imported without a text tower"):
        load_tower(table, None)
    with pytest.raises(EvenhandError, match="the text tower cannot be used"):
        load_tower(dataclasses.replace(table, card={"family": "open_clip"}), None)


def test_too_few_slices(table: FeatureTable) -> None:
    with pytest.raises(EvenhandError, match=r"^slices: 1 "):
        audit(table, slices=1)


@pytest.mark.parametrize("plan", [0.0, 1.0, 10.0])
def test_a_plan_that_is_no_gap(table: FeatureTable, plan: float) -> None:
    with pytest.raises(EvenhandError, match=rf"^plan: {plan:g} is not a gap in accuracy; give a fraction"):
        audit(table, plan=plan)


def test_another_stores_run(run: Path, table: FeatureTable) -> None:
    with pytest.raises(EvenhandError, match=r"^the table is not the one that .*x.run was fitted on"):
        audit(table, run=run)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(None, "cannot be read"), ("elsewhere", "names the row 'elsewhere', which the store lacks")],
)
def test_a_damaged_calibration_set(
    run: Path, tmp_path: Path, content: str | None, sentence: str, reseal: Callable[..., None]
) -> None:
    shutil.copytree(run, tmp_path / "x.run")
    path = tmp_path / "x.run" / "calibration_set.parquet"
    if content is None:
        path.write_bytes(b"no parquet")
    else:
        pq.write_table(pa.table({"id": [content]}), path)
    reseal(tmp_path / "x.run")
    with pytest.raises(EvenhandError, match=sentence):
        audit(load_store(run.parent / "x.store"), run=tmp_path / "x.run")


def test_arrays_give_what_their_table_gives(table: FeatureTable) -> None:
    rows = np.arange(len(table))
    X, labels, places = table.features(rows), table.labels(rows), table.attributes["place"]
    found = audit(X, labels, groups={"place": places}, head=table.head)
    same = FeatureTable.from_arrays(X, labels, groups={"place": places}, head=table.head)
    assert found == audit(same)
    assert found.models == ["zero_shot"]
    assert [one.name for one in found.groups] == [
        f"{a} / {b}" for a in ("gull", "jay") for b in ("sea", "wood")
    ]
    assert found.classes[0].n == sum((same.split == "test") & (labels == "gull"))


def test_an_array_of_groups_is_one_attribute_and_no_head_means_class_centroids(table: FeatureTable) -> None:
    rows = np.arange(len(table))
    found = audit(table.features(rows), table.y, groups=table.attributes["place"], group_by="group")
    assert found.models == ["class_centroids"]
    assert {one.name for one in found.groups} == {f"{a} / {b}" for a in "01" for b in ("sea", "wood")}


def test_arrays_need_labels_and_a_table_brings_its_own(table: FeatureTable) -> None:
    with pytest.raises(EvenhandError, match="y is missing"):
        audit(np.eye(4, dtype=np.float32))
    with pytest.raises(EvenhandError, match="brings its labels"):
        audit(table, table.y)


def test_a_run_whose_model_moved_is_analyzed(run: Path, found: Audit) -> None:
    """The card that names the moved model is no other store's."""
    moved = analyze_run(run, model="hf-hub:ORG/NAME", vocabulary="none")
    assert [one.name for one in moved.findings.named.slices] == [one.name for one in found.slices]
