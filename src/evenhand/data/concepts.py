"""Concept words: spurious attributes in words of the user's own, for a model's text side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from reprlib import repr as brief
from typing import Any

import yaml

from evenhand._errors import EvenhandError
from evenhand._typing import Floats

VALUE_TEMPLATE = "a photo of {v}."
PAIR_TEMPLATE = "a photo of a {c} with {v}."
_KEYS = ("spurious", "accept", "value_template", "pair_template")


@dataclass(frozen=True)
class ConceptWords:
    """Values of spurious attributes, and pairs that tell the classes apart, in words.

    Attributes
    ----------
    spurious : dict of str to tuple of str
        Of each attribute two or more values, as in `{"background": ("a water background", "…")}`.
    accept : tuple of (str, str), default=()
        Pairs of words that differ in what the classes differ in; may be empty.
    value_template : str, default="a photo of {v}."
        Prompt of a value, at `{v}`.
    pair_template : str, default="a photo of a {c} with {v}."
        Prompt of a class with a value, at `{c}` and `{v}`.
    """

    spurious: Mapping[str, tuple[str, ...]]
    accept: tuple[tuple[str, str], ...] = ()
    value_template: str = VALUE_TEMPLATE
    pair_template: str = PAIR_TEMPLATE

    def of_value(self, value: str) -> str:
        """Return the prompt of a value alone."""
        return self.value_template.replace("{v}", value)

    def of_pair(self, name: str, value: str) -> str:
        """Return the prompt of a class with a value; underscores of the class are read as spaces."""
        # The value comes last, since a class name may hold braces.
        return self.pair_template.replace("{c}", name.replace("_", " ")).replace("{v}", value)


@dataclass(frozen=True)
class Concepts:
    """Unit text embeddings of concept words, by the text tower of one model.

    Attributes
    ----------
    words : ConceptWords
        What was embedded.
    classes : tuple of C str
        The classes of `pairs`.
    values : dict of str to float32 [V, D]
        Of each attribute the prompts of its values.
    pairs : dict of str to float32 [C, V, D]
        Of each attribute the prompts of every class with every value.
    accept : float32 [K, 2, D]
        The accepted pairs.
    weights : str, default=""
        Hash of the model's weights, which a store's card must name too; empty if unknown.
    """

    words: ConceptWords
    classes: tuple[str, ...]
    values: Mapping[str, Floats]
    pairs: Mapping[str, Floats]
    accept: Floats
    weights: str = ""

    @property
    def width(self) -> int:
        """D."""
        return int(self.accept.shape[-1])


def read_concept_words(path: Path) -> ConceptWords:
    """Read concept words from a YAML file.

    Raises
    ------
    EvenhandError
        If the file cannot be read, is not YAML, or holds something else than concept words.
    """
    try:
        if path.exists() and not path.is_file():  # reading a pipe would wait for ever
            raise OSError("it is not a regular file")
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise EvenhandError(f"concept words: {path} cannot be read ({error})") from error
    try:
        content = yaml.safe_load(text)
    except Exception as error:  # its tags raise what they stumble over: `!!bool abc`, a KeyError
        reason = " ".join(str(error).split())[:200]
        raise EvenhandError(f"concept words: {path} is not YAML ({reason})") from error
    return parse_concept_words(content, str(path))


def parse_concept_words(content: Any, where: str = "the mapping") -> ConceptWords:
    """Return the concept words of a mapping, as YAML gives it.

    Parameters
    ----------
    content : mapping
        `spurious`: attribute to list of values; optionally `accept`: list of pairs, `value_template` and
        `pair_template`.
    where : str
        Named in the sentences.

    Raises
    ------
    EvenhandError
        If a key is unknown, `spurious` is missing, an attribute has fewer than two different values, a pair
        is none, a value is not text, or a template lacks its places.
    """
    if not isinstance(content, Mapping) or not isinstance(content.get("spurious"), Mapping):
        raise EvenhandError(
            f"concept words: {where} has no mapping 'spurious'; write spurious: {{background: [a water "
            "background, a land background]}"
        )
    unknown = [str(key) for key in content if key not in _KEYS]
    if unknown:
        raise EvenhandError(
            f"concept words: {where} has the key {unknown[0]!r}; the allowed keys are {', '.join(_KEYS)}"
        )
    odd = next((name for name in content["spurious"] if not _is_unicode(str(name))), None)
    if odd is not None:
        raise EvenhandError(f"concept words: {where} has the attribute {odd!r}, which is not text; reword it")
    if not content["spurious"]:
        raise EvenhandError(f"concept words: 'spurious' of {where} is empty; name at least one attribute")
    return ConceptWords(
        {
            str(name): _different(values, f"spurious attribute {str(name)!r} of {where}")
            for name, values in content["spurious"].items()
        },
        tuple(_pairs(content.get("accept") or (), where)),
        _template(content, "value_template", VALUE_TEMPLATE, ("{v}",), where),
        _template(content, "pair_template", PAIR_TEMPLATE, ("{c}", "{v}"), where),
    )


def value_pairs(embeddings: Floats) -> Iterator[tuple[Floats, Floats]]:
    """Yield the pairs of different values of embeddings [..., V, D], each [..., D]."""
    for first, second in combinations(range(embeddings.shape[-2]), 2):
        yield embeddings[..., first, :], embeddings[..., second, :]


def _different(values: Any, what: str) -> tuple[str, ...]:
    """Return two or more different texts."""
    if not isinstance(values, Sequence) or isinstance(values, str) or len(values) < 2:
        raise EvenhandError(f"concept words: {what} is {brief(values)}; give a list of two or more values")
    for value in values:
        if not isinstance(value, str) or not value.strip() or not _is_unicode(value):
            raise EvenhandError(
                f"concept words: {what} holds {brief(value)}, which is not text; quote it, or reword it"
            )
    if len(set(values)) < len(values):
        raise EvenhandError(f"concept words: {what} holds a value twice; give different ones")
    return tuple(values)


def _is_unicode(text: str) -> bool:
    """Return whether a text can be encoded; half of a surrogate pair cannot."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _pairs(found: Any, where: str) -> Iterator[tuple[str, str]]:
    if not isinstance(found, Sequence) or isinstance(found, str):
        raise EvenhandError(f"concept words: 'accept' of {where} is {brief(found)}; give a list of pairs")
    for pair in found:
        texts = _different(pair, f"a pair of 'accept' of {where}")
        if len(texts) > 2:
            raise EvenhandError(
                f"concept words: a pair of 'accept' of {where} has {len(texts)} texts; give two"
            )
        yield texts[0], texts[1]


def _template(content: Mapping[str, Any], key: str, usual: str, places: Sequence[str], where: str) -> str:
    template = content.get(key, usual)
    for place in places:
        if not isinstance(template, str) or place not in template or not _is_unicode(template):
            raise EvenhandError(
                f"concept words: {key} of {where} is {brief(template)}, without {place}; write one"
            )
    return str(template)
