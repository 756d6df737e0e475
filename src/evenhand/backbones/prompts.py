"""Prompts for class names: open_clip's template lists, the user's templates, prompts per class."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from open_clip.zero_shot_metadata import OPENAI_IMAGENET_TEMPLATES, SIMPLE_IMAGENET_TEMPLATES

from evenhand._errors import EvenhandError

DEFAULT = ("a photo of a {}.",)
LISTS: dict[str, tuple[Callable[[str], str], ...]] = {
    "openai": OPENAI_IMAGENET_TEMPLATES,
    "simple": SIMPLE_IMAGENET_TEMPLATES,
}


def class_prompts(
    classes: Sequence[str], templates: str | Sequence[str] | None = None
) -> dict[str, list[str]]:
    """Return the prompts of each class.

    Parameters
    ----------
    classes : sequence of str
        Class names; underscores are read as spaces.
    templates : "openai", "simple", a sequence of templates, or None
        `{}` or `{c}` stands for the class; None is "a photo of a {}.".

    Raises
    ------
    EvenhandError
        If a list's name is unknown, the list is empty, or a template has neither.
    """
    if isinstance(templates, str):
        if templates not in LISTS:
            raise EvenhandError(f"template list {templates!r} is unknown; name one of {', '.join(LISTS)}")
        return {name: [fill(_spoken(name)) for fill in LISTS[templates]] for name in classes}
    chosen = DEFAULT if templates is None else tuple(templates)
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


def _fill(template: str, name: str) -> str:
    # Not str.format: other braces in a template are text.
    return name.join(template.replace("{c}", "{}").split("{}"))


def _spoken(name: str) -> str:
    return name.replace("_", " ")
