"""Words with their features go into a store of imported embeddings, and the audit names things by them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evenhand import EvenhandError, audit, fit, import_embeddings, load_store
from evenhand.audits.text_tower import load_tower
from evenhand.audits.vocabulary import Vocabulary

WORDS = ("water", "wood", "moss", "gull")


@pytest.fixture
def brought(tmp_path: Path) -> dict[str, Any]:
    """Return the arguments of an import whose classes go with water and wood in every row."""
    generator = np.random.default_rng(0)
    y = np.arange(400) % 2
    X = generator.normal(size=(400, 12)).astype(np.float32)
    X[:, 0] += 3 * (2 * y - 1)
    X[np.arange(400), 1 + y] += 3
    text = np.zeros((2, 12), dtype=np.float32)
    text[:, 0] = [-1, 1]
    np.save(tmp_path / "X.npy", X)
    np.save(tmp_path / "T.npy", text)
    np.save(tmp_path / "W.npy", 7 * np.eye(12, dtype=np.float32)[[1, 2, 3, 0]])
    (tmp_path / "words.txt").write_text("\n".join(WORDS), encoding="utf-8")
    lines = [f"{'gull' if code == 0 else 'jay'},{'test' if k < 80 else 'train'}" for k, code in enumerate(y)]
    (tmp_path / "rows.csv").write_text("\n".join(["label,split", *lines]), encoding="utf-8")
    return {
        "features": [tmp_path / "X.npy"],
        "table": tmp_path / "rows.csv",
        "label_column": "label",
        "text_features": tmp_path / "T.npy",
        "vocabulary": tmp_path / "words.txt",
        "vocabulary_features": tmp_path / "W.npy",
        "out": tmp_path / "x.store",
    }


def test_imported_words_name_what_goes_with_the_label(brought: dict[str, Any]) -> None:
    import_embeddings(**brought)
    table = load_store(brought["out"])
    assert table.head.words == WORDS
    assert table.head.word_features is not None
    assert np.allclose(table.head.word_features, np.eye(12)[[1, 2, 3, 0]])
    tower = load_tower(table, None)
    assert tower.vocabulary.words == ("water", "wood", "moss"), "without the class names"
    assert tower.embedded.argmax(axis=1).tolist() == [1, 2, 3]
    assert tower.vocabulary.source == "the 4 words that were imported"
    found = audit(table)
    assert found.associations is not None
    assert found.associations.sure_words() == {"gull": ["water"], "jay": ["wood"]}


def test_costs_that_need_prompts_are_not_measured_with_imported_words(
    brought: dict[str, Any], tmp_path: Path
) -> None:
    table = import_embeddings(**brought)
    fit(table, method="erm", out=tmp_path / "x.run")
    costs = {one.name: one for one in audit(table, run=tmp_path / "x.run").costs}
    assert costs["zero_shot"].reason == costs["retrieval"].reason
    assert "the words were imported" in str(costs["zero_shot"].reason)
    assert costs["words_kept"].after is not None


def test_other_words_than_those_imported_cannot_be_embedded(brought: dict[str, Any]) -> None:
    table = import_embeddings(**brought)
    with pytest.raises(EvenhandError, match="the store's words are those that it was imported with"):
        load_tower(table, Vocabulary(("lake",), "one word"))


def test_other_features_of_words_make_another_store(brought: dict[str, Any], tmp_path: Path) -> None:
    import_embeddings(**brought)
    assert load_store(brought["out"]) is not None
    np.save(tmp_path / "W.npy", np.eye(12, dtype=np.float32)[4:8])
    with pytest.raises(EvenhandError, match="was made with other `vocabulary_features`"):
        import_embeddings(**brought)


@pytest.mark.parametrize("left_out", ["vocabulary", "vocabulary_features", "text_features"])
def test_words_need_all_three(brought: dict[str, Any], left_out: str) -> None:
    with pytest.raises(EvenhandError, match=r"^vocabulary: words need .* give all three or no words"):
        import_embeddings(**{**brought, left_out: None})


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a\n\nb\nc", "^vocabulary: line 2 of .* is empty or repeats a word"),
        ("a\nb\na\nc", "^vocabulary: line 3 of .* is empty or repeats a word"),
        ("", "^vocabulary: line 1 of .* is empty or repeats a word"),
        ("a\nb", r"^vocabulary_features: .* has shape \[4, 12\], but it must be \[2, 12\], a row per word"),
        (b"\xff\xfe\xff", "^vocabulary: .* cannot be read as UTF-8 text"),
    ],
)
def test_words_that_do_not_fit_are_refused(brought: dict[str, Any], text: str | bytes, sentence: str) -> None:
    brought["vocabulary"].write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(EvenhandError, match=sentence):
        import_embeddings(**brought)
    assert not brought["out"].exists()


def test_a_word_without_a_direction_is_refused(brought: dict[str, Any], tmp_path: Path) -> None:
    np.save(tmp_path / "W.npy", np.diag([1.0, 1, 0, 1] + [0] * 8)[:4])
    with pytest.raises(EvenhandError, match="all zeros in row 3; every word needs a direction"):
        import_embeddings(**brought)
