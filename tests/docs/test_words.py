"""No docstring, comment, help text, message or page uses a retired word: one word for one concept.

`pytest tests/docs/test_words.py` lists each place as file:line. A word may stand in code, and where `ALLOWED`
says so. The glossary has the words in use.
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.script import ROOT

RETIRED = {
    r"witness\w*": "probe check, diagnostics",
    r"testimon\w+|testif\w+": "diagnostics",
    r"incumbents?": "baseline",
    r"(?-i:Grounds?)(?! truth)": "sampling pool",
    r"pools": "sampling pools",
    r"(?:line|lines) of draws": "shared draw",
    r"pos(?:e|ed|es)": "build",
    r"told|heard": "say, report, refuse",
    r"judge[sd]?|judging": "score, evaluate; held-out",
    r"pictures?": "image",
    r"some forty|passed over|at hand": "about forty; skipped; available",
    r"allowed are": "the allowed values are",
    r"ha(?:s|ve|d)\s+(?:\w+\s+)?(?:right|wrong)": "classify correctly, misclassify",
    r"\w*(?:minimi|maximi|normali|optimi|summari|recogni|generali|initiali|regulari|standardi|organi|reali)s"
    r"(?:e|es|ed|er|ers|ing|ation|ations)": "American: -ize",
    r"cent(?:re|red|res|ring)|uncentred": "American: center",
    r"colou(?:r|rs|red|ring)|behaviours?": "American: color, behavior",
    r"neighbou(?:r|rs|ring)|favou(?:r|rs|red)|honou(?:r|rs|red)": "American: neighbor, favor, honor",
    r"(?:un|mis)?label(?:led|ling)|modelling|cancelled|travelled": "American: labeled",
    r"licences?|grey|artefacts?|analysed?": "American: license, gray, artifact",
}
ALLOWED = (
    r"unit[\s-]+(?:vectors?|norm|length|sphere|(?:text )?embeddings?|features?|class|prototypes?|z\b|tests?)",
    r"\bunit\(",
    r"\bunits/|tests/unit",
    r"a picture of (?:a |\{)",
    r"\.picture\b",
    r"testimony : dict",
    r"(?:thread|worker|actor) pools|attention pools?",
    r"lines? of (?:a|the|code)",
    r"coloured[-_]mnist",
)
"""Contexts in which a retired word is another word."""

WORD = re.compile("|".join(rf"(?P<w{k}>\b(?:{word})\b)" for k, word in enumerate(RETIRED)), re.IGNORECASE)
PERMITTED = re.compile("|".join(ALLOWED), re.IGNORECASE)
CODE = re.compile(r"```.*?^\s*```|^(?: {4}|\t).*?$|`[^`\n]*`|\]\([^)]*\)", re.DOTALL | re.MULTILINE)
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/**/*.md"))]
SOURCES = [
    *sorted(ROOT.glob("src/evenhand/**/*.py")),
    *sorted(ROOT.glob("src/evenhand/**/*.j2")),
    *sorted(ROOT.glob("scripts/*.py")),
    *sorted(ROOT.glob("benchmarks/*.py")),
    *sorted(ROOT.glob("examples/**/*.py")),
]


def retired(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield line, word and advice for each retired word of a text, code and allowed contexts left out."""
    blank = CODE.sub(hidden, text)
    blank = PERMITTED.sub(hidden, blank)
    for found in WORD.finditer(blank):
        advice = list(RETIRED.values())[int((found.lastgroup or "w0")[1:])]
        yield blank.count("\n", 0, found.start()) + 1, found[0], advice


def hidden(found: re.Match[str]) -> str:
    """Return blanks, and the line ends, of a match."""
    return re.sub(r"[^\n]", " ", found[0])


def prose(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the texts of a file with the lines on which they begin."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        yield 1, text
        return
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT and not re.match(r"#\s*(?:noqa|type:)", token.string):
            yield token.start[0], token.string
    for node in ast.walk(ast.parse(text)):
        # A string without a blank is a name or a format, and no prose.
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield node.lineno, re.sub(r"^ {4,}", "", node.value, flags=re.MULTILINE)


@pytest.mark.parametrize("paths", [PAGES, SOURCES], ids=["pages", "sources"])
def test_no_retired_word_is_used(paths: list[Path]) -> None:
    places = [
        f"{path.relative_to(ROOT)}:{first + line - 1}: {word!r} ({advice})"
        for path in paths
        for first, text in prose(path)
        for line, word, advice in retired(text)
    ]
    assert not places, "\n".join(["", *places, f"{len(places)} retired words"])


@pytest.mark.parametrize(
    "text",
    [
        "The witness speaks.",
        "Two pictures.",
        "rows that ERM has right",
        "where it had\nthem wrong",
        "Minimises the loss",
        "A user is told.",
    ],
)
def test_a_retired_word_is_found(text: str) -> None:
    assert len(list(retired(text))) == 1


@pytest.mark.parametrize(
    "text",
    [
        "a unit vector",
        "the background",
        "`judged`",
        "[x](judged.md)",
        "the attention pool",
        "minimizes",
        "`tests/unit`",
        "What the rows have in common is right here.",
    ],
)
def test_other_words_are_not(text: str) -> None:
    assert not list(retired(text))


def test_a_place_is_the_line_of_the_word() -> None:
    assert [line for line, *_ in retired("One\n`judged`\ntwo pictures\n\n    judged in code\n")] == [3]
