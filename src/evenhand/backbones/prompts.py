"""Prompts for class names: open_clip's template lists, the user's templates, prompts per class."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from open_clip.zero_shot_metadata import OPENAI_IMAGENET_TEMPLATES, SIMPLE_IMAGENET_TEMPLATES

from evenhand._errors import EvenhandError, NotAllowedError

DEFAULT = ("a photo of a {}.",)
LISTS = {
    "openai": tuple(fill("{}") for fill in OPENAI_IMAGENET_TEMPLATES),
    "simple": tuple(fill("{}") for fill in SIMPLE_IMAGENET_TEMPLATES),
}
_VOWEL = re.compile(
    r"(?!uni|us[aeu]|ut[ei]|ur[aeio]|uku|eu|ewe|one\b|once\b)[aeiou]|heir|honest|hono|hour|x-?ray|8|1[18]\b",
    re.I,
)
"""First letters that sound like a vowel: not those of unicorn, user, European and one, but those of hour."""
_SPELLED = re.compile(r"[AEFHILMNORSX][A-Z]{1,2}\b")
"""An abbreviation that begins with a vowel when its letters are spelled: an MRI, an SUV."""


def class_prompts(
    classes: Sequence[str], templates: str | Sequence[str] | None = None
) -> dict[str, list[str]]:
    """Return the prompts of each class.

    Parameters
    ----------
    classes : sequence of str
        Class names; underscores are read as spaces.
    templates : "openai", "simple", a sequence of templates, or None
        `{}` or `{c}` is replaced by the class name; None is "a photo of a {}.". The templates of evenhand and
        open_clip get "an" before a vowel, as in "an automobile"; a sequence is taken as it is written.

    Raises
    ------
    EvenhandError
        If a list's name is unknown, the list is empty, or a template has neither.
    """
    if isinstance(templates, str) and templates not in LISTS:
        raise NotAllowedError.of("templates", templates, LISTS)
    if templates is None or isinstance(templates, str):
        chosen = DEFAULT if templates is None else LISTS[templates]
        return {
            name: [_fill(_with_article(template, _spoken(name)), _spoken(name)) for template in chosen]
            for name in classes
        }
    chosen = tuple(templates)
    if not chosen:
        raise EvenhandError("the list of templates is empty; give at least one, such as 'a photo of a {}.'")
    for template in chosen:
        if "{}" not in template and "{c}" not in template:
            raise EvenhandError(
                f"template {template!r} has no {{}}; write {{}} or {{c}} where the class name goes"
            )
    return {name: [_fill(template, _spoken(name)) for template in chosen] for name in classes}


def complete(prompts: Mapping[str, Sequence[str]], classes: Sequence[str]) -> dict[str, list[str]]:
    """Return prompts in the order of `classes`.

    Raises
    ------
    EvenhandError
        If a class has no prompt.
    """
    for name in classes:
        if not prompts.get(name):
            raise EvenhandError(f"class {name!r} has no prompt; give at least one for every class")
    return {name: list(prompts[name]) for name in classes}


def _with_article(template: str, name: str) -> str:
    """Return a template with "an" before the place of a name that begins with the sound of a vowel."""
    abbreviation = re.match(r"[A-Z]{2,3}\b", name)
    vowel = (_SPELLED if abbreviation else _VOWEL).match(name)
    return re.sub(r"\b([Aa]) \{\}", r"\1n {}", template) if vowel else template


def _fill(template: str, name: str) -> str:
    # Not str.format: other braces in a template are text.
    return name.join(template.replace("{c}", "{}").split("{}"))


def _spoken(name: str) -> str:
    return name.replace("_", " ")
