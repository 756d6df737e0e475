import re

import pytest
from open_clip.zero_shot_metadata import OPENAI_IMAGENET_TEMPLATES, SIMPLE_IMAGENET_TEMPLATES

from evenhand import EvenhandError
from evenhand.backbones.prompts import class_prompts, complete


def test_the_default_is_a_photo_of() -> None:
    assert class_prompts(["cat", "sea_bird"]) == {
        "cat": ["a photo of a cat."],
        "sea_bird": ["a photo of a sea bird."],
    }


@pytest.mark.parametrize(
    ("name", "templates"), [("openai", OPENAI_IMAGENET_TEMPLATES), ("simple", SIMPLE_IMAGENET_TEMPLATES)]
)
def test_the_lists_are_open_clips(name: str, templates: list[object]) -> None:
    prompts = class_prompts(["cat"], name)["cat"]
    assert len(prompts) == len(templates)
    assert all("cat" in prompt for prompt in prompts)


def test_a_users_templates_are_filled_and_other_braces_left() -> None:
    assert class_prompts(["{}", "a"], ["{c}, a {} {x}"]) == {"{}": ["{}, a {} {x}"], "a": ["a, a a {x}"]}


def test_an_unknown_list_is_refused() -> None:
    with pytest.raises(EvenhandError, match="'clip' is unknown; the allowed values are openai, simple"):
        class_prompts(["cat"], "clip")


def test_an_empty_list_is_refused() -> None:
    with pytest.raises(EvenhandError, match="the list of templates is empty"):
        class_prompts(["cat"], [])


def test_a_template_without_a_place_for_the_class_is_refused() -> None:
    with pytest.raises(EvenhandError, match=r"'a photo' has no \{\}"):
        class_prompts(["cat"], ["a photo"])


def test_prompts_come_in_the_order_of_the_classes() -> None:
    assert list(complete({"b": ["x"], "a": ["y", "z"]}, ["a", "b"])) == ["a", "b"]


@pytest.mark.parametrize("prompts", [{"a": ["x"]}, {"a": ["x"], "b": []}])
def test_a_class_without_prompts_is_refused(prompts: dict[str, list[str]]) -> None:
    with pytest.raises(EvenhandError, match="class 'b' has no prompt"):
        complete(prompts, ["a", "b"])


AN = ("automobile", "Indigo_bunting", "umbrella", "hour", "MRI", "X-ray", "8-ball")
A = ("unicorn", "user", "European", "one-way_sign", "UFO", "CAT", "house", "{}")


@pytest.mark.parametrize("name", [*AN, *A])
@pytest.mark.parametrize("templates", [None, "openai", "simple"])
def test_the_article_goes_by_the_sound_of_the_name(name: str, templates: str | None) -> None:
    spoken = name.replace("_", " ")
    article = "an" if name in AN else "a"
    found = [
        re.search(rf"\b(an?) {re.escape(spoken)}", p, re.I) for p in class_prompts([name], templates)[name]
    ]
    articles = [match[1].lower() for match in found if match]
    assert articles
    assert set(articles) == {article}


def test_the_users_own_templates_stay_as_they_are_written() -> None:
    assert class_prompts(["automobile"], ["a {}"]) == {"automobile": ["a automobile"]}
