"""Write docs/reference/python.md and a page for each public package from the exports; a test compares them.

A package exports the names of its stub, `__init__.pyi`. Each name has its entry on the page of the innermost
package that exports it. The other packages that export it, `evenhand` itself among them, link there.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

from sklearn.base import BaseEstimator

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "evenhand"
OVERVIEW = ROOT / "docs" / "reference" / "python.md"
PAGES = OVERVIEW.with_suffix("")

HEAD = """\
# Python

This page lists what `import evenhand` offers, and the packages below it. A public name is one that a package
exports; everything else is private. Names load at first use, so `import evenhand` loads no heavy library. The
docstrings make these pages. [Put a method together](../how-to/compose.md) has longer examples.
"""
KINDS = ("Functions", "Estimators", "Classes", "Constants", "Errors")
UNDERLINED = re.compile(r"^(?P<title>[A-Z][\w ]+)\n-{3,}\n", flags=re.MULTILINE)
ENTRY = re.compile(r"(?P<name>[^:]+?)(?: ?: (?P<type>.*))?")


@dataclass(frozen=True)
class Name:
    """A public name: the package of its entry, the module that defines it, and its value."""

    package: str
    module: str
    name: str

    @cached_property
    def value(self) -> Any:
        """What the name stands for."""
        return getattr(importlib.import_module(self.package), self.name)

    @property
    def kind(self) -> str:
        """One of `KINDS`."""
        if not isinstance(self.value, type):
            return "Functions" if callable(self.value) else "Constants"
        if issubclass(self.value, Exception | Warning):
            return "Errors"
        return "Estimators" if issubclass(self.value, BaseEstimator) else "Classes"

    @property
    def doc(self) -> str:
        """The docstring; of a constant, the string below it."""
        if self.kind == "Constants":
            return constant_doc(self.module, self.name)
        return inspect.getdoc(self.value) or ""

    @property
    def summary(self) -> str:
        """The docstring's first paragraph, on one line."""
        return self.doc.partition("\n\n")[0].replace("\n", " ")


def pages() -> dict[Path, str]:
    """Return the text of every page of the reference by its path."""
    exported = {package: exports(package) for package in packages()}
    found = {page_of(package): page(package, exported) for package in exported if package != "evenhand"}
    return {OVERVIEW: overview(exported), **found}


def packages() -> list[str]:
    """Return every package that exports names, outermost first."""
    stubs = sorted(SOURCE.rglob("__init__.pyi"), key=lambda stub: (len(stub.parts), stub))
    return [".".join(stub.parent.relative_to(SOURCE.parent).parts) for stub in stubs]


def exports(package: str) -> list[Name]:
    """Return the names of a package's stub, each with the package of its entry."""
    stub = SOURCE.parent.joinpath(*package.split("."), "__init__.pyi")
    tree = ast.parse(stub.read_text(encoding="utf-8"))
    homes = packages()
    found = []
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            module = f"{package}.{node.module}"
            inner = [home for home in homes if module.startswith(f"{home}.") and home != "evenhand"]
            for alias in node.names:
                name = alias.asname or alias.name
                homed = [home for home in inner if name in importlib.import_module(home).__all__]
                found.append(Name(max([package, *homed], key=len), module, name))
    return sorted(
        (each for each in found if not each.name.startswith("_")), key=lambda each: each.name.lower()
    )


def page_of(package: str) -> Path:
    """Return the path of a package's page."""
    return OVERVIEW if package == "evenhand" else PAGES / f"{package.removeprefix('evenhand.')}.md"


def overview(exported: Mapping[str, list[Name]]) -> str:
    """Return the first page: what evenhand exports, the entries that only it has, and the packages."""
    lines = [HEAD, *table(exported["evenhand"], OVERVIEW, exported)]
    lines += ["## Packages\n", "| package | what it holds |", "|---|---|"]
    for package in exported:
        if package != "evenhand":
            said = (importlib.import_module(package).__doc__ or "").splitlines()[0]
            lines.append(f"| [`{package}`]({link(package, OVERVIEW)}) | {escaped(said, '<|')} |")
    return "\n".join([*lines, "", *entries("evenhand", exported)])


def page(package: str, exported: Mapping[str, list[Name]]) -> str:
    """Return the page of a package."""
    said = inspect.cleandoc(importlib.import_module(package).__doc__ or "")
    lines = [f"# {package}\n", f"{said}\n", *table(exported[package], page_of(package), exported)]
    return "\n".join([*lines, *entries(package, exported)])


def table(names: list[Name], here: Path, exported: Mapping[str, list[Name]]) -> Iterator[str]:
    """Yield tables of names by kind, each name linked to its entry."""
    for kind, members in by_kind(names):
        yield from (f"| {kind.lower()} | |", "|---|---|")
        for each in members:
            target = f"{link(each.package, here)}#{anchor(each, exported[each.package])}"
            yield f"| [`{each.name}`]({target.removeprefix(here.name)}) | {escaped(each.summary, '<|')} |"
        yield ""


def entries(package: str, exported: Mapping[str, list[Name]]) -> Iterator[str]:
    """Yield the entries that stand on a package's page."""
    for kind, members in by_kind(own(package, exported[package])):
        yield f"## {kind}\n"
        for each in members:
            yield described(each)


def own(package: str, names: list[Name]) -> list[Name]:
    """Return the names whose entry stands on the package's own page."""
    return [each for each in names if each.package == package]


def by_kind(names: list[Name]) -> Iterator[tuple[str, list[Name]]]:
    """Yield each kind that occurs with its names."""
    for kind in KINDS:
        if members := [each for each in names if each.kind == kind]:
            yield kind, members


def anchor(name: Name, names: list[Name]) -> str:
    """Return the anchor of an entry: names that differ in case alone are numbered."""
    ordered = [each.name for _, members in by_kind(own(name.package, names)) for each in members]
    same = [each for each in ordered if each.lower() == name.name.lower()]
    place = same.index(name.name)
    return name.name.lower() + (f"_{place}" if place else "")


def link(package: str, here: Path) -> str:
    """Return the relative address of a package's page."""
    target = page_of(package)
    return target.name if target.parent == here.parent else target.relative_to(here.parent).as_posix()


def described(name: Name) -> str:
    """Return the entry of one name: its call, its docstring, its declarations and public methods."""
    value = name.value
    lines = [f"### {name.name}\n"]
    if name.kind not in ("Constants", "Errors") and not getattr(value, "_is_protocol", False):
        lines.append(f"```text\n{call(name.name, value)}\n```\n")
    lines.append(markdown(name.doc))
    if hasattr(value, "group_labels_used") and name.kind == "Estimators":
        needs = ", ".join(value.needs) or "nothing"
        lines.append(f"Group labels: {value.group_labels_used}. Needs beyond features and labels: {needs}.\n")
    if isinstance(value, type):
        lines += own_methods(value)
    return "\n".join(lines)


def call(name: str, value: Any) -> str:
    """Return how a name is called, without types; one parameter a line where it is long."""
    try:
        parameters = list(inspect.signature(value).parameters.values())
    except (TypeError, ValueError):
        return name
    if parameters and parameters[0].name in ("self", "cls"):
        parameters = parameters[1:]
    plain = [each.replace(annotation=inspect.Parameter.empty) for each in parameters]
    written = re.sub(r"<(?:function|class) '?([\w.]+)'?(?: at \w+)?>", r"\1", str(inspect.Signature(plain)))
    if len(name + written) <= 100:
        return name + written
    listed = written[1:-1]
    return f"{name}(\n    " + re.sub(r", (?=[\w*/]+(?:[,=]|$))", ",\n    ", listed) + ",\n)"


def own_methods(value: type) -> Iterator[str]:
    """Yield what a class defines itself: a line for each, and in full what has sections of its own."""
    short, long = [], []
    for name, member in vars(value).items():
        inner = getattr(member, "__func__", member)
        if name.startswith("_") or not (inspect.isfunction(inner) or isinstance(inner, property)):
            continue
        doc = inspect.getdoc(inner) or ""
        if UNDERLINED.search(doc):
            long.append(
                f"#### {value.__name__}.{name}\n\n```text\n{call(name, inner)}\n```\n\n{markdown(doc)}"
            )
        else:
            said = doc.partition("\n\n")[0].replace("\n", " ")
            short.append(f"- `.{name if isinstance(inner, property) else call(name, inner)}`: {said}")
    yield from ([*short, ""] if short else [])
    yield from long


def constant_doc(module: str, name: str) -> str:
    """Return the string that stands below a constant in its module."""
    path = SOURCE.parent.joinpath(*module.split(".")).with_suffix(".py")
    body = ast.parse(path.read_text(encoding="utf-8")).body
    for node, after in pairwise(body):
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        named = any(isinstance(target, ast.Name) and target.id == name for target in targets)
        if named and isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            return inspect.cleandoc(str(after.value.value))
    return ""


def markdown(docstring: str) -> str:
    """Return a NumPy docstring as Markdown: entries as a list, examples as code, prose as it is."""
    prose, *rest = UNDERLINED.split(docstring)
    parts = [escaped(prose.rstrip()) + "\n"]
    for title, body in zip(rest[::2], rest[1::2], strict=True):
        text = body.strip("\n")
        if title in ("Parameters", "Attributes", "Raises", "Returns", "Yields", "Warns"):
            text = escaped(listed(text))
        elif title == "Examples":
            text = examples(text)
        parts.append(f"**{title}**\n\n{text}\n")
    return "\n".join(parts)


def escaped(text: str, special: str = "<") -> str:
    """Return a text whose special characters Markdown takes literally, code left as it is."""
    parts = re.split(r"(`[^`]*`|^    .*$)", text, flags=re.MULTILINE)
    return "".join(part if k % 2 else re.sub(f"([{special}])", r"\\\1", part) for k, part in enumerate(parts))


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


def examples(body: str) -> str:
    """Return the sessions of a section as fenced code, with the prose between them."""
    return "\n\n".join(
        f"```pycon\n{part.strip()}\n```" if part.lstrip().startswith(">>>") else part.strip()
        for part in re.split(r"\n\s*\n", body)
        if part.strip()
    )


def write() -> None:
    """Write every page, and remove the pages of packages that are gone."""
    written = pages()
    PAGES.mkdir(exist_ok=True)
    for path in sorted(set(PAGES.glob("*.md")) - set(written)):
        path.unlink()
    for path, text in written.items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
