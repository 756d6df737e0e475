import re
from inspect import Parameter, signature
from types import ModuleType

import pytest
from tests.script import load_script

COMMAND = "run: make reference"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return load_script("python_reference")


@pytest.fixture(scope="module")
def pages(script: ModuleType) -> dict[str, str]:
    return {path.stem: text for path, text in script.pages().items()}


def test_the_pages_are_what_the_docstrings_say(script: ModuleType) -> None:
    written = {path: path.read_text(encoding="utf-8") for path in script.PAGES.glob("*.md")}
    written[script.OVERVIEW] = script.OVERVIEW.read_text(encoding="utf-8")
    assert written == script.pages(), COMMAND


def test_every_exported_name_has_one_entry_and_a_line_in_each_package(
    script: ModuleType, pages: dict[str, str]
) -> None:
    everything = "\n".join(pages.values())
    for package in script.packages():
        page = pages[script.page_of(package).stem]
        for each in script.exports(package):
            assert f"| [`{each.name}`](" in page, (package, each.name)
            assert f"\n### {each.name}\n" in pages[script.page_of(each.package).stem], (package, each.name)
    assert everything.count("\n### CFR\n") == 1


def test_every_exported_name_says_what_it_is(script: ModuleType) -> None:
    names = {each for package in script.packages() for each in script.exports(package)}
    assert not [f"{each.module}.{each.name}" for each in names if not each.summary]


def test_every_default_is_stated(script: ModuleType) -> None:
    """Those of None may be told in words; all others stand with the type."""
    names = {each for package in script.packages() for each in script.exports(package)}
    told = []
    for each in (each for each in names if each.kind in ("Functions", "Classes", "Estimators")):
        entries = re.findall(r"^(\w[\w, ]*) : (.+)$", each.doc, re.MULTILINE)
        types = {name: kind for listed, kind in entries for name in listed.split(", ")}
        told += [
            f"{each.name}: {name}"
            for name, parameter in signature(each.value).parameters.items()
            if parameter.default not in (Parameter.empty, None)
            and not re.search("default|optional", types.get(name, "default"))
        ]
    assert told == []


def test_the_navigation_leads_to_every_page(script: ModuleType) -> None:
    navigation = (script.ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    for path in [script.OVERVIEW, *script.PAGES.glob("*.md")]:
        assert f" {path.relative_to(script.ROOT / 'docs').as_posix()}\n" in navigation


def test_names_that_differ_in_case_alone_have_two_anchors(script: ModuleType) -> None:
    names = {each.name: each for each in script.exports("evenhand.audits")}
    of = [script.anchor(names[name], list(names.values())) for name in ("audit", "Audit")]
    assert of == ["audit", "audit_1"]


def test_a_docstring_becomes_lists(script: ModuleType) -> None:
    text = "What it is.\n\nParameters\n----------\nx, y : int\n    Two\n    lines.\nz\n    One.\n"
    assert (
        script.markdown(text) == "What it is.\n\n**Parameters**\n\n- `x, y` (int): Two lines.\n- `z`: One.\n"
    )


def test_examples_become_sessions_and_brackets_stay_visible(script: ModuleType) -> None:
    text = "Of p_<class>, `p_<class>`.\n\nExamples\n--------\nFirst:\n\n>>> 1 + 1\n2\n"
    said = "Of p_\\<class>, `p_<class>`.\n\n**Examples**\n\nFirst:\n\n```pycon\n>>> 1 + 1\n2\n```\n"
    assert script.markdown(text) == said
