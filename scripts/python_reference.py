"""Write docs/reference/python.md from the docstrings of the public names; a test compares the two."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import evenhand
from evenhand.methods.registry import METHODS

PAGE = Path(__file__).resolve().parents[1] / "docs" / "reference" / "python.md"
HEAD = """\
# Python

`import evenhand` loads none of the heavy libraries; each name is loaded at first use. This page is written
from the docstrings; [Put a method together](../how-to/compose.md) has examples.
"""
SECTIONS = ("Data and models", "Methods", "The main job", "Errors")
CLASSES = [target.partition(":")[2] for target in METHODS.values()]
UNDERLINED = re.compile(r"^(?P<title>[A-Z]\w+)\n-{3,}\n", flags=re.MULTILINE)
ENTRY = re.compile(r"(?P<name>[^:]+?)(?: : (?P<type>.*))?")


def reference() -> str:
    """Return the page."""
    found: dict[str, list[str]] = {title: [] for title in SECTIONS}
    for name in evenhand.__all__:
        if not name.startswith("__"):
            found[section_of(name)].append(name)
    found["Methods"].sort(key=CLASSES.index)
    parts = [HEAD]
    for title, names in found.items():
        parts += [f"## {title}\n", *(described(name, getattr(evenhand, name)) for name in names)]
    return "\n".join(parts)


def section_of(name: str) -> str:
    """Return the section of a public name."""
    value = getattr(evenhand, name)
    if name in CLASSES:
        return "Methods"
    if isinstance(value, type) and issubclass(value, Exception | Warning):
        return "Errors"
    return "Data and models" if isinstance(value, type) or name.startswith("load_") else "The main job"


def described(name: str, value: Any) -> str:
    """Return the entry of one name: its call, its docstring, its declarations and public methods."""
    lines = [f"### {name}\n"]
    called = not getattr(value, "_is_protocol", False) and section_of(name) != "Errors"
    if called:
        lines.append(f"```text\n{call(name, value)}\n```\n")
    lines.append(markdown(inspect.getdoc(value) or ""))
    if hasattr(value, "group_labels_used"):
        needs = ", ".join(value.needs) or "nothing"
        lines.append(f"Group labels: {value.group_labels_used}. Needs beyond features and labels: {needs}.\n")
    elif isinstance(value, type):
        lines += own_methods(value)
    return "\n".join(lines)


def call(name: str, value: Any) -> str:
    """Return how a name is called, without types; one parameter a line where it is long."""
    try:
        parameters = list(inspect.signature(value).parameters.values())
    except (TypeError, ValueError):
        return name
    plain = [each.replace(annotation=inspect.Parameter.empty) for each in parameters]
    written = re.sub(r"<function (\w+) at \w+>", r"\1", str(inspect.Signature(plain)))
    if len(name + written) <= 100:
        return name + written
    listed = written[1:-1]
    return f"{name}(\n    " + re.sub(r", (?=[\w*]+(?:[,=]|$))", ",\n    ", listed) + ",\n)"


def own_methods(value: type) -> Iterator[str]:
    """Yield a line for each public method and property that a class defines itself."""
    for name, member in vars(value).items():
        inner = getattr(member, "__func__", member)
        if name.startswith("_") or not (inspect.isfunction(inner) or isinstance(inner, property)):
            continue
        said = (inspect.getdoc(inner) or "").partition("\n\n")[0].replace("\n", " ")
        yield f"- `.{name}{'' if isinstance(inner, property) else '()'}`: {said}"
    yield ""


def markdown(docstring: str) -> str:
    """Return a NumPy docstring as Markdown: prose as it is, the entries of a section as a list."""
    prose, *rest = UNDERLINED.split(docstring)
    parts = [prose.rstrip() + "\n"]
    for title, body in zip(rest[::2], rest[1::2], strict=True):
        text = body.strip("\n")
        entries = title in ("Parameters", "Attributes", "Raises", "Returns")
        parts.append(f"**{title}**\n\n{listed(text) if entries else text}\n")
    return "\n".join(parts)


def listed(body: str) -> str:
    """Return `name : type` lines with indented texts as list items."""
    items: list[str] = []
    for line in body.splitlines():
        if line and not line.startswith(" "):
            entry = ENTRY.fullmatch(line)
            assert entry is not None, line
            kind = f" ({entry['type']})" if entry["type"] else ""
            items.append(f"- `{entry['name']}`{kind}:")
        elif line.strip() and items:
            items[-1] += f" {line.strip()}"
    return "\n".join(item.removesuffix(":") for item in items)


if __name__ == "__main__":
    PAGE.write_text(reference(), encoding="utf-8")
