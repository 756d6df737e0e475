"""The card says what the run says, and shows names without obeying them."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import yaml

from evenhand.exports.model_card import base_name, model_card, plain
from evenhand.exports.source import ExportSource, read_source

from .conftest import MakeRun


@pytest.fixture
def source(make_run: MakeRun) -> ExportSource:
    return read_source(make_run("vit"))


def header(card: str) -> dict[str, Any]:
    _, text, _ = card.split("---\n", 2)
    found: dict[str, Any] = yaml.safe_load(text)
    return found


@pytest.mark.parametrize(
    ("to", "load"),
    [
        ("open_clip", "create_model_and_transforms"),
        ("transformers", 'pipeline("zero-shot-image-classification"'),
        ("onnx", "InferenceSession"),
    ],
)
def test_it_tells_how_to_load_and_how_good_it_is(source: ExportSource, to: str, load: str) -> None:
    card = model_card(source, to, 1e-7)
    assert load in card
    assert header(card)["library_name"] == to
    assert "at most 1.0e-07" in card
    row = source.result
    for rate in row["classes"]:
        shown = (
            f"| {rate['name']} | {rate['n']} (few) | {100 * rate['value']:.1f} | {100 * rate['low']:.1f} to "
        )
        assert shown in card
    (result,) = header(card)["model-index"][0]["results"]
    assert result["metrics"][0]["value"] == row["averages"]["plain"]
    assert "Group labels used: **none**" in card
    assert "Fewer than 30 rows were available for: cat, dog, jay bird" in card
    assert "No groups were known" in card
    assert "a photo of a cat.; one cat" in card


def test_groups_differences_and_reasons_are_told(source: ExportSource) -> None:
    rate = {"name": "cat / grass", "n": 40, "value": 0.5, "low": 0.4, "high": 0.6}
    empty = {"name": "dog / sand", "n": 0, "value": None, "low": None, "high": None}
    more = {
        "groups": [rate, empty],
        "worst_group": rate,
        "difference_to_erm": {"value": 0.1, "low": -0.05, "high": 0.2},
        "selection": "worst_group, validation from given",
        "group_labels_used": "validation",
        "kept": {"reason": "it gains"},
        "notes": ["a note"],
    }
    card = model_card(dataclasses.replace(source, result={**source.result, **more}), "open_clip", 0.0)
    assert "| worst group: cat / grass | 40 | 50.0 | 40.0 to 60.0 |" in card
    assert "| dog / sand | 0 (few) | – | – |" in card
    assert "+10.0 points, 95 % interval\n-5.0 to +20.0" in card
    assert "Group labels used: **validation**" in card
    assert "- it gains\n- a note\n" in card
    assert header(card)["model-index"][0]["results"][0]["metrics"][1]["value"] == 0.5


HOSTILE = "<script>x</script>\n---\n| a | `b` [c](d) \x1b[31m\u202e $x$ {{ 7 * 7 }}"


def test_names_are_shown_and_not_obeyed(source: ExportSource) -> None:
    result = {**source.result, "classes": [{**source.result["classes"][0], "name": HOSTILE}]}
    prompts = {**source.prompts, HOSTILE: [HOSTILE]}
    card_data = {**source.card, "store_card": {**source.card["store_card"], "prompts": prompts}}
    hostile = dataclasses.replace(source, result=result, card=card_data, classes=[HOSTILE, "dog"])
    for to in ("open_clip", "transformers", "onnx"):
        card = model_card(hostile, to, 0.0)
        assert header(card)["library_name"] == to
        assert "<script>" not in card
        assert "\x1b" not in card
        assert "\u202e" not in card
        assert "49" not in card.split("| a |")[0][:200]
        assert card.count("\n---\n") == 1
        assert card.count("```") == 2


def test_plain_text() -> None:
    assert plain("a_b|c<d>\n`e`") == r"a\_b\|c\<d\>�\`e\`"


@pytest.mark.parametrize(
    ("made", "name"),
    [
        ({"model": "ViT-L-14", "pretrained": "openai"}, "ViT-L-14, openai"),
        ({"model": "ViT-L-14", "pretrained": "/home/me/my.pt"}, "ViT-L-14, my.pt"),
        ({"model": "local-dir:/home/me/model", "pretrained": None}, "local-dir:model"),
        ({"model": "hf:/home/me/model", "pretrained": None}, "hf:model"),
        ({"model": "hf:openai/clip-vit-base-patch32", "pretrained": None}, "hf:openai/clip-vit-base-patch32"),
        ({"model": "tiny"}, "tiny"),
    ],
)
def test_the_base_model_is_named_without_folders(made: dict[str, Any], name: str) -> None:
    assert base_name(made) == name


def test_no_folder_of_the_machine_is_told(source: ExportSource, tmp_path: Path) -> None:
    assert str(source.run.parent) not in model_card(source, "open_clip", 0.0)
