"""The words that can name slices."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from evenhand._counts import number_of
from evenhand._errors import EvenhandError
from evenhand.backbones.folder import folder_of

if TYPE_CHECKING:  # an option is checked before NumPy is imported
    from evenhand._typing import PathLike

TEMPLATES = ("a photo of {}.", "a photo of a {}.")
"""With and without an article: a word may be a thing, a material or a look."""
NONE = "none"
"""The path that stands for "use no words"."""


@dataclass(frozen=True)
class Vocabulary:
    """Words, and where they come from.

    Attributes
    ----------
    words : tuple of str
        Without duplicates, in the order given.
    source : str
        One phrase, such as "the 12 words that model tiny knows".
    notes : tuple of str
        What was left out, one sentence each.
    default : bool
        Whether they are the common words, which the model may not know.
    """

    words: tuple[str, ...]
    source: str
    notes: tuple[str, ...] = ()
    default: bool = False

    def prompts(self) -> dict[str, list[str]]:
        """Return the texts that stand for each word."""
        return {word: [template.format(word) for template in TEMPLATES] for word in self.words}

    def without(self, names: Iterable[str]) -> Vocabulary:
        """Return the vocabulary without the class names, which every error is near to or far from."""
        own = {_key(name.replace("_", " ")) for name in names}
        return replace(self, words=tuple(word for word in self.words if _key(word) not in own))


def common_words() -> Vocabulary:
    """Return the default: common nouns and looks from WordNet, whose license is next to the list."""
    text = (resources.files("evenhand.audits") / "word_list" / "common.txt").read_text(encoding="utf-8")
    words = tuple(text.split("\n")[:-1])
    return Vocabulary(words, f"{len(words):,} common words from WordNet", default=True)


def default_words(model: str, own: Sequence[str]) -> Vocabulary:
    """Return the words that a model says it knows, or common ones, with a note if it may not know them.

    Parameters
    ----------
    model : str
        Name of the model.
    own : sequence of str
        The words that its folder lists.
    """
    if own:
        return Vocabulary(tuple(own), f"the {number_of(len(own), 'word')} that model {model} knows")
    if folder_of(model) is None:
        return common_words()
    note = (
        f"model {model} does not list the words that it knows, and for words that it never saw its text "
        "embeddings mean nothing; give a vocabulary of its own words, or put a words.txt in its folder"
    )
    return replace(common_words(), notes=(note,))


def given_vocabulary(path: PathLike | None) -> Vocabulary | None:
    """Return the words of a file; no words for the path `none`, and None without a path.

    Raises
    ------
    EvenhandError
        As `read_vocabulary`.
    """
    if path is None:
        return None
    return Vocabulary((), NONE) if str(path) == NONE else read_vocabulary(Path(path))


def read_vocabulary(path: Path) -> Vocabulary:
    """Read one word or phrase per line; empty lines and repeated words are left out and counted.

    Raises
    ------
    EvenhandError
        If the file cannot be read, is not UTF-8, or holds no word.
    """
    try:
        if path.exists() and not path.is_file():  # reading a pipe would block forever
            raise OSError("it is not a plain file")
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise EvenhandError(
            f"vocabulary: {path} cannot be read as UTF-8 text ({error}); give a file with one word per line"
        ) from error
    given = [" ".join(line.split()) for line in lines]
    first: dict[str, str] = {}
    for word in filter(None, given):
        first.setdefault(_key(word), word)
    words = list(first.values())
    if not words:
        raise EvenhandError(f"vocabulary: {path} holds no word; write one word per line")
    empty, twice = given.count(""), len(given) - given.count("") - len(words)
    left = [f"{n} {what}" for n, what in ((empty, "empty lines"), (twice, "repeated words")) if n]
    notes = (f"vocabulary {path}: left out {' and '.join(left)}",) if left else ()
    return Vocabulary(tuple(words), f"the {number_of(len(words), 'word')} of {path}", notes)


def _key(word: str) -> str:
    return word.casefold()
