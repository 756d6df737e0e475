from importlib import resources
from pathlib import Path

import pytest

from evenhand import EvenhandError, load_openclip
from evenhand.audits.vocabulary import common_words, default_words, given_vocabulary, read_vocabulary
from evenhand.backbones.tiny import load_tiny


def test_the_default_is_a_few_thousand_words_with_its_license() -> None:
    words = common_words().words
    assert 2000 <= len(words) <= 5000
    assert list(words) == sorted(set(words))
    assert all(word == word.strip().lower() and word for word in words)
    assert {"forest", "water", "snow", "night", "street", "indoor", "cartoon", "blond"} <= set(words)
    license = resources.files("evenhand.audits") / "word_list" / "LICENSE.wordnet"
    assert "Princeton University" in license.read_text(encoding="utf-8")


def test_empty_lines_and_repeated_words_are_left_out_with_a_note(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("\ufeffForest\n\n  \nsnowy  street\nforest\nsnow\n", encoding="utf-8")
    found = read_vocabulary(path)
    assert found.words == ("Forest", "snowy street", "snow")
    (note,) = found.notes
    assert all(part in note for part in (str(path), "2 empty lines", "1 repeated words"))
    path.write_text("snow\n")
    assert read_vocabulary(path).notes == ()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "^vocabulary: .* holds no word"),
        (b"\n \n", "holds no word"),
        (b"\xff\xfe\x00", "cannot be read as UTF-8"),
        (None, "^vocabulary: .* cannot be read as UTF-8"),
    ],
)
def test_what_is_no_vocabulary(tmp_path: Path, content: bytes | None, sentence: str) -> None:
    path = tmp_path / "words.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(EvenhandError, match=sentence):
        read_vocabulary(path)


def test_the_path_of_a_vocabulary_may_be_a_string(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("snow\n")
    assert given_vocabulary(str(path)) == given_vocabulary(path) == read_vocabulary(path)


def test_class_names_are_no_words_for_errors() -> None:
    vocabulary = default_words("m", ["Water Bird", "land", "waterbird"])
    assert vocabulary.without(["water_bird"]).words == ("land", "waterbird")
    assert vocabulary.prompts()["land"] == ["a photo of land.", "a photo of a land."]


def test_a_models_folder_may_say_which_words_it_knows(tmp_path: Path) -> None:
    assert {"water", "meadow", "duck"} <= set(load_tiny().words)
    with resources.as_file(resources.files("evenhand.backbones") / "tiny_model") as source:
        for name in ("open_clip_config.json", "open_clip_model.safetensors"):
            (tmp_path / name).write_bytes((source / name).read_bytes())
    assert load_openclip(f"local-dir:{tmp_path}").words == ()
